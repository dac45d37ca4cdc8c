"""Stage folders: complete before they appear under their final name, manifest written last."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from thaitok.config import Config
from thaitok.errors import UserError

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
JOB = ".job.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "spm.model")
"""What a tokenizer is on disk; a model's folder holds the same three."""


class FileFacts(Config):
    """A file's name, size in bytes and sha256."""

    name: str
    bytes: int
    sha256: str


class Manifest(Config):
    """What a stage says of the folder it wrote."""

    stage: str
    """Which stage wrote it: corpus, tokenizer, shards, run, result or export."""
    inputs: tuple[FileFacts, ...]
    """The files it was made from."""
    config: dict[str, Any]
    """The config as resolved, without what cannot change the result."""
    versions: dict[str, str]
    """Versions of the packages that made it."""
    counts: dict[str, Any]
    """What the stage counted."""
    files: tuple[FileFacts, ...]
    """The files of the folder, this one excepted."""


def file_facts(path: Path, name: str | None = None) -> FileFacts:
    """Read a file once and return its size and sha256."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileFacts(name=name or path.name, bytes=path.stat().st_size, sha256=digest)


def package_versions(*names: str) -> dict[str, str]:
    """Return the installed version of each distribution, ours first."""
    return {name: _version(name) for name in ("thaitok", *names)}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"  # run from a checkout


def read_manifest(folder: Path, stage: str) -> Manifest:
    """Return the manifest of a finished folder of `stage`.

    Raises `UserError` when the folder is not there, is unfinished, or is another stage's.
    """
    if not folder.exists():
        raise UserError(f"no such {stage} folder", where=folder, do=MADE_BY[stage])
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"is no finished {stage} folder: it has no {MANIFEST}", where=folder, do=MADE_BY[stage]
        ) from None
    except ValidationError:
        raise UserError(
            "is damaged or of another version", where=folder / MANIFEST, do=MADE_BY[stage]
        ) from None
    if manifest.stage != stage:
        raise UserError(
            f"is a {manifest.stage} folder where a {stage} folder is wanted",
            where=folder,
            do=MADE_BY[stage],
        )
    for facts in manifest.files:
        file = folder / facts.name
        if file.name == "README.md":
            continue  # a card is its owner's to write on
        if not file.is_file() or file.stat().st_size != facts.bytes:
            raise UserError(
                f"is missing or not {facts.bytes} bytes as its manifest says",
                where=file,
                do=f"make the {stage} folder again",
            )
    return manifest


OTHER_OUT = "choose another --out, or delete it first"
MADE_BY = {
    "corpus": "make one with `thaitok clean`",
    "tokenizer": "make one with `thaitok train`, or of an old folder with `thaitok convert`",
    "shards": "make one with `thaitok shard`",
    "run": "make one with `thaitok pretrain`",
    "result": "make one with `thaitok finetune`",
    "export": "make one with `thaitok export`",
}
"""Which verb makes a folder of each stage."""


class Job:
    """A stage at work on a hidden folder beside its final name.

    `work` is where the stage writes; `finish` writes the manifest and gives the folder its
    final name. A job taken up again finds in `work` what the last one left, provided that its
    config and inputs are the same; otherwise it starts from an empty folder.
    """

    def __init__(
        self,
        out: Path,
        stage: str,
        config: Mapping[str, Any],
        inputs: Iterable[FileFacts],
        live: bool,
        code: str | None,
        begun: bool,
    ) -> None:
        self.out = out
        self.stage = stage
        self.config = dict(config)
        self.inputs = tuple(inputs)
        self.live = live
        self.code = code
        self.begun = begun
        self.work = out if live else out.parent / f".{out.name}.partial"
        self.done: Manifest | None = None

    def finish(self, counts: Mapping[str, Any], versions: Mapping[str, str]) -> Manifest:
        """Write the manifest and let the folder appear under its final name."""
        (self.work / MANIFEST).unlink(missing_ok=True)  # of a run killed before the rename
        names = sorted(
            path.relative_to(self.work).as_posix()
            for path in self.work.rglob("*")
            if path.is_file() and not _hidden(path.relative_to(self.work))
        )
        manifest = Manifest(
            stage=self.stage,
            inputs=self.inputs,
            config=self.config,
            versions=dict(versions),
            counts=dict(counts),
            files=tuple(file_facts(self.work / name, name) for name in names),
        )
        write_json(self.work / MANIFEST, manifest)
        if self.work != self.out:
            move_into_place(self.work, self.out)
        (self.out / JOB).unlink(missing_ok=True)
        self.done = manifest
        return manifest

    def _open(self) -> None:
        if (self.out / MANIFEST).is_file():
            self.done = read_manifest(self.out, self.stage)
            self._require_same(self.done.config, _plain(self.done.inputs), "is finished")
            return
        job = {
            "stage": self.stage,
            "config": self.config,
            "inputs": self.inputs,
            "code": self.code,
        }
        found = _read_note(self.work / JOB)
        empty = not self.out.exists() or (self.out.is_dir() and not any(self.out.iterdir()))
        if not empty and not (found and self.live):
            raise UserError(
                f"is in the way: no {self.stage} folder of ours", where=self.out, do=OTHER_OUT
            )
        if found and self.live and not self.begun:
            pass  # there is nothing to lose
        elif found and (self.live or self.code is not None):
            self._require_same(found["config"], found["inputs"], "was begun")
            self._require_same_code(found.get("code"))
        elif found != _plain(job) and self.work.exists():
            log.warning("%s: what a stopped run with other settings left is discarded", self.out)
            shutil.rmtree(self.work)
        self.work.mkdir(exist_ok=True)
        if found != _plain(job):
            write_json(self.work / JOB, job)

    def _require_same(self, config: Mapping[str, Any], inputs: Any, state: str) -> None:
        there, here = _flat(config), _flat(_plain(self.config))
        for key in (*here, *(key for key in there if key not in here)):
            if there.get(key) != here.get(key):
                values = (there.get(key), here.get(key))
                old, new = (json.dumps(one, ensure_ascii=False) for one in values)
                what = f"{state} with {key} = {old}, not {new}"
                raise UserError(what, where=self.out, do=self._way_out())
        if difference := _difference(inputs, _plain(self.inputs)):
            what = f"{state} from other input: {difference}"
            raise UserError(what, where=self.out, do=self._way_out())

    def _require_same_code(self, code: str | None) -> None:
        if code != self.code:
            what = "was begun by another version of thaitok"
            raise UserError(what, where=self.out, do=self._way_out())

    def _way_out(self) -> str:
        return f"choose another --out, or delete {self.work if self.done is None else 'it'} first"


@contextmanager
def stage_job(
    out: Path,
    stage: str,
    config: Mapping[str, Any],
    inputs: Iterable[FileFacts],
    *,
    live: bool = False,
    code: str | None = None,
    begun: bool = True,
) -> Iterator[Job]:
    """Open the job that makes folder `out`; `job.done` is its manifest if it is made already.

    With `live` the stage works in `out` itself, for a run that is watched for days; it counts
    as finished only when its manifest is there. What a stopped run with other settings or
    inputs left is discarded; but not if the run was live or if `code` is given, a fingerprint
    of the code at work: then `UserError` tells what differs, and the user decides; a live run with
    nothing to lose yet (not `begun`) takes other settings. It is raised too when `out` holds
    something else, or when another process is making it.
    """
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _lock(out):
        job = Job(out, stage, config, inputs, live, code, begun)
        job._open()
        yield job


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    path = out.parent / f".{out.name}.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The file may have been unlinked by the run that held it before.
            ours = path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat())
        except BlockingIOError:
            ours = False
        if not ours:
            raise UserError(
                "another run is writing this folder", where=out, do="wait for it, or stop it"
            )
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def written(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when it was written whole and is on disk."""
    partial = path.with_name(f".{path.name}.partial")
    encoding = None if "b" in mode else "utf-8"
    try:
        with partial.open(mode, encoding=encoding) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON: Thai as Thai, two spaces, whole or not at all."""
    with written(path) as stream:
        json.dump(_plain(value), stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def move_into_place(work: Path, final: Path) -> None:
    """Rename a folder to its final name once all that is in it is on disk.

    Otherwise a power cut may leave the name, and files cut short under it.
    """
    for path in (*work.rglob("*"), work):
        sync(path)
    work.rename(final)
    sync(final.parent)


def sync(path: Path) -> None:
    """Force a file's content, or a folder's names, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _difference(before: Any, now: Any) -> str:
    """Say which input differs first, or nothing."""
    old, new = ({one["name"]: one for one in facts} for facts in (before, now))
    for name in old:
        if name not in new:
            return f"{name} is gone"
        if old[name] != new[name]:
            return f"{name} has changed"
    for name in new:
        if name not in old:
            return f"{name} is new"
    return "" if before == now else "their order"


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read_note(path: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return note


def _plain(value: Any) -> Any:
    """Return the value as JSON gives it back, so that tuples and paths compare equal."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=_as_json))


def _as_json(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Config) else str(value)


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, below in value.items():
        flat.update(_flat(below, f"{prefix}.{key}" if prefix else key))
    return flat
