"""Which files of which commit a spec means, as the Hub says; none is downloaded."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from corpora.hub.columns import checked
from corpora.hub.files import HubFile, HubPath
from corpora.hub.spec import HubSpec
from corpora.inputs import format_of
from thaitok.errors import UserError
from thaitok.folder import FileFacts
from thaitok.hub_faults import explained, lost, patiently

Result = TypeVar("Result")

CONVERTED = "refs/convert/parquet"
"""The branch where the Hub keeps a parquet copy of data sets it could convert."""
WAITS = (1.0, 2.0, 4.0)
"""Seconds to wait before a question is put again to a Hub that cannot be reached."""
ASKED_AT_ONCE = 100
"""Files whose sizes are asked for in one request."""
NAMED_AT_MOST = 8
THAI = re.compile(r"(?<![a-z])(th|tha|thai)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubInput:
    """The files of one commit that are to be read, none of which is downloaded yet."""

    name: str
    """Such as hub:org/name@0123456789ab:config."""
    licence: str
    warnings: tuple[str, ...]
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which files of a commit make up the split."""

    paths: list[str]
    module: str = ""
    """The packaged module of `datasets` for them, where `datasets` was asked."""
    warning: str = ""


def facts_of(file: HubFile) -> FileFacts:
    """Return the file's commit, path, text column and source as a name, its size, its digest.

    The Hub tells them all; another commit, column or source makes another input.
    """
    name = f"{file.name}#{file.column} as {file.stem}"
    return FileFacts(name=name, bytes=file.bytes, sha256=file.digest)


def resolve_hub(spec: HubSpec, text_column: str = "text") -> HubInput:
    """Ask the Hub for the commit and the files that a spec means, and look for the text column.

    Raises `UserError` for what is missing, private, gated, not to be read, or out of reach.
    """
    from huggingface_hub import HfApi

    api, row = HfApi(), spec.row

    def ask(question: Callable[[], Result]) -> Result:
        return patiently(question, spec.given, WAITS)

    info: Any = ask(lambda: api.dataset_info(spec.repo, revision=spec.revision, timeout=30))
    if info.gated:
        ask(lambda: api.auth_check(info.id, repo_type="dataset"))
    if spec.files or spec.revision == CONVERTED:
        layout = _in_tree(spec, ask(lambda: _tree(api, info, spec.files or "")))
    else:
        layout = ask(lambda: _by_datasets(spec, info))
    known = ask(lambda: _entries(api, info, layout.paths))
    files = [_file(spec, info, known[path], layout, text_column) for path in layout.paths]
    warnings = (row.warning if row else "", layout.warning)
    return HubInput(
        name=f"hub:{info.id}@{info.sha[:12]}" + (f":{spec.config}" if spec.config else ""),
        licence=_licence(info) or (row.licence if row else "not stated"),
        warnings=tuple(filter(None, warnings)),
        files=tuple(ask(lambda: checked(files))),
    )


def _by_datasets(spec: HubSpec, info: Any) -> Layout:
    """Let `datasets` say which files are a split: it knows cards, folders and file names."""
    import datasets

    try:
        builder = datasets.load_dataset_builder(info.id, spec.config, revision=info.sha)
    except (RuntimeError, ValueError, FileNotFoundError) as err:
        if lost(err):
            raise
        raise explained(err, spec.given) or _no_layout(spec, info, err) from err
    files = cast("dict[str, list[str]]", builder.config.data_files or {})
    if spec.split not in files:
        splits = ", ".join(f"{spec.config or 'default'}/{split}" for split in files)
        do = f"give one after the colon: {splits}" if files else "give a pattern of files"
        raise UserError(f"has no split {spec.split!r}", where=spec.given, do=do)
    prefix = f"hf://datasets/{info.id}@{info.sha}/"
    paths = [url.removeprefix(prefix) for url in files[spec.split]]
    return Layout(paths, type(builder).__module__.rpartition(".")[2])


def _no_layout(spec: HubSpec, info: Any, err: Exception) -> UserError:
    """Say why `datasets` found no files."""
    if isinstance(err, RuntimeError) and "scripts are no longer supported" in str(err):
        do = f"read the Hub's parquet copy, hub:{info.id}@{CONVERTED}:CONFIG, or a pattern of its"
        do = f"{do} files, hub:{info.id}:data/*.jsonl"
        return UserError("is read by a script of its own", where=spec.given, do=do)
    names = _config_names(info)
    if names and spec.config not in names:
        what = f"has no config {spec.config!r}" if spec.config else "has several configs"
        do = f"give one after the colon: {_some(names, spec.config)}"
        return UserError(what, where=spec.given, do=do)
    do = f"give a pattern of its files, such as hub:{info.id}:data/*.jsonl"
    return UserError("has no data files that `datasets` knows", where=spec.given, do=do)


def _config_names(info: Any) -> list[str]:
    card = info.card_data.to_dict() if info.card_data else {}
    configs = card.get("configs") or []
    return [str(one["config_name"]) for one in configs if "config_name" in one] or ["default"]


def _some(names: list[str], wanted: str | None) -> str:
    """List the names that the user may have meant, Thai ones first."""
    near = difflib.get_close_matches(wanted or "", names, 3)
    first = dict.fromkeys([*near, *filter(THAI.search, names), *names])
    more = len(names) - NAMED_AT_MOST
    return ", ".join([*islice(first, NAMED_AT_MOST)]) + (f" and {more} more" if more > 0 else "")


def _tree(api: Any, info: Any, pattern: str) -> list[str]:
    """Return the paths of all files below the last folder that the pattern names outright."""
    plain = re.split(r"[*?\[]", pattern)[0].rpartition("/")[0]
    from huggingface_hub.errors import EntryNotFoundError

    tree = api.list_repo_tree(
        info.id, plain or None, recursive=True, revision=info.sha, repo_type="dataset"
    )
    try:
        return sorted(entry.path for entry in tree if hasattr(entry, "size"))
    except EntryNotFoundError:
        return []


def _in_tree(spec: HubSpec, tree: list[str]) -> Layout:
    if spec.files:
        paths = [path for path in tree if fnmatchcase(path, spec.files) and format_of(path)]
        if paths:
            return Layout(paths)
        do = f"look at the pattern; beside it lie {', '.join(tree[:NAMED_AT_MOST]) or 'no files'}"
        raise UserError("no file that is read matches", where=spec.given, do=do)
    configs = list(dict.fromkeys(path.split("/")[0] for path in tree if path.endswith(".parquet")))
    config = spec.config or (configs[0] if len(configs) == 1 else "default")
    if config not in configs:
        do = f"give one after the colon: {_some(configs, spec.config) or 'none is there'}"
        raise UserError(f"the parquet copy has no config {config!r}", where=spec.given, do=do)
    # Of large data sets only the first 5 GB are converted, and the folder says so.
    folder = re.compile(rf"{re.escape(config)}/(partial-)?{re.escape(spec.split)}(-part\d+)?/[^/]+")
    found = [match for path in tree if (match := folder.fullmatch(path))]
    if not found:
        splits = sorted({path.rpartition("/")[0] for path in tree if path.startswith(f"{config}/")})
        do = f"give one after the colon: {', '.join(splits)}"
        raise UserError(f"the parquet copy has no split {spec.split!r}", where=spec.given, do=do)
    warning = "the parquet copy holds a part of the data set only" if found[0][1] else ""
    return Layout([match.string for match in found], warning=warning)


def _entries(api: Any, info: Any, paths: list[str]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for start in range(0, len(paths), ASKED_AT_ONCE):
        some = paths[start : start + ASKED_AT_ONCE]
        found = api.get_paths_info(info.id, some, revision=info.sha, repo_type="dataset")
        entries |= {entry.path: entry for entry in found}
    return entries


def _file(spec: HubSpec, info: Any, entry: Any, layout: Layout, text_column: str) -> HubFile:
    kind = format_of(entry.path)
    form, packing = kind or ("jsonl", "")
    place = HubPath(info.id, info.sha, entry.path, entry.size, table=form == "parquet")
    return HubFile(
        path=cast("Path", place),
        name=str(place),
        format=form,
        packing=packing,
        bytes=entry.size,
        digest=entry.lfs.sha256 if entry.lfs else f"git-{entry.blob_id}",
        column=spec.column or text_column,
        source=spec.row.name if spec.row and spec.is_row else info.id.split("/")[-1],
        module="" if kind else layout.module,
    )


def _licence(info: Any) -> str:
    licence = (info.card_data.to_dict() if info.card_data else {}).get("license")
    return ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence or "")
