"""The letters of documents without their layout, and where the lines of a document begin in them.

Letters are letters, marks and digits, in one case, Thai digits as Arabic ones; white space,
punctuation, symbols and emoji are left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpora.ngrams import Codes, code_points

Places = NDArray[np.int64]

WINDOW_CHARS = 1 << 17
"""Characters looked at together: with 1 << 20 the arrays leave the processor's cache, and hashing
n-grams takes three times as long."""
_FOLDED = 0x20000
"""Code points folded one by one; all above (rare Han) are taken for one letter."""
_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Window:
    """The letters of some whole documents, or of a piece of one long document."""

    letters: Codes
    starts: Places
    """Place in `letters` at which each line begins; an empty line begins where the next does."""
    document: Places
    """The document of each line."""
    number: Places
    """The number of each line in its document, from 0."""
    whole: NDArray[np.bool_]
    """Whether a line is here from end to end."""

    def lengths(self) -> Places:
        """Return how many letters each line has here."""
        return np.diff(self.starts, append=len(self.letters))

    def documents(self) -> Places:
        """Return the row of the line with which each document begins here."""
        return np.flatnonzero(np.diff(self.document, prepend=-1))

    def line_of(self, places: Places) -> Places:
        """Return the row of the line in which a letter stands."""
        rows: Places = np.searchsorted(self.starts, places, side="right") - 1
        return rows


def letters_of(text: str) -> Codes:
    """Return the letters of a text as code points."""
    folded: Codes = _folding().take(code_points(text), mode="clip")
    letters: Codes = folded[folded != 0]
    return letters


def windows(texts: Sequence[str], overlap: int) -> Iterator[Window]:
    """Yield the letters of documents in windows of at most `WINDOW_CHARS` characters.

    A longer document comes in pieces, cut at line ends where it has any; each begins with the
    last `overlap` letters of the one before.
    """
    held: list[str] = []
    size = first = 0
    for number, text in enumerate(texts):
        if held and size + len(text) > WINDOW_CHARS:
            yield _of_documents(held, first)
            held, size = [], 0
        if len(text) > WINDOW_CHARS:
            yield from _pieces(text, number, overlap)
            continue
        first = first if held else number
        held.append(text)
        size += len(text) + 1
    if held:
        yield _of_documents(held, first)


def _of_documents(texts: Sequence[str], first: int) -> Window:
    letters, starts, begins = _split("\n".join(texts))
    # Where each document begins in the joined text; no two begin together, each has a line end.
    places = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    document = np.searchsorted(places, begins, side="right") - 1
    number = np.arange(len(begins)) - np.searchsorted(begins, places)[document]
    return Window(letters, starts, document + first, number, np.ones(len(begins), dtype=bool))


def _pieces(text: str, document: int, overlap: int) -> Iterator[Window]:
    start = line = 0
    before: tuple[Codes, Places, Places] | None = None
    while start < len(text):
        end = min(start + WINDOW_CHARS, len(text))
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        letters, starts, begins = _split(text[start:end])
        number = line + np.arange(len(begins))
        whole = np.ones(len(begins), dtype=bool)
        whole[0] = start == 0 or text[start - 1] == "\n"
        whole[-1] &= end == len(text) or text[end - 1] == "\n"
        start, line = end, int(number[-1])
        if before is not None:
            starts = np.concatenate([before[1], starts + len(before[0])])
            letters = np.concatenate([before[0], letters])
            number = np.concatenate([before[2], number])
            whole = np.concatenate([np.zeros(len(before[1]), dtype=bool), whole])
        yield Window(letters, starts, np.full(len(starts), document), number, whole)
        before = _tail(letters, starts, number, overlap)


def _tail(
    letters: Codes, starts: Places, number: Places, overlap: int
) -> tuple[Codes, Places, Places]:
    """Return the last letters of a piece with their lines, to stand before the next piece."""
    begin = max(len(letters) - overlap, 0)
    row = max(int(np.searchsorted(starts, begin, side="right")) - 1, 0)
    return letters[begin:], np.maximum(starts[row:] - begin, 0), number[row:]


def _split(text: str) -> tuple[Codes, Places, Places]:
    """Return a text's letters, and where each line begins in them and in the text."""
    codes = code_points(text)
    folded = _folding().take(codes, mode="clip")
    kept = np.zeros(len(codes) + 1, dtype=bool)  # one more, for an empty line at the end
    np.not_equal(folded, 0, out=kept[:-1])
    begins = np.concatenate([[0], np.flatnonzero(codes == _NEWLINE) + 1])
    counts = np.add.reduceat(kept.view(np.uint8), begins, dtype=np.int64)
    return folded[kept[:-1]], np.cumsum(counts) - counts, begins


@cache
def _folding() -> Codes:
    """Return what each code point counts as, 0 for nothing. Built in 0.1 s, once a process."""
    folded = np.zeros(_FOLDED + 1, dtype=np.uint32)
    for code in range(_FOLDED + 1):
        letter = chr(code)
        if unicodedata.category(letter)[0] in "LMN":
            lower = letter.lower()
            digit = unicodedata.digit(letter, None) if letter.isdecimal() else None
            folded[code] = ord(lower) if len(lower) == 1 else code
            if digit is not None:
                folded[code] = ord("0") + digit
    return folded
