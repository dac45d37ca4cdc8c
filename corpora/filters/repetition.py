"""Repetition by FineWeb-2's measure over words, asked only of texts that a screening suspects.

Cutting words and counting their n-grams costs 450 ms a MB, forty times all other filters
together. So the share of character 12-grams that stand in a text more than once is taken first
(3 ms a MB), then, of what it does not clear, the share of characters that lie in repeated
24-grams.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpora.filters.characters import Block, Ints
from corpora.filters.thresholds import FilterConfig
from corpora.ngrams import BLOCK_CHARS, code_points, gram_hashes
from thaitok.words import segment

Hashes = NDArray[np.uint64]

GRAM = 12
"""Characters of a gram in the first screening."""
LONG_GRAM = 24
"""Characters of a gram in the second: eight Thai words, from which on the thresholds on repeated
n-grams are lowest, have more."""
CLEARED = 0.9
"""What a screening clears measures less than this part of the lowest threshold on n-grams."""
_PLACES = np.uint64((1 << 24) - 1)
LEAST_SLACK = 2.0
"""Slack under which nothing is screened: there short words may exceed a threshold, which have
no gram of this length."""


def suspects(repeats: Ints, grams: Ints, filters: FilterConfig) -> NDArray[np.bool_]:
    """Judge from counts of `repeated_grams` which documents need a closer look."""
    if filters.ngram_slack < LEAST_SLACK:
        return grams > 0
    return repeats > cleared(filters) * grams


def cleared(filters: FilterConfig) -> float:
    """Return the share up to which a screening clears a text."""
    limits = (*filters.max_duplicate_ngrams, *filters.max_top_ngrams)
    return CLEARED * filters.ngram_slack * min(limits, default=1.0)


def repeated_grams(block: Block, quads: NDArray[np.uint32], least: int) -> tuple[Ints, Ints]:
    """Count the grams of each piece that stand in it before, and all its grams.

    Shapes (pieces,) both; pieces under `least` characters count as having none. `quads` are
    the block's symbols in fours.
    """
    repeats, grams = np.zeros((2, len(block.starts)), dtype=np.int64)
    lengths = block.ends - block.starts
    long = np.flatnonzero(lengths >= max(least, GRAM))
    if not len(long):
        return repeats, grams
    hashes = _gram_hashes(quads)
    for piece in long.tolist():
        ordered = np.sort(hashes[block.starts[piece] : block.ends[piece] - GRAM + 1])
        repeats[piece] = np.count_nonzero(ordered[1:] == ordered[:-1])
    grams[long] = lengths[long] - GRAM + 1
    return repeats, grams


def repeats_lines(text: str, filters: FilterConfig) -> bool:
    """Judge the lines that equal one before: their share of the lines and of the characters."""
    lines = [line for line in text.split("\n") if line]
    distinct = set(lines)
    if len(lines) < filters.min_lines:
        return False
    if len(lines) - len(distinct) <= filters.max_duplicate_lines * len(lines):
        return False
    chars = sum(map(len, lines)) - sum(map(len, distinct))
    return chars > filters.max_duplicate_line_chars * len(text)


def repeats_words(text: str, filters: FilterConfig) -> bool:
    """Judge the n-grams of a text's words, if the second screening does not clear it."""
    if filters.ngram_slack >= LEAST_SLACK and covered(text) <= cleared(filters):
        return False
    words = [word for phrase in text.split() for word in segment(phrase)]
    return exceeds(words, len(text), filters)


def covered(text: str) -> float:
    """Return the share of characters that lie in a long gram which stands in the text before."""
    chars = 0
    codes = code_points(text)
    for start in range(0, len(codes), BLOCK_CHARS):
        hashes = gram_hashes(codes[start : start + BLOCK_CHARS], LONG_GRAM)
        places = np.arange(len(hashes), dtype=np.uint64)
        # The place below 40 bits of the hash, so that sorting keeps both: argsort takes seven
        # times longer.
        ordered = np.sort((hashes & ~_PLACES) | places)
        again = ordered[1:][(ordered[1:] ^ ordered[:-1]) <= _PLACES]
        chars += _union((again & _PLACES).astype(np.int64), LONG_GRAM)
    return chars / max(len(text), 1)


def exceeds(words: Sequence[str], chars: int, filters: FilterConfig) -> bool:
    """Judge the most frequent and the repeated n-grams of the words of a text of `chars`."""
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(word, len(known)) for word in words], dtype=np.uint64)
    ends = np.cumsum([0, *map(len, words)])
    hashes = numbers
    top = dict(enumerate(filters.max_top_ngrams, 2))
    said = dict(enumerate(filters.max_duplicate_ngrams, 5))
    for n in range(2, min(max((*top, *said)), len(words)) + 1):
        hashes = hashes[:-1] * np.uint64(0x9E3779B97F4A7C15) + numbers[n - 1 :]
        hashes ^= hashes >> np.uint64(29)
        lengths = ends[n:] - ends[:-n]
        limit = chars * filters.ngram_slack
        if n in top and top_ngram_chars(hashes, lengths, n) > top[n] * limit:
            return True
        if n in said and said_before_chars(hashes, lengths, n) > said[n] * limit:
            return True
    return False


def top_ngram_chars(hashes: Hashes, lengths: Ints, n: int) -> int:
    """Return how many characters the most frequent n-gram takes, its words parted by spaces.

    Of equally frequent ones the first, as datatrove's `find_top_duplicate` has it.
    """
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    most = counts.max()
    length = lengths[first[counts == most].min()]
    return int(most * (length + n - 1))


def said_before_chars(hashes: Hashes, lengths: Ints, n: int) -> int:
    """Return how many characters lie in n-grams said before, none counted twice.

    As datatrove's `find_all_duplicate` has it: after a repeated n-gram the next one starts
    behind it, after a new one with the next word.
    """
    seen: set[int] = set()
    chars = place = 0
    each, sizes = hashes.tolist(), lengths.tolist()
    while place < len(each):
        if each[place] in seen:
            chars += sizes[place]
            place += n
        else:
            seen.add(each[place])
            place += 1
    return chars


def fours(symbols: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return each run of four symbols as a number, shape (len(symbols) - 3,)."""
    wide = symbols.astype(np.uint32)
    twos = wide[:-1] | (wide[1:] << np.uint32(8))
    quads: NDArray[np.uint32] = twos[:-2] | (twos[2:] << np.uint32(16))
    return quads


def _gram_hashes(quads: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hash each run of `GRAM` symbols from three runs of four."""
    hashes = quads[:-8] * np.uint32(0x9E3779B1)
    hashes += quads[4:-4] * np.uint32(0x85EBCA77)
    hashes ^= hashes >> np.uint32(15)
    hashes += quads[8:] * np.uint32(0xC2B2AE3D)
    return hashes


def _union(starts: Ints, length: int) -> int:
    """Return how many places lie in any of the stretches of a length that begin at `starts`."""
    gaps = np.diff(np.sort(starts))
    return int(np.minimum(gaps, length).sum()) + (length if len(starts) else 0)
