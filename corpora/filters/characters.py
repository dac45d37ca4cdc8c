"""What kind of character stands where: many documents looked at as one array, by numpy."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpora.ngrams import BLOCK_CHARS, code_points

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


class Kind(IntEnum):
    """Kinds of characters that the filters tell apart; there is room for 16."""

    OTHER = 0
    SPACE = 1
    THAI_LETTER = 2
    TONE = 3
    THAI_MARK = 4
    PALI_MARK = 5  # phinthu and nikhahit, which Thai itself hardly uses
    LETTER = 6
    NEAR_LETTER = 7
    NEAR_MARK = 8
    DIGIT = 9
    PUNCTUATION = 10
    SYMBOL = 11
    REPLACEMENT = 12
    MARK = 13


KINDS = 16
THAI_KINDS = (Kind.THAI_LETTER, Kind.TONE, Kind.THAI_MARK, Kind.PALI_MARK)
"""Kinds that count as a Thai letter, marks included: letters to a reader, not to Unicode."""
LETTER_KINDS = (*THAI_KINDS, Kind.LETTER, Kind.NEAR_LETTER, Kind.NEAR_MARK, Kind.MARK)

THAI_MARKS = (*range(0x0E31, 0x0E3B), *range(0x0E47, 0x0E4F))
"""Thai vowels, tones and signs above and below a letter; sara aa and sara am among them."""
TONES = range(0x0E48, 0x0E4C)
PALI_MARKS = (0x0E3A, 0x0E4D)
NEAR_SCRIPTS = (
    range(0x0E80, 0x0F00),  # Lao
    range(0x1000, 0x10A0),  # Burmese, Shan, Mon, Karen
    range(0x1780, 0x1800),  # Khmer
    range(0x1950, 0x19E0),  # Tai Le, New Tai Lue
    range(0x1A20, 0x1AB0),  # Tai Tham
    range(0xA9E0, 0xAA00),  # Burmese, extended
    range(0xAA00, 0xAAE0),  # Cham, Burmese, Tai Viet
)
"""Unicode blocks of the scripts of Thailand's neighbours."""

_LETTERS_END = 0x40000
"""No letter, digit or sign lies beyond, so that only a quarter of Unicode need be asked."""
_GROUPS = {
    "L": Kind.LETTER,
    "M": Kind.MARK,
    "N": Kind.DIGIT,
    "P": Kind.PUNCTUATION,
    "S": Kind.SYMBOL,
    "Z": Kind.SPACE,
}


LONG_PIECES = 500
"""Mean length of pieces from which counting them one by one is faster, by a third."""


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces of documents side by side, each followed by a line feed.

    `symbols` gives each character as a byte: ASCII in lower case, Thai from 0x80, everything
    else as 0xE0 + its kind. Piece i is `symbols[starts[i]:ends[i]]`, of document `owners[i]`.
    """

    symbols: Bytes
    starts: Ints
    ends: Ints
    owners: Ints

    def owners_at(self, places: Ints) -> Ints:
        """Return which document each place in `symbols` belongs to."""
        return self.owners[np.searchsorted(self.starts, places, side="right") - 1]

    def kinds(self) -> Bytes:
        """Return the kind of each character."""
        kinds, _ = symbol_tables()
        # bytes.translate takes a third of the time of indexing
        return np.frombuffer(self.symbols.tobytes().translate(kinds), dtype=np.uint8)


def blocks(texts: Sequence[str]) -> Iterator[Block]:
    """Yield the texts in blocks of at most `BLOCK_CHARS` characters, longer ones in pieces."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    first = 0
    while first < len(texts):
        before = ends[first - 1] if first else 0
        after = int(np.searchsorted(ends, before + BLOCK_CHARS + 1, side="right"))
        if after > first:
            yield _block(texts[first:after], np.arange(first, after))
        else:
            after = first + 1
            for start in range(0, len(texts[first]), BLOCK_CHARS):
                piece = texts[first][start : start + BLOCK_CHARS]
                yield _block([piece], np.array([first]))
        first = after


def _block(pieces: Sequence[str], owners: Ints) -> Block:
    _, symbols = symbol_tables()
    points = code_points("\n".join(pieces) + "\n")
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    ends = np.cumsum(lengths + 1) - 1
    return Block(symbols.take(points), ends - lengths, ends, owners)


def tally(block: Block, kinds: Bytes) -> Ints:
    """Count the characters of each kind, shape (pieces, KINDS)."""
    pieces = len(block.starts)
    if len(kinds) > LONG_PIECES * pieces:
        each = zip(block.starts.tolist(), block.ends.tolist(), strict=True)
        return np.stack([np.bincount(kinds[start:end], minlength=KINDS) for start, end in each])
    keys = np.repeat(np.arange(pieces) * KINDS, block.ends - block.starts + 1)
    counts = np.bincount(keys + kinds, minlength=pieces * KINDS).reshape(pieces, KINDS)
    counts[:, Kind.SPACE] -= 1  # the line feed after each piece
    return counts


def orphan_marks(block: Block, kinds: Bytes) -> Ints:
    """Return the places of Thai marks that follow neither a Thai letter nor a mark."""
    # unsigned: kinds below the range wrap around to large numbers
    mark = (kinds - np.uint8(Kind.TONE)) <= Kind.PALI_MARK - Kind.TONE
    base = (kinds - np.uint8(Kind.THAI_LETTER)) <= Kind.PALI_MARK - Kind.THAI_LETTER
    mark[1:] &= ~base[:-1]
    return np.flatnonzero(mark)


@cache
def symbol_tables() -> tuple[bytes, Bytes]:
    """Return each symbol's kind, 256 bytes, and each code point's symbol, shape (0x110000,)."""
    of_points = np.zeros(0x110000, dtype=np.uint8)
    of_points[:_LETTERS_END] = _kinds()
    symbols = of_points + np.uint8(0xE0)
    symbols[:0x80] = list("".join(map(chr, range(0x80))).lower().encode())
    symbols[0x0E00:0x0E60] = np.arange(0x80, 0xE0)
    of_symbols = bytearray(256)
    of_symbols[:0x80] = of_points[:0x80].tobytes()
    of_symbols[0x80:0xE0] = of_points[0x0E00:0x0E60].tobytes()
    of_symbols[0xE0 : 0xE0 + KINDS] = bytes(range(KINDS))
    return bytes(of_symbols), symbols


def _kinds() -> Bytes:
    """Return each code point's kind, shape (`_LETTERS_END`,)."""
    # Asking each character for its kind in Python took 0.65 s at the start of every worker.
    named = "".join(map(unicodedata.category, map(chr, range(_LETTERS_END))))
    groups = np.frombuffer(named.encode("ascii"), dtype=np.uint8)[::2]
    of_groups = np.full(256, Kind.OTHER, dtype=np.uint8)
    of_groups[[ord(group) for group in _GROUPS]] = list(_GROUPS.values())
    kinds = of_groups[groups]
    kinds[[0x09, 0x0A, 0x0D]] = Kind.SPACE
    kinds[0xFFFD] = Kind.REPLACEMENT
    for script in (slice(near.start, near.stop) for near in NEAR_SCRIPTS):
        kinds[script] = _renamed(kinds[script], Kind.NEAR_LETTER, Kind.NEAR_MARK)
    thai = slice(0x0E00, 0x0E80)
    kinds[thai] = _renamed(kinds[thai], Kind.THAI_LETTER, Kind.THAI_MARK)
    kinds[list(TONES)] = Kind.TONE
    kinds[list(PALI_MARKS)] = Kind.PALI_MARK
    return kinds


def _renamed(kinds: Bytes, letter: Kind, mark: Kind) -> Bytes:
    names = np.arange(KINDS, dtype=np.uint8)
    names[[Kind.LETTER, Kind.MARK]] = letter, mark
    return names[kinds]
