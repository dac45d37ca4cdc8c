"""The text to measure on: documents by domain, evenly spaced where there are too many."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import zstandard

from thaitok.corpus import read_documents
from thaitok.errors import UserError

SPLITS = ("train", "validation", "valid", "dev", "test")
JSON_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


def read_domains(paths: Sequence[Path], limit: int) -> dict[str, list[str]]:
    """Return at most `limit` documents of each domain, evenly spaced, from files and folders.

    The domain is a record's `source` where a file or corpus holds several, else the file's name.
    Files are read twice, so that memory holds nothing but what is returned. Raises `UserError`.
    """
    for path in paths:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UserError(
                "is neither a file nor a folder, and it is read twice",
                where=path,
                do="save the text to a file first",
            )
    counts = {path: Counter(source for source, _ in read_records(path)) for path in paths}
    names = {path: dict(_names(path, list(counts[path]))) for path in paths}
    totals: Counter[str] = Counter()
    for path in paths:
        for source, number in counts[path].items():
            totals[names[path][source]] += number
    domains: dict[str, list[str]] = {name: [] for name in totals}
    seen: Counter[str] = Counter()
    for path in paths:
        for source, text in read_records(path):
            name = names[path][source]
            place, total = seen[name], totals[name]
            seen[name] += 1
            if place * limit // total != (place - 1) * limit // total or total <= limit:
                domains[name].append(text)
    if not domains:
        raise UserError("holds no text", where=paths[0] if paths else None)
    return domains


def name_of(path: Path) -> str:
    """Return what a file is called: its folder too, where its own name is that of a split."""
    name = path.name
    for suffix in (*JSON_LINES, ".txt"):
        name = name.removesuffix(suffix)
    return f"{path.resolve().parent.name}/{name}" if name in SPLITS else name


def read_records(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the source and the text of each document of a txt file, JSON lines or a corpus folder.

    In a txt file each line is a document. An empty text is none.
    """
    if path.is_dir():
        found = ((one.source, one.text) for one in read_documents(path))
    elif path.name.endswith(JSON_LINES):
        found = (_text_of(path, number, record) for number, record in read_json_lines(path))
    else:
        found = (("", line) for _, line in _lines(path))
    yield from ((source, sound_text(text)) for source, text in found if text.strip())


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line of a plain, gz or zst file."""
    for number, line in _lines(path):
        record = _parsed(line)
        if not isinstance(record, dict):
            raise UserError("is no JSON object", where=f"{path}:{number}")
        yield number, record


def sound_text(text: str) -> str:
    """Return a text in which a lone surrogate, which has no UTF-8, is U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _parsed(line: str) -> Any:
    """Parse a line of JSON; None for what is none. orjson takes no lone surrogate, json does."""
    try:
        return orjson.loads(line)
    except ValueError:
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _names(path: Path, sources: Sequence[str]) -> Iterator[tuple[str, str]]:
    for source in sources:
        yield source, source or name_of(path) if len(sources) > 1 else name_of(path)


def _text_of(path: Path, number: int, record: dict[str, Any]) -> tuple[str, str]:
    text, source = record.get("text"), record.get("source", "")
    if not isinstance(text, str):
        raise UserError("has no field 'text' that is a text", where=f"{path}:{number}")
    return str(source or ""), text


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, without their ends."""
    number = 0
    try:
        with _opened(path) as stream:
            for number, line in enumerate(stream, 1):
                if text := line.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n"):
                    yield number, text
    except FileNotFoundError:
        raise UserError("no such file", where=path) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", where=f"{path}:{number}") from None
    except (zstandard.ZstdError, gzip.BadGzipFile, EOFError) as err:
        raise UserError(f"is damaged: {err}", where=f"{path}:{number + 1}") from None


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedIOBase]:
    with path.open("rb") as raw:
        stream: Any = raw
        if path.suffix == ".zst":
            stream = zstandard.ZstdDecompressor().stream_reader(raw)
        elif path.suffix == ".gz":
            stream = gzip.GzipFile(fileobj=raw)
        yield io.BufferedReader(stream)
