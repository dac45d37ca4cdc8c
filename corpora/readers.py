"""Readers: a file of any format to documents, and to faults where no document can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from corpora.columns import read_csv, read_parquet
from corpora.config import CleanConfig
from corpora.inputs import Format, InputFile
from corpora.lines import BrokenFileError, Line, Moved, read_chunks, read_lines
from corpora.records import Fault, Found, decoded, record_of, sound

Reader = Callable[[InputFile, CleanConfig, Moved], Iterator[Found | Fault]]


def read_file(file: InputFile, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Yield every document of a file in order, and a fault for every one that is broken.

    What follows the place where a packed file is damaged is one fault, `broken_file`.
    """
    line = 0
    try:
        for item in READERS[file.format](file, config, moved):
            line = item.line
            yield item
    except BrokenFileError as err:
        yield Fault(line + 1, "broken_file", str(err))


def read_jsonl(file: InputFile, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read one JSON object a line; empty lines are no documents."""
    for line in _lines(file, config, moved):
        if line.data.strip() or not line.whole:
            yield _parse_line(line, config.text_column)


def _parse_line(line: Line, text_column: str) -> Found | Fault:
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


def read_txt(file: InputFile, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read plain text, a document a line, a paragraph or a file."""
    lines = _lines(file, config, moved)
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


def _lines(file: InputFile, config: CleanConfig, moved: Moved) -> Iterator[Line]:
    return read_lines(read_chunks(file.path, file.packing, moved), config.max_line_bytes)


READERS: dict[Format, Reader] = {
    "jsonl": read_jsonl,
    "txt": read_txt,
    "csv": read_csv,
    "parquet": read_parquet,
}
