"""What a card may say in public, and how it is put into Markdown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

SECRET = re.compile(r"(?<![A-Za-z0-9])(?:hf_|api_org_)[A-Za-z0-9]{16,}")
"""A Hub token; real ones have 34 letters and digits after the prefix."""

_FOLDERS = re.compile(r"(?<![\w./:~\\])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\,;|]+[/\\])+")
"""The folders of an absolute path: they tell a machine's layout and its user's name."""


def public(text: str) -> str:
    """Take out of a text what must never be published: tokens, and where things lie."""
    return _FOLDERS.sub("", SECRET.sub("[removed]", text))


def cell(value: object) -> str:
    """Write a value as one cell of a Markdown table."""
    return " ".join(public(str(value)).split()).replace("|", "\\|")


def table(
    rows: Iterable[Sequence[object]],
    head: Sequence[str] = ("", ""),
    numbers: Collection[int] = (),
) -> str:
    """Write a Markdown table; the columns `numbers` are set to the right."""
    marks = ["---:" if column in numbers else "---" for column in range(len(head))]
    cells = ([cell(value) for value in row] for row in (head, *rows))
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join(marks) + "|", *lines[1:]])


def short(sha256: str) -> str:
    """Return as much of a sum as tells two files apart."""
    return f"`{sha256[:12]}`"
