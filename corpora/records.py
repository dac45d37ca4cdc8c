"""Records: what a reader finds, either a document's text or the fault that hides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpora.lines import Line

MAX_NAME_CHARS = 200
"""Longest id or source that is taken over from a record."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document as it was read: clean Unicode, nothing else judged yet."""

    line: int
    """Where it begins: the line, or the row of a parquet file, from 1."""
    text: str
    id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where there should be a document and none can be read."""

    line: int
    reason: str
    excerpt: str | bytes


def record_of(line: int, record: Mapping[str, Any], text_column: str) -> Found | Fault:
    """Take the document out of a record."""
    text = record.get(text_column)
    if text is None:
        return Fault(line, "no_text", f"has {', '.join(map(str, record))}")
    if not isinstance(text, str):
        return Fault(line, "text_is_no_string", repr(text)[:1000])
    return sound(line, text, name_of(record.get("id")), name_of(record.get("source")))


def sound(
    line: int, text: str, own_id: str | None = None, source: str | None = None
) -> Found | Fault:
    """Return the text as a document if UTF-8 can hold it and no conversion broke it."""
    if "\0" in text:
        return Fault(line, "nul", text)
    if not encodable(text):
        return Fault(line, "lone_surrogate", text)
    return Found(line, text, own_id, source)


def decoded(line: Line) -> str | Fault:
    """Return a line's text, or the fault in its bytes."""
    if not line.whole:
        return Fault(line.number, "too_many_bytes", line.data)
    if b"\0" in line.data:
        return Fault(line.number, "nul", line.data)
    try:
        return line.data.decode("utf-8")
    except UnicodeDecodeError:
        return Fault(line.number, "not_utf8", line.data)


def name_of(value: object) -> str | None:
    """Return a record's id or source as a string, or None if it cannot serve as one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        name = str(value).strip()
    except ValueError:  # an integer of over 4,300 digits
        return None
    return name if 0 < len(name) <= MAX_NAME_CHARS and encodable(name) else None


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold the text: it has no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
