"""Which files the inputs of a corpus mean, in their fixed order, and how each is read."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from corpora.lines import Packing
from thaitok.errors import UserError
from thaitok.folder import MANIFEST, read_manifest

if TYPE_CHECKING:
    from corpora.hub import HubFile

log = logging.getLogger("thaitok")

Format = Literal["jsonl", "txt", "csv", "parquet"]

FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".txt": "txt",
    ".csv": "csv",
    ".parquet": "parquet",
}
PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}
WIKI_EXTRACTOR = re.compile(r"wiki_[0-9]+")
"""The names of WikiExtractor's files, which have no suffix."""
READABLE = ".jsonl, .json, .ndjson, .txt or .csv (each also .gz or .zst), or .parquet"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read: where it lies, its name in ids and reports, and how to read it."""

    path: Path
    name: str
    format: Format
    packing: Packing
    bytes: int

    @property
    def stem(self) -> str:
        """The file's own name without its suffixes: the source of documents that name none."""
        own = self.path.name
        for suffix in (*PACKINGS, *FORMATS):
            own = own.removesuffix(suffix)
        return own


def find_files(inputs: Iterable[str], out: Path, text_column: str = "text") -> list[InputFile]:
    """Return every file that the inputs mean, once, in input order and sorted within a folder.

    What lies below `out` is left out, so that a folder may be cleaned into itself. Of a data set
    of the Hub, the files of its newest commit are found, not downloaded. Raises `UserError` for
    an input that is missing or holds nothing readable.
    """
    found: dict[Path | str, Path | HubFile] = {}
    for given in inputs:
        if given.startswith("hub:"):
            found |= {file.name: file for file in _hub_files(given, text_column)}
            continue
        paths = [path for path in _expand(given) if not path.is_relative_to(out.absolute())]
        if not paths:
            raise UserError("holds no file to read", where=given, do=f"give {READABLE}")
        found |= dict(zip(paths, paths, strict=True))
    names = _names([one for one in found.values() if isinstance(one, Path)])
    return [
        _input_file(one, names[one]) if isinstance(one, Path) else one for one in found.values()
    ]


def _hub_files(given: str, text_column: str) -> tuple[HubFile, ...]:
    # Imported here: it stands on this module.
    from corpora.hub import parse_hub, resolve_hub

    found = resolve_hub(parse_hub(given), text_column)
    for warning in found.warnings:
        log.warning("%s: %s", given, warning)
    return found.files


def format_of(name: str) -> tuple[Format, Packing] | None:
    """Return how a file of this name is read, or None if it is not.

    >>> format_of("a.jsonl.gz")
    ('jsonl', 'gz')
    """
    path = Path(name.lower())
    packing = PACKINGS.get(path.suffix, "")
    if packing:
        path = path.with_suffix("")
    if WIKI_EXTRACTOR.fullmatch(path.name):
        return "jsonl", packing
    form = FORMATS.get(path.suffix)
    if form is None or (form == "parquet" and packing):
        return None
    return form, packing


def _expand(given: str) -> Iterator[Path]:
    path = Path(given).absolute()
    if path.is_dir():
        yield from _below(path)
    elif path.is_file():
        if format_of(path.name) is None:
            raise UserError("is of no kind that is read", where=given, do=f"give {READABLE}")
        yield path
    elif matches := sorted(glob.glob(given, recursive=True)):  # noqa: PTH207
        for match in matches:
            file = Path(match).absolute()
            if file.is_dir():
                yield from _below(file)
            elif file.is_file() and format_of(file.name):
                yield file
    elif glob.has_magic(given):
        raise UserError("no file matches", where=given, do="look at the pattern")
    else:
        raise UserError("no such file or folder", where=given, do="give a file, folder or glob")


def _below(folder: Path) -> Iterator[Path]:
    """Yield the readable files of a folder; of a finished corpus folder, its parts."""
    if (folder / MANIFEST).is_file():
        parts = (file.name for file in read_manifest(folder, "corpus").files)
        yield from (folder / name for name in sorted(parts) if name.startswith("part-"))
        return
    others: Counter[str] = Counter()
    for path in sorted(folder.rglob("*"), key=Path.as_posix):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.is_file() and format_of(path.name):
            yield path
        elif path.is_file():
            others[path.suffix or "no suffix"] += 1
    if others:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(others.items()))
        log.warning("%s: files of other kinds are passed over: %s", folder, kinds)


def _names(paths: list[Path]) -> dict[Path, str]:
    """Name the files from the folder they all share, so that no name tells of the machine."""
    shared = os.path.commonpath([path.parent for path in paths]) if paths else ""
    return {path: path.relative_to(shared).as_posix() for path in paths}


def _input_file(path: Path, name: str) -> InputFile:
    form, packing = format_of(path.name) or ("jsonl", "")
    return InputFile(path, name, form, packing, path.stat().st_size)
