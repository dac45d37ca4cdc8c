"""Rows of words: which of them may become one piece, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thaitok.trainer.arrays import Flags, Floats, Ints, Longs, Rows
from thaitok.trainer.counting import Counted
from thaitok.trainer.seeds import STEP, lay_out, random_bits, summed

MIX = np.uint64(0xC2B2AE3D27D4EB4F)
LONGEST_ROW = 64
"""Words of a row that is looked at as one."""


@dataclass(slots=True)
class Phrases:
    """Distinct rows of words, how often each comes, and the words that stand alone."""

    words: Ints
    starts: Longs
    counts: Floats
    alone: Floats
    """How often each word comes outside of these rows."""

    def cut(self, crossed: Flags) -> tuple[Phrases, Longs]:
        """Cut rows where nothing crosses, and count equal ones once.

        `crossed[i]` says whether something joins place i to the place before it. Returns also
        the old place of each new one. A row of one word is counted in `alone`.
        """
        begins = ~crossed
        begins[self.starts[:-1]] = True
        weight = np.repeat(self.counts, np.diff(self.starts))
        edges = np.flatnonzero(begins)
        edges = _capped(edges, len(self.words))
        sizes = np.diff(np.append(edges, len(self.words)))
        single = edges[sizes == 1]
        alone = self.alone + np.bincount(
            self.words[single], weight[single], minlength=len(self.alone)
        )
        rows, sizes = edges[sizes > 1], sizes[sizes > 1]
        first, counts = _distinct(self.words, rows, sizes, weight)
        rows, sizes = rows[first], sizes[first]
        places = _places(rows, sizes)
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes, out=starts[1:])
        return Phrases(self.words[places], starts, counts, alone), places


def _capped(edges: Longs, total: int) -> Longs:
    sizes = np.diff(np.append(edges, total))
    long = np.flatnonzero(sizes > LONGEST_ROW)
    if not len(long):
        return edges
    more = [
        np.arange(edges[row] + LONGEST_ROW, edges[row] + sizes[row], LONGEST_ROW) for row in long
    ]
    return np.sort(np.concatenate([edges, *more]))


def _distinct(words: Ints, rows: Longs, sizes: Longs, weight: Floats) -> tuple[Longs, Floats]:
    """Return the first of each set of equal rows, in order, and the sum of their weights."""
    if not len(rows):
        return np.zeros(0, np.int64), np.zeros(0)
    bits = random_bits(int(words.max(initial=0)) + 1)
    places = _places(rows, sizes)
    within = (np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)).astype(np.uint64)
    mixed = (bits[words[places]] ^ (within * STEP)) * (within * np.uint64(2) + np.uint64(1))
    mixed ^= mixed >> np.uint64(29)
    hashes = np.add.reduceat(mixed * STEP, np.cumsum(sizes) - sizes)
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    counts = summed(which, weight[rows], len(first))
    order = np.argsort(first)
    return first[order], counts[order]


def _places(rows: Longs, sizes: Longs) -> Longs:
    """Return the places of rows, one after the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    places: Longs = np.arange(total) + np.repeat(rows - (ends - sizes), sizes)
    return places


@dataclass(slots=True)
class Candidates:
    """Rows of words that may become pieces: a place, how many words, how often."""

    places: Longs
    sizes: Ints
    counts: Floats
    rows: Rows
    phrases: Phrases


@dataclass(frozen=True, slots=True)
class PhraseOptions:
    """What a row of words must be to become a candidate."""

    most_words: int
    longest: int
    """Characters."""
    least: float
    """How often it must come."""
    npmi: float
    """Normalised pointwise mutual information that it must have (0: any)."""


def find_candidates(
    counted: Counted, usable: Flags, letters: Ints, options: PhraseOptions
) -> Candidates:
    """Find rows of 2 to `most_words` usable words, a-priori: parts are as frequent as the whole.

    `usable` and `letters` (characters) are of words. Raises nothing: without any there are none.
    """
    total = float(counted.counts.sum())
    log_word = np.log(np.maximum(counted.counts, 1e-9) / max(total, 1.0))
    phrases = _frequent_rows(counted, usable, options.least)
    return _levels(phrases, log_word, total, letters, options)


PAIR_BUCKETS = 1 << 22
TOKENS_AT_ONCE = 1_000_000


def _frequent_rows(counted: Counted, usable: Flags, least: float) -> Phrases:
    """Cut phrases at words that are not usable and between words that seldom follow each other.

    Pairs are counted in buckets by hash, so that memory is bounded: a rare pair that shares its
    bucket with others stays, and goes when rows of two words are counted exactly.
    """
    parts = list(_parts(counted.starts))
    buckets = np.zeros(PAIR_BUCKETS)
    for first, last in parts:
        tokens, weight, _ = _part(counted, first, last)
        buckets += np.bincount(_bucket(tokens), weight[1:], PAIR_BUCKETS)
    usable = np.append(usable, False)  # -1, a word that is left out
    found = []
    for first, last in parts:
        tokens, weight, begins = _part(counted, first, last)
        crossed = np.zeros(len(tokens), bool)
        crossed[1:] = buckets[_bucket(tokens)] >= least
        crossed[1:] &= usable[tokens[1:]] & usable[tokens[:-1]]
        crossed[begins] = False
        known = tokens >= 0
        tokens, weight, crossed = tokens[known], weight[known], crossed[known]
        starts = np.append(np.flatnonzero(~crossed), len(tokens))
        alone = np.zeros(len(counted.counts))
        found.append(Phrases(tokens, starts, weight[~crossed], alone).cut(crossed)[0])
    return _united(found)


def _parts(starts: Longs) -> Iterator[tuple[int, int]]:
    """Divide phrases so that each part has about a million words."""
    edges = np.searchsorted(starts, np.arange(0, int(starts[-1]), TOKENS_AT_ONCE))
    yield from pairwise(np.unique(np.append(edges, len(starts) - 1)).tolist())


def _part(counted: Counted, first: int, last: int) -> tuple[Ints, Floats, Longs]:
    """Return the words of some phrases, the weight of each, and where phrases begin."""
    starts = counted.starts[first : last + 1]
    tokens = counted.tokens[starts[0] : starts[-1]]
    weight = np.repeat(counted.phrase_counts[first:last], np.diff(starts))
    return tokens, weight, starts[:-1] - starts[0]


def _bucket(tokens: Ints) -> Longs:
    """Return the bucket of each two neighbours."""
    codes = tokens.astype(np.uint64)
    mixed = (codes[:-1] * STEP ^ codes[1:]) * MIX
    return ((mixed ^ mixed >> np.uint64(29)) * STEP >> np.uint64(42)).astype(np.int64)


def _united(parts: Sequence[Phrases]) -> Phrases:
    """Put parts together, and count equal rows once."""
    sizes = np.concatenate([np.diff(part.starts) for part in parts])
    words = np.concatenate([part.words for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    alone = np.asarray(sum(part.alone for part in parts))
    starts = np.append(0, np.cumsum(sizes))
    crossed = np.ones(len(words), bool)
    crossed[starts[:-1]] = False
    return Phrases(words, starts, counts, alone).cut(crossed)[0]


def _levels(
    phrases: Phrases, log_word: Floats, total: float, letters: Ints, options: PhraseOptions
) -> Candidates:
    """Count rows of two words, then of three, and so on, and keep those that cohere."""
    words = phrases.words
    row = np.repeat(np.arange(len(phrases.counts)), np.diff(phrases.starts))
    size_of = letters[words]
    places = np.arange(len(words))
    level = words.astype(np.int64)
    chars = size_of.astype(np.int64)
    chance = log_word[words]
    found: list[tuple[Longs, Ints, Floats]] = []
    edges: tuple[list[Longs], list[np.ndarray], list[Ints]] = ([], [], [])
    base = 0
    for many in range(2, options.most_words + 1):
        places = places[places + many - 1 < len(words)]
        after = places + 1
        places = places[
            (level[after] >= 0)
            & (row[places] == row[places + many - 1])
            & (chars[places] + size_of[places + many - 1] <= options.longest)
        ]
        if not len(places):
            break
        chars[places] += size_of[places + many - 1]
        chance[places] += log_word[words[places + many - 1]]
        which, often, first, counts = _often_of(
            _joined(level[places], level[places + 1]), phrases.counts[row[places]], options.least
        )
        places, which, first = places[often], which[often], places[first]
        level = np.full(len(words), -1, np.int64)
        level[places] = which
        log_row = np.log(counts / total)
        npmi = (log_row - chance[first]) / (np.maximum(-log_row, 1e-9) * (many - 1))
        kept = npmi >= options.npmi if options.npmi > 0 else np.ones(len(first), bool)
        number = np.where(kept, base + np.cumsum(kept) - 1, -1).astype(np.int32)
        here = number[which] >= 0
        edges[0].append(places[here])
        edges[1].append(np.full(int(here.sum()), many, np.uint8))
        edges[2].append(number[which[here]])
        found.append((first[kept], np.full(int(kept.sum()), many, np.int32), counts[kept]))
        base += int(kept.sum())
    rows = lay_out(phrases.starts, len(words), *edges)
    return Candidates(
        np.concatenate([one[0] for one in found]) if found else np.zeros(0, np.int64),
        np.concatenate([one[1] for one in found]) if found else np.zeros(0, np.int32),
        np.concatenate([one[2] for one in found]) if found else np.zeros(0),
        rows,
        phrases,
    )


def _joined(left: Longs, right: Longs) -> Longs:
    """Return one number for each pair."""
    return (left.astype(np.int64) << 32) | right.astype(np.int64)


def _often_of(keys: Longs, weight: Floats, least: float) -> tuple[Ints, Flags, Longs, Floats]:
    """Give a number to each key that comes often.

    Returns the number at each place and whether it has one, and of each number the first place
    and the count.
    """
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    counts = summed(which, weight, len(first))
    enough = counts >= least
    number = (np.cumsum(enough) - 1).astype(np.int32)
    return number[which], enough[which], first[enough], counts[enough]
