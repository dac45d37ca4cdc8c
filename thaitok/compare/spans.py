"""Where tokens lie: in bytes of the text's UTF-8, so that a part of a character has a place too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Block:
    """Texts laid end to end; a position is a byte of their UTF-8, between characters or in one.

    Bytes and not characters, since a byte-level token may end inside a character: with positions
    in characters its edge would pass for a word boundary.
    """

    texts: tuple[str, ...]
    bases: Ints
    """(texts + 1,) where each text begins, and the end."""
    characters: Ints
    """(characters + 1,) where each character begins, and the end."""
    firsts: Ints
    """(texts + 1,) the number of each text's first character, and of all characters."""
    closed: Bools
    """(bytes + 1,) beside white space, seen or not, or at an edge of a text: nobody is judged
    there."""

    @property
    def size(self) -> int:
        """Bytes of all texts."""
        return int(self.bases[-1])

    def at(self, text: Ints, character: Ints) -> Ints:
        """Return the positions of characters, counted in their texts; both arrays are (n,)."""
        found: Ints = self.characters[self.firsts[text] + character]
        return found

    def inside_character(self, positions: Ints) -> Bools:
        """Say which positions are not between two characters."""
        where = np.searchsorted(self.characters, positions)
        found: Bools = self.characters[np.minimum(where, len(self.characters) - 1)] != positions
        return found


def block_of(texts: Sequence[str]) -> Block:
    """Lay texts end to end. A lone surrogate has no UTF-8: `UnicodeEncodeError`."""
    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    widths = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
    characters = _edges(widths)
    firsts = _edges(np.fromiter(map(len, texts), np.int64, len(texts)))
    bases = characters[firsts]
    space = np.repeat(np.isin(points, _white_space()), widths)
    closed = np.zeros(len(space) + 1, np.bool_)
    closed[:-1] |= space
    closed[1:] |= space
    closed[bases] = True
    return Block(tuple(texts), bases, characters, firsts, closed)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a block, in order; no two overlap, and some may be empty or leave gaps."""

    ids: Ints
    starts: Ints
    ends: Ints
    """(tokens,) each, positions in the block."""
    bounds: Ints
    """(texts + 1,) the number of each text's first token, and of all tokens."""

    @property
    def texts(self) -> Ints:
        """(tokens,) the number of each token's text."""
        return np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))

    def around(self, positions: Ints) -> Ints:
        """Return the number of the token that each position lies strictly inside, or -1."""
        if not len(self.ids):
            return np.full(len(positions), -1, np.int64)
        before = np.searchsorted(self.starts, positions, "left") - 1
        inside = (before >= 0) & (self.ends[before] > positions)
        return np.where(inside, before, -1)


def place_tokens(
    block: Block,
    ids: Sequence[Sequence[int]],
    offsets: Sequence[Sequence[tuple[int, int]]],
    *,
    in_bytes: bool,
    prefix: int | None = None,
) -> Tokens:
    """Place tokens by their libraries' offsets, counted in each text in characters or bytes.

    `prefix` is the id of a bare word-begin mark (SentencePiece's): put before a text that has no
    space there, it covers nothing.
    """
    bounds = _edges(np.fromiter(map(len, ids), np.int64, len(ids)))
    number = int(bounds[-1])
    flat = np.fromiter(chain.from_iterable(ids), np.int64, number)
    pairs = chain.from_iterable(chain.from_iterable(offsets))
    spans = np.fromiter(pairs, np.int64, 2 * number).reshape(number, 2)
    text = np.repeat(np.arange(len(ids)), np.diff(bounds))
    if in_bytes:
        starts, ends = (block.bases[text] + spans[:, side] for side in (0, 1))
    else:
        starts, ends = (block.at(text, spans[:, side]) for side in (0, 1))
    marks = _bare_prefixes(flat, starts, text, prefix)
    return Tokens(flat, *_share_out(starts, np.where(marks, starts, ends), text, marks), bounds)


def place_bytes(block: Block, ids: Sequence[Sequence[int]], lengths: Ints) -> Tokens:
    """Place tokens that spell the text's bytes one after the other; `lengths` go by id."""
    bounds = _edges(np.fromiter(map(len, ids), np.int64, len(ids)))
    flat = np.fromiter(chain.from_iterable(ids), np.int64, int(bounds[-1]))
    edges = _edges(lengths[flat])
    if edges[-1] != block.size:
        raise ValueError("the tokens do not spell the text")
    return Tokens(flat, edges[:-1], edges[1:], bounds)


def _bare_prefixes(ids: Ints, starts: Ints, text: Ints, prefix: int | None) -> Bools:
    """Say which tokens are a mark before a text whose first character the next token has."""
    marks = np.zeros(len(ids), np.bool_)
    if prefix is not None and len(ids) > 1:
        leads = np.append(True, text[1:] != text[:-1])[:-1] & (text[1:] == text[:-1])
        marks[:-1] = leads & (ids[:-1] == prefix) & (starts[1:] == starts[:-1])
    return marks


def _share_out(starts: Ints, ends: Ints, text: Ints, marks: Bools) -> tuple[Ints, Ints]:
    """Give each of several tokens that lie in one character a byte of it.

    Byte tokens, and the letters that NFKC makes of one (sara am, a trademark sign), come from
    `tokenizers` with one and the same span and from SentencePiece as empty spans before the last.
    """
    if not len(starts):
        return starts, ends
    same = text[1:] == text[:-1]
    empty = (ends[:-1] == starts[:-1]) & (starts[1:] == starts[:-1]) & ~marks[:-1]
    shared = np.append(False, same & ((starts[1:] < ends[:-1]) | empty))
    new = np.append(True, starts[1:] != starts[:-1]) | ~shared
    first = np.maximum.accumulate(np.where(new, np.arange(len(starts)), 0))
    rank = np.arange(len(starts)) - first + shared[first]
    groups = np.flatnonzero(new)
    reach = np.repeat(np.maximum.reduceat(ends, groups), np.diff(groups, append=len(ends)))
    last = np.maximum(reach, np.append(0, ends[:-1])) - 1
    starts = np.where(shared, np.maximum(np.minimum(starts + rank, last), starts), starts)
    starts = np.maximum.accumulate(starts)
    ends = np.maximum(ends, starts)
    ends[:-1] = np.where(shared[1:], starts[1:], np.minimum(ends[:-1], starts[1:]))
    return starts, ends


def _edges(lengths: Ints) -> Ints:
    return np.append(0, np.cumsum(lengths)).astype(np.int64)


@cache
def _white_space() -> Ints:
    """Return the code points of white space and of what is not seen (zero-width spaces, BOM).

    The latter part words as well: some normalisers make spaces of them, some drop them.
    """
    marks = map(chr, range(sys.maxunicode + 1))
    return np.array([ord(ch) for ch in marks if ch.isspace() or category(ch) == "Cf"])
