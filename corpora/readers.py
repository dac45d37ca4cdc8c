"""Readers: a file of any format, or a piece of it, to documents and to faults where none is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import orjson

from corpora.columns import read_csv, read_parquet
from corpora.config import CleanConfig
from corpora.hub import HubFile, read_hub
from corpora.inputs import Format
from corpora.lines import BrokenFileError, Line, Moved, read_chunks, read_lines
from corpora.plan import Piece
from corpora.records import Fault, Found, decoded, record_of, sound

Reader = Callable[[Piece, CleanConfig, Moved], Iterator[Found | Fault]]


def read_piece(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Yield every document of a piece in order, and a fault for every one that is broken.

    What follows the place where a packed file is damaged is one fault, `broken_file`.
    `moved` is told bytes on disk.
    """
    if isinstance(piece.file, HubFile):
        yield from read_hub(piece, config, moved)
        return
    line = piece.first - 1
    try:
        for item in READERS[piece.format](piece, config, moved):
            line = item.line
            yield item
        if piece.broken:
            raise BrokenFileError(piece.broken)
    except BrokenFileError as err:
        yield Fault(line + 1, "broken_file", str(err))


def read_jsonl(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read one JSON object a line; empty lines are no documents."""
    for line in _lines(piece, config, moved):
        if line.data.strip() or not line.whole:
            yield _parse_line(line, config.text_column)


def _parse_line(line: Line, text_column: str) -> Found | Fault:
    # orjson is five times faster and stricter; what it turns down is looked at again below,
    # and so is an id beyond 64 bits, which it would round.
    if line.whole and b"\0" not in line.data:
        try:
            record = orjson.loads(line.data)
        except orjson.JSONDecodeError:
            return _look_again(line, text_column)
        if isinstance(record, dict) and not isinstance(record.get("id"), float):
            return record_of(line.number, record, text_column)
    return _look_again(line, text_column)


def _look_again(line: Line, text_column: str) -> Found | Fault:
    text = decoded(line)
    if isinstance(text, Fault):
        return text
    try:
        record = json.loads(text)
    except RecursionError:
        return Fault(line.number, "nested_too_deep", text)
    except ValueError:  # also an integer of over 4,300 digits, which is no JSONDecodeError
        return Fault(line.number, "not_json", text)
    if not isinstance(record, dict):
        return Fault(line.number, "not_an_object", text)
    return record_of(line.number, record, text_column)


def read_txt(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read plain text, a document a line, a paragraph or a file."""
    lines = _lines(piece, config, moved)
    if config.txt_documents != "line":
        lines = _joined(lines, config.txt_documents == "paragraph", config.max_line_bytes)
    for line in lines:
        if line.data.strip() or not line.whole:
            text = decoded(line)
            yield text if isinstance(text, Fault) else sound(line.number, text)


def _joined(lines: Iterator[Line], at_empty_lines: bool, max_bytes: int) -> Iterator[Line]:
    """Join lines to paragraphs, or to the one text of the file, as long lines under `max_bytes`."""
    # A bytearray, not a list: 16 MB of two-letter lines would cost 230 MB as objects.
    held = bytearray()
    first, whole, empty = 1, True, True
    for line in lines:
        if at_empty_lines and line.whole and not line.data.strip():
            if not empty:
                yield Line(first, bytes(held), whole)
            held, whole, empty = bytearray(), True, True
            continue
        if empty:
            held, first, empty = bytearray(line.data), line.number, False
        elif whole:
            held += b"\n" + line.data
        whole = whole and line.whole and len(held) <= max_bytes
    if not empty:
        yield Line(first, bytes(held), whole)


def _lines(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Line]:
    chunks = read_chunks(piece.path, piece.packing, moved, piece.start, piece.end)
    return read_lines(chunks, config.max_line_bytes, piece.first)


READERS: dict[Format, Reader] = {
    "jsonl": read_jsonl,
    "txt": read_txt,
    "csv": read_csv,
    "parquet": read_parquet,
}
