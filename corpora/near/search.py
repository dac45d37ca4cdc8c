"""Which documents repeat an earlier one: locality-sensitive hashing over MinHash signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from corpora.near.exact import count_shared, gram_set
from corpora.near.exact import jaccard as exact_jaccard
from corpora.near.minhash import SIGNATURE_BYTES, Signatures
from corpora.ngrams import Hashes, without_space

BUCKET_KEPT = 1000
"""Kept documents of a bucket that later ones are compared to: its first."""
CANDIDATES = 4000
"""Kept documents that one is compared to at most, from its smallest buckets: some 1.2 ms."""
EXACT_CHECKS = 8
"""Texts that one document is compared to at most, the likeliest first."""
STANDARD_ERRORS = 3.0
"""Estimates nearer to the threshold than this are settled by the texts."""
_CACHED_SETS = 64
_CACHED_CHARS = 1 << 16
"""Sets of n-grams of recent texts are held, 32 MB at most."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The threshold, and the numbers of equal bytes below and above which no text is read."""

    jaccard: float
    no: float
    yes: float


@dataclass(frozen=True, slots=True)
class _Buckets:
    """The documents that share a bucket with another, and room for the kept ones of each bucket.

    `suspects` (s,) are documents in order; `places` (s, bands) says where the bucket of each
    lies in `kept`, or -1 where it is alone. A bucket is the number of its kept documents, then
    these as places in `suspects`.
    """

    suspects: NDArray[np.int64]
    places: NDArray[np.signedinteger]
    kept: NDArray[np.int32]


def find_near_duplicates(
    signatures: Signatures,
    alive: NDArray[np.bool_],
    text_of: Callable[[int], str],
    *,
    jaccard: float = 0.8,
    ngram: int = 5,
) -> NDArray[np.int64]:
    """Return for each document the kept earlier one that it repeats, or -1, shape (n,).

    In order: a document that is `alive` is dropped if its Jaccard similarity over n-grams to some
    earlier kept one is at least `jaccard`; so each dropped one has a kept one that it repeats. The
    signatures decide where their estimate is clear, else the texts. Candidates are the documents
    of equal bytes in a band of the signature: `recall` says how many that finds. The signatures
    may be a memory map; beside them this takes 43 bytes a document, and for each that shares
    a bucket with another 132 more and 4 a shared bucket (below a `jaccard` of 0.75, 260).
    """
    twins = np.full(len(signatures), -1, dtype=np.int64)
    plain = np.asarray(signatures)  # a memory map's own indexing is slow
    keys = plain.view("<u8" if _rows(jaccard) == 8 else "<u4")
    buckets = _fill_buckets(keys, _suspects(keys, np.flatnonzero(alive)))
    similarity = _exact_similarity(text_of, ngram)
    bounds = _bounds(jaccard)
    for place, document in enumerate(buckets.suspects.tolist()):
        others = buckets.suspects[_kept_beside(buckets, place)]
        twin = _twin(plain, document, others, similarity, bounds) if len(others) else -1
        if twin < 0:
            _keep(buckets, place)
        twins[document] = twin
    return twins


def recall(similarity: float, jaccard: float = 0.8) -> float:
    """Return the share of pairs of a similarity that meet in some bucket at a threshold."""
    rows = _rows(jaccard)
    return 1 - (1 - similarity**rows) ** (SIGNATURE_BYTES // rows)


def _rows(jaccard: float) -> int:
    """Bytes of a band: 8 find 99.7 % of the pairs at 0.8, and 97 % at 0.75, but 12 % at 0.5."""
    return 8 if jaccard >= 0.75 else 4


def _bounds(jaccard: float) -> _Bounds:
    chance = 1 / 256  # that bytes of different values are equal
    expected = jaccard + (1 - jaccard) * chance
    margin = STANDARD_ERRORS * sqrt(expected * (1 - expected) + chance) / sqrt(SIGNATURE_BYTES)
    low, high = (SIGNATURE_BYTES * (expected + sign * margin) for sign in (-1, 1))
    return _Bounds(jaccard, low, high)


def _suspects(keys: NDArray[np.unsignedinteger], alive: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the documents that share the key of a band with another, in order."""
    shared = np.zeros(len(alive), dtype=bool)
    for band in range(keys.shape[1]):
        column = keys[alive, band]
        order = np.argsort(column)
        column = column[order]
        same = column[1:] == column[:-1]
        shared[order[1:][same]] = True
        shared[order[:-1][same]] = True
    return alive[shared]


def _fill_buckets(keys: NDArray[np.unsignedinteger], suspects: NDArray[np.int64]) -> _Buckets:
    """Lay out the buckets of all bands one after the other."""
    bands = keys.shape[1]
    whole = 2 * bands * len(suspects)
    places = np.full((len(suspects), bands), -1, dtype=np.int32 if whole < 2**31 else np.int64)
    end = 0
    for band in range(bands if len(suspects) else 0):
        column = keys[suspects, band]
        order = np.argsort(column)
        column = column[order]
        firsts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        sizes = np.diff(firsts, append=len(column))
        room = np.where(sizes > 1, 1 + np.minimum(sizes, BUCKET_KEPT), 0)
        start = np.where(sizes > 1, end + np.cumsum(room) - room, -1)
        places[order, band] = np.repeat(start, sizes)
        end += int(room.sum())
    return _Buckets(suspects, places, np.zeros(end, dtype=np.int32))


def _kept_beside(buckets: _Buckets, place: int) -> NDArray[np.int32]:
    """Return the kept documents of the buckets of a document, in order."""
    starts = buckets.places[place]
    starts = starts[starts >= 0]
    counts = buckets.kept[starts]
    smallest = counts.argsort(kind="stable")
    smallest = smallest[(counts[smallest] > 0) & (counts[smallest].cumsum() <= CANDIDATES)]
    found = [
        buckets.kept[start + 1 : start + 1 + count]
        for start, count in zip(starts[smallest].tolist(), counts[smallest].tolist(), strict=True)
    ]
    if len(found) < 2:
        return found[0] if found else np.empty(0, dtype=np.int32)
    return np.unique(np.concatenate(found))


def _keep(buckets: _Buckets, place: int) -> None:
    """Add a document to its buckets, less the full ones."""
    starts = buckets.places[place]
    starts = starts[starts >= 0]
    counts = buckets.kept[starts]
    free = counts < BUCKET_KEPT
    starts, counts = starts[free], counts[free]
    buckets.kept[starts + 1 + counts] = place
    buckets.kept[starts] = counts + 1


def _twin(
    signatures: Signatures,
    document: int,
    others: NDArray[np.int64],
    similarity: Callable[[int, int], float],
    bounds: _Bounds,
) -> int:
    """Return which of the others a document repeats, the likeliest; -1 if none."""
    # Not take(), which copies all signatures first where they are a column of a table.
    equal = _equal_bytes(signatures[others], signatures[document])
    best = int(equal.argmax())
    if equal[best] >= bounds.yes:
        return int(others[best])
    if equal[best] < bounds.no:
        return -1
    likeliest = np.argsort(-equal, kind="stable")[:EXACT_CHECKS]
    for other in others[likeliest[equal[likeliest] >= bounds.no]].tolist():
        if similarity(document, other) >= bounds.jaccard:
            return int(other)
    return -1


def _equal_bytes(rows: Signatures, row: Signatures) -> NDArray[np.int64]:
    """Count the bytes of each row that are equal to those of one row."""
    # Eight counters in a word, none over 32: twice as fast as counting truth values.
    words = np.add.reduce((rows == row).view(np.uint64), axis=1)
    counts: NDArray[np.int64] = words.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64)
    return counts


def _exact_similarity(text_of: Callable[[int], str], ngram: int) -> Callable[[int, int], float]:
    """Return a function of two documents that reads each text once, as a rule."""

    @lru_cache(maxsize=_CACHED_SETS)
    def grams(document: int) -> Hashes | None:
        bare = without_space(text_of(document))
        return gram_set(bare, ngram) if ngram <= len(bare) <= _CACHED_CHARS else None

    def similarity(one: int, other: int) -> float:
        ours, theirs = grams(one), grams(other)
        if ours is None or theirs is None:
            return exact_jaccard(text_of(one), text_of(other), ngram)
        shared = count_shared(ours, theirs)
        return shared / (len(ours) + len(theirs) - shared)

    return similarity
