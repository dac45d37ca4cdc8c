"""Seed pieces: frequent substrings of words, and frequent rows of words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thaitok.trainer.arrays import Bytes, Flags, Floats, Ints, Longs, Rows

Hashes = npt.NDArray[np.uint64]

MARKS = frozenset(map(chr, (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F))))
"""Vowel and tone marks, which stand on the consonant before them."""
LEADING_VOWELS = frozenset("เแโใไ")
"""Vowels that are written before the consonant they follow in speech."""

STEP = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier of the rolling hash; each character has random 64 bits of its own."""


@dataclass(slots=True)
class Words:
    """Distinct words: their characters one after the other, and how often each one comes."""

    characters: npt.NDArray[np.uint32]
    starts: Longs
    counts: Floats

    @classmethod
    def of(cls, words: list[str], counts: Floats) -> Words:
        """Lay words out in arrays."""
        starts = np.zeros(len(words) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), out=starts[1:])
        text = "".join(words).encode("utf-32-le", "surrogatepass")
        return cls(np.frombuffer(text, np.uint32), starts, counts)

    def text(self, place: int, size: int) -> str:
        """Return `size` characters from a place."""
        return self.characters[place : place + size].tobytes().decode("utf-32-le", "surrogatepass")


@dataclass(slots=True)
class Seeds:
    """Candidate pieces: where one stands (a place and a length) and how often it comes."""

    places: Longs
    sizes: Ints
    counts: Floats
    rows: Rows
    """The lattice of all words over these pieces."""


def substrings(words: Words, longest: int, least: float, most: int) -> Seeds:
    """Return single characters and the `most` best substrings of words, and their lattice.

    A substring must come `least` times, be part of no longer one that comes as often, and cut
    no Thai letter cluster. Best by count times length.
    """
    code = random_bits(int(words.characters.max(initial=0)) + 1)[words.characters]
    lengths = np.diff(words.starts)
    room = np.repeat(words.starts[1:], lengths) - np.arange(len(code))
    weight = np.repeat(words.counts, lengths)
    whole = _clusters(words)
    places = np.arange(len(code))
    rolling = np.zeros(len(code), np.uint64)
    found: list[_Level] = []
    for size in range(1, longest + 1):
        fits = room[places] >= size
        places, rolling = places[fits], rolling[fits]
        rolling = rolling * STEP + code[places + size - 1]
        level, frequent = _count(places, rolling, weight, size, least)
        if found:
            _drop_parts(found[-1], level)
        found.append(level)
        places, rolling = places[frequent], rolling[frequent]
        if not len(places):
            break
    for level in found[1:]:
        level.alive &= whole[0][level.first] & whole[1][level.first + level.size - 1]
    return _chosen(words, found, most)


@dataclass(slots=True)
class _Level:
    """Distinct substrings of one length: first place and count, and the places of each."""

    size: int
    first: Longs
    counts: Floats
    alive: Flags
    places: Longs
    at: Ints
    """Which of them begins at each of `places`."""


def _count(
    places: Longs, rolling: Hashes, weight: Floats, size: int, least: float
) -> tuple[_Level, Flags]:
    _, first, which = np.unique(rolling, return_index=True, return_inverse=True)
    counts = summed(which, weight[places], len(first))
    enough = (counts >= least) | (size == 1)
    number = np.where(enough, np.cumsum(enough) - 1, -1)
    frequent = enough[which]
    level = _Level(
        size,
        places[first[enough]],
        counts[enough],
        np.ones(int(enough.sum()), bool),
        places[frequent],
        number[which[frequent]].astype(np.int32),
    )
    return level, frequent


def _drop_parts(shorter: _Level, longer: _Level) -> None:
    """Drop what is always part of one and the same substring a character longer."""
    if shorter.size == 1 or not len(longer.places):
        return
    count = longer.counts[longer.at]
    for shift in (0, 1):
        where = np.searchsorted(shorter.places, longer.places + shift)
        where = np.minimum(where, len(shorter.places) - 1)
        part = shorter.at[where]
        same = (shorter.places[where] == longer.places + shift) & (
            count >= shorter.counts[part] * (1 - 1e-9)
        )
        shorter.alive[part[same]] = False


def _clusters(words: Words) -> tuple[Flags, Flags]:
    """Return where a piece may begin and where it may end, by Thai letter clusters."""
    marks = np.array([ord(mark) for mark in MARKS], np.uint32)
    leading = np.array([ord(vowel) for vowel in LEADING_VOWELS], np.uint32)
    return ~np.isin(words.characters, marks), ~np.isin(words.characters, leading)


def summed(which: Ints | Longs, weight: Floats, many: int) -> Floats:
    """Return the sum of the weights of each number from 0 to `many`."""
    return np.bincount(which, weight, many).astype(np.float64, copy=False)


def random_bits(size: int) -> Hashes:
    """Return 64 random bits for each number below `size`, always the same."""
    return np.random.Generator(np.random.PCG64(0)).integers(0, 2**64 - 1, size, np.uint64)


def _chosen(words: Words, found: list[_Level], most: int) -> Seeds:
    """Keep the best, and lay out where each of them stands."""
    single = len(found[0].first)
    gain = np.concatenate([np.where(lv.alive, lv.counts * lv.size, -1.0) for lv in found])
    gain[:single] = np.inf
    order = np.argsort(-gain, kind="stable")[: single + most]
    order = order[gain[order] > 0]
    number = np.full(len(gain), -1, np.int32)
    number[order] = np.arange(len(order))
    first = np.concatenate([level.first for level in found])[order]
    sizes = np.concatenate([np.full(len(lv.first), lv.size, np.int32) for lv in found])[order]
    counts = np.concatenate([level.counts for level in found])[order]
    places, lengths, pieces, base = [], [], [], 0
    for level in found:
        piece = number[base + level.at]
        kept = piece >= 0
        places.append(level.places[kept])
        lengths.append(np.full(int(kept.sum()), level.size, np.uint8))
        pieces.append(piece[kept])
        base += len(level.first)
    rows = lay_out(words.starts, len(words.characters), places, lengths, pieces)
    return Seeds(first, sizes, counts, rows)


def lay_out(
    starts: Longs, total: int, places: list[Longs], lengths: list[Bytes], pieces: list[Ints]
) -> Rows:
    """Sort edges by the place they begin at."""
    place = np.concatenate(places) if places else np.zeros(0, np.int64)
    order = np.argsort(place, kind="stable")
    first = np.zeros(total + 1, np.int64)
    np.cumsum(np.bincount(place, minlength=total), out=first[1:])
    length = np.concatenate(lengths) if lengths else np.zeros(0, np.uint8)
    piece = np.concatenate(pieces) if pieces else np.zeros(0, np.int32)
    return Rows(starts, first, length[order], piece[order])
