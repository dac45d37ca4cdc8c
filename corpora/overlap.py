"""Which texts stand in which documents, judged by the n-grams that they share.

Not all n-grams are compared: of each `WINNOW` consecutive ones, the one with the smallest hash is
(winnowing; Schleimer, Wilkerson and Aiken, SIGMOD 2003). So two texts choose alike where they are
alike, and share a chosen n-gram wherever they share a run of n + WINNOW - 1 letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpora.letters import Places, Window
from corpora.ngrams import Codes, Hashes, gram_hashes

WINNOW = 16
"""N-grams of which one is chosen: 2 of 17 in all, 1.4 bytes a letter of the index."""
INSIDE = 0.8
"""Share of a document's chosen n-grams that are one text's if the document is a part of it."""
MAX_TABLE_BITS = 24
"""16 MB, for a million keys and more."""


@dataclass(frozen=True, slots=True)
class Grams:
    """Known n-grams by their hashes, and a table to rule out most others at once."""

    n: int
    keys: Hashes
    """The hashes, ascending."""
    table: NDArray[np.bool_]
    """Whether any key ends with these bits: of other hashes one in 16 passes, or fewer."""

    @classmethod
    def of(cls, n: int, keys: Hashes) -> Grams:
        """Index the keys."""
        bits = min((16 * len(keys)).bit_length(), MAX_TABLE_BITS)
        table = np.zeros(1 << bits, dtype=bool)
        table[_last_bits(keys, bits)] = True
        return cls(n, keys, table)

    def known(self, hashes: Hashes) -> tuple[Places, Places]:
        """Return which of the hashes are known, and which keys they are."""
        bits = len(self.table).bit_length() - 1
        maybe = np.flatnonzero(self.table.take(_last_bits(hashes, bits)))
        found = hashes.take(maybe)
        order = np.argsort(found)  # neighbours are looked up with what is in the cache
        maybe, found = maybe[order], found[order]
        keys = np.searchsorted(self.keys, found)
        keys[keys == len(self.keys)] = 0
        right = self.keys.take(keys) == found
        return maybe[right], keys[right]


def _last_bits(hashes: Hashes, bits: int) -> Places:
    # Not the first bits: those of chosen n-grams, the smallest of 16, are mostly 0.
    return (hashes & np.uint64((1 << bits) - 1)).view(np.int64)


def run_chars(n: int) -> int:
    """Return the letters of a run that has a chosen n-gram for certain."""
    return n + WINNOW - 1


def minima(hashes: Hashes) -> Hashes:
    """Return the smallest of each `WINNOW` consecutive hashes."""
    span = 1
    while span < WINNOW:
        hashes = np.minimum(hashes[:-span], hashes[span:])
        span *= 2
    return hashes


class Hits(NamedTuple):
    """Where known n-grams stand, and short lines or documents known as a whole: shape (hits,)."""

    document: Places
    key: Places
    first: Places
    """The line in which it begins."""
    last: Places
    """The line in which it ends."""


def hits_in(window: Window, grams: Grams, min_chars: int) -> tuple[Hits, Places]:
    """Find what is known in a window; also count the chosen n-grams of each of its documents."""
    n, run = grams.n, run_chars(grams.n)
    hashes = gram_hashes(window.letters, n)
    places, least, counts = _choose(window, hashes, run)
    found, key = grams.known(least)
    place = places[found]
    # Documents stand close together in a window; a run of two is of none.
    inside = _document(window, place) == _document(window, place + run - 1)
    place, key = place[inside], key[inside]
    place += np.argmin(hashes[place[:, None] + np.arange(WINNOW)], axis=1)
    spans = _short_spans(window, min_chars, run)
    short, short_key = grams.known(padded_hashes(window.letters, spans.begin, spans.end, run))
    key = np.concatenate([key, short_key])
    first = np.concatenate([window.line_of(place), spans.first[short]])
    last = np.concatenate([window.line_of(place + n - 1), spans.last[short]])
    number = window.number
    return Hits(window.document[first], key, number[first], number[last]), counts


def _document(window: Window, places: Places) -> Places:
    return window.document[window.line_of(places)]


def _choose(window: Window, hashes: Hashes, run: int) -> tuple[Places, Hashes, Places]:
    """Return where n-grams are chosen, which, and how many in each document of the window.

    The place is that of the first run in which the n-gram has the smallest hash.
    """
    least = minima(hashes)
    begins = window.starts[window.documents()]
    ends = np.append(begins[1:], len(window.letters))
    chosen = np.ones(len(least), dtype=bool)
    np.not_equal(least[1:], least[:-1], out=chosen[1:])
    chosen[begins[begins < len(least)]] = True
    places = np.flatnonzero(chosen)
    past = np.maximum(ends - run + 1, begins)
    counts = np.searchsorted(places, past) - np.searchsorted(places, begins)
    return places, least[places], counts


class Spans(NamedTuple):
    """Short lines, and documents of several lines that are short as a whole."""

    begin: Places
    end: Places
    first: Places
    """The row of its first line in the window."""
    last: Places


def _short_spans(window: Window, min_chars: int, run: int) -> Spans:
    lengths = window.lengths()
    line = np.flatnonzero((lengths >= min_chars) & (lengths < run) & window.whole)
    first = window.documents()
    last = np.append(first[1:], len(lengths)) - 1
    totals = np.add.reduceat(lengths, first)
    whole = window.whole[first] & window.whole[last] & (last > first)
    short = whole & (totals >= min_chars) & (totals < run)
    first, last = np.concatenate([line, first[short]]), np.concatenate([line, last[short]])
    begin = window.starts[first]
    return Spans(begin, begin + np.concatenate([lengths[line], totals[short]]), first, last)


def padded_hashes(letters: Codes, begin: Places, end: Places, size: int) -> Hashes:
    """Return the hashes of runs shorter than `size`, each filled up with code point 0."""
    if not len(begin):
        return np.empty(0, dtype=np.uint64)
    columns = begin[:, None] + np.arange(size)
    runs = letters.take(columns, mode="clip")
    runs[columns >= end[:, None]] = 0
    return gram_hashes(runs.ravel(), size)[::size]


class Texts(NamedTuple):
    """Which texts have which n-grams."""

    owners: NDArray[np.uint32]
    """The texts of each key, those of the first key first."""
    starts: NDArray[np.uint32]
    """Where in `owners` each key's begin, and the end."""
    grams: NDArray[np.uint32]
    """How many keys each text has."""


class Match(NamedTuple):
    """A text that stands in a document."""

    document: int
    text: int
    share: float
    """Of the text's n-grams."""
    lines: tuple[int, ...]


def judge(hits: Hits, texts: Texts, chosen: Places, share: float) -> Iterator[Match]:
    """Yield the texts that stand in documents, in order of both.

    `chosen` is the number of chosen n-grams in each document.
    """
    hit, text = _owned(hits, texts)
    document = hits.document[hit]
    # Most hits are phrases that many texts have: they are left out before all else, where all
    # hits of the document together would not be enough.
    all_hits = np.bincount(hits.document, minlength=len(chosen))[document]
    maybe = (all_hits >= share * texts.grams[text]) | (all_hits >= INSIDE * chosen[document])
    hit, text, document = hit[maybe], text[maybe], document[maybe]
    group = document * len(texts.grams) + text
    groups, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    document, text = np.divmod(groups, max(len(texts.grams), 1))
    needed, own = share * texts.grams[text], chosen[document]
    maybe = (counts >= needed) | ((counts >= INSIDE * own) & (own > 0))
    rows = np.flatnonzero(maybe[inverse])
    hit = hit[rows[np.argsort(inverse[rows], kind="stable")]]
    ends = np.cumsum(counts[maybe])
    for one, end in zip(np.flatnonzero(maybe).tolist(), ends.tolist(), strict=True):
        found = hit[end - counts[one] : end]
        distinct = len(np.unique(hits.key[found]))
        if distinct >= needed[one] or counts[one] >= INSIDE * own[one] > 0:
            part = distinct / int(texts.grams[text[one]])
            yield Match(int(document[one]), int(text[one]), part, _lines(hits, found))


def _owned(hits: Hits, texts: Texts) -> tuple[Places, Places]:
    """Return each hit once for each text that has its n-gram, and that text."""
    begins = texts.starts[hits.key].astype(np.int64)
    counts = texts.starts[hits.key + 1] - begins
    hit = np.repeat(np.arange(len(begins)), counts)
    within = np.arange(len(hit)) - np.repeat(np.cumsum(counts) - counts, counts)
    return hit, texts.owners[begins[hit] + within].astype(np.int64)


def _lines(hits: Hits, found: Places) -> tuple[int, ...]:
    spans = set(zip(hits.first[found].tolist(), hits.last[found].tolist(), strict=True))
    return tuple(sorted({line for first, last in spans for line in range(first, last + 1)}))
