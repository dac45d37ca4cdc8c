"""Word-per-line formats: columns as in CoNLL and LST20, CoNLL-U, and words between bars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from finetune.data.lines import Line, text_lines
from thaitok.errors import UserError

Rows = Iterator[tuple[str, Mapping[str, Any]]]

BLANKS = re.compile(" +")
"""What parts columns without tabs; a no-break space may be within a word."""

MARKUP = re.compile(r"</?(?:NE|AB|POEM)>")
"""What BEST writes around names, abbreviations and poems."""


def _blocks(file: Path) -> Iterator[list[Line]]:
    """Yield the lines between blank lines."""
    block: list[Line] = []
    for where, line in text_lines(file):
        line = line.rstrip("\r\n")
        if line.strip(" "):
            block.append((where, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def column_rows(file: Path) -> Rows:
    """Read a word a line with its tags, parted by tabs, or by spaces where there is no tab.

    A row has its columns by number, from "0" on, and under the names tokens (the first), tags
    (the last) and layers (all but the first).
    """
    for block in _blocks(file):
        lines = [one for one in block if not one[1].startswith("-DOCSTART-")]
        cells = [
            line.split("\t") if "\t" in line else BLANKS.split(line.strip(" ")) for _, line in lines
        ]
        if not cells:
            continue
        for (where, _), found in zip(lines, cells, strict=True):
            if len(found) != len(cells[0]) or len(found) < 2:
                raise UserError(
                    f"{len(found)} columns where {max(2, len(cells[0]))} are needed", where=where
                )
        columns = [list(column) for column in zip(*cells, strict=True)]
        named = {str(number): column for number, column in enumerate(columns)}
        yield (
            lines[0][0],
            {"tokens": columns[0], "tags": columns[-1], "layers": columns[1:], **named},
        )


def conllu_rows(file: Path) -> Rows:
    """Read CoNLL-U (universaldependencies.org/format): words, upos, xpos, and what rebuilds text.

    Ranges of a token in several words and empty nodes are passed over.
    """
    for block in _blocks(file):
        words = [(where, line.split("\t")) for where, line in block if not line.startswith("#")]
        for where, cells in words:
            if len(cells) != 10:
                raise UserError(f"{len(cells)} columns where CoNLL-U has 10", where=where)
        plain = [cells for _, cells in words if cells[0].isdecimal()]
        if plain:
            yield block[0][0], _conllu_row(plain)


def _conllu_row(cells: Sequence[Sequence[str]]) -> dict[str, Any]:
    spaces = ["SpaceAfter=No" not in found[9].split("|") for found in cells]
    upos = [found[3] for found in cells]
    return {
        "tokens": [found[1] for found in cells],
        "tags": upos,
        "upos": upos,
        "xpos": [found[4] for found in cells],
        "space_after": [*spaces[:-1], False],
    }


def word_rows(file: Path) -> Rows:
    """Read a sentence a line, its words between bars, as BEST has them."""
    for where, line in text_lines(file):
        words = [word for word in MARKUP.sub("", line.strip("\r\n")).split("|") if word]
        if "".join(words).strip():
            yield where, {"tokens": words}
