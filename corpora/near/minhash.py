"""MinHash signatures over character n-grams: 256 bytes a document, by numpy, many at once.

One permutation MinHash (Li, Owen & Zhang 2012): each n-gram is hashed once, falls into one of 256
bins, and a bin keeps its least hash. A bin that stayed empty takes the value of the first filled
one in an order of its own (optimal densification, Shrivastava 2017). Of each value one byte is
kept (b-bit minwise hashing, Li & König 2010).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import shake_128

import numpy as np
from numpy.typing import NDArray

from corpora.ngrams import code_points, gram_hashes, without_space

SIGNATURE_BYTES = 256
Signatures = NDArray[np.uint8]
"""One row a document, shape (n, SIGNATURE_BYTES)."""

_BINS = SIGNATURE_BYTES
_BIN_SHIFT = np.uint64(64 - 8)
"""The high 8 bits of a hash name its bin."""
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_PIECE_CHARS = 1 << 16
"""Characters hashed at once: half a megabyte an array, so that they stay in the cache."""
_ROWS = 512
"""Documents at once, 1 MB of minima."""
_SPARSE = _BINS // 2
"""Rows with fewer filled bins are filled by ranks, others by probing: each 3 times faster there."""


def signatures(texts: Sequence[str], ngram: int = 5) -> Signatures:
    """Return the signatures of texts, shape (len(texts), SIGNATURE_BYTES).

    The share of equal bytes of two rows is about J + (1 - J) / 256, with J their Jaccard
    similarity over n-grams. White space is not counted, as in the keys of exact duplicates;
    letters and digits are taken as they are. A text too short for one n-gram gets a row that only
    the same text has. Texts must be sound Unicode.
    """
    rows = np.empty((len(texts), SIGNATURE_BYTES), dtype=np.uint8)
    for start in range(0, len(texts), _ROWS):
        batch = texts[start : start + _ROWS]
        rows[start : start + len(batch)] = _sign(batch, ngram)
    return rows


def _sign(texts: Sequence[str], ngram: int) -> Signatures:
    minima = _minima(texts, ngram)
    short = np.flatnonzero((minima == _EMPTY).all(axis=1))
    _densify(minima)
    minima *= _multipliers()
    rows = (minima >> _BIN_SHIFT).astype(np.uint8)
    for row in short.tolist():
        whole = without_space(texts[row]).encode("utf-8")
        rows[row] = np.frombuffer(shake_128(whole).digest(SIGNATURE_BYTES), dtype=np.uint8)
    return rows


def _minima(texts: Sequence[str], ngram: int) -> NDArray[np.uint64]:
    """Return the least hash of each text in each bin, shape (len(texts), _BINS)."""
    # One row more, for the n-grams that lie across two pieces and belong to no text.
    minima = np.full((len(texts) + 1, _BINS), _EMPTY)
    for pieces in _blocks(texts, ngram):
        hashes = gram_hashes(code_points("".join(piece for _, piece in pieces)), ngram)
        first_cell = np.full((len(pieces), 2), len(texts) * _BINS)
        first_cell[:, 0] = [row * _BINS for row, _ in pieces]
        counts = np.full((len(pieces), 2), ngram - 1)
        counts[:, 0] = [len(piece) - ngram + 1 for _, piece in pieces]
        cells = np.repeat(first_cell.ravel(), counts.ravel())[: len(hashes)]
        cells += (hashes >> _BIN_SHIFT).astype(np.int64)
        np.minimum.at(minima.reshape(-1), cells, hashes)
    return minima[:-1]


def _blocks(texts: Sequence[str], ngram: int) -> Iterator[list[tuple[int, str]]]:
    """Yield lists of (row, piece of its text), each of about `_PIECE_CHARS` in all."""
    block: list[tuple[int, str]] = []
    size = 0
    for row, text in enumerate(texts):
        bare = without_space(text)
        for at in range(0, len(bare) - ngram + 1, _PIECE_CHARS):
            piece = bare[at : at + _PIECE_CHARS + ngram - 1]
            if block and size + len(piece) > _PIECE_CHARS:
                yield block
                block, size = [], 0
            block.append((row, piece))
            size += len(piece)
    if block:
        yield block


def _densify(minima: NDArray[np.uint64]) -> None:
    """Fill each empty bin from the first filled one in its order; wholly empty rows stay."""
    filled = minima != _EMPTY
    counts = np.count_nonzero(filled, axis=1)
    sparse = np.flatnonzero((counts > 0) & (counts < _SPARSE))
    _fill_sparse(minima, filled, sparse[np.argsort(-counts[sparse], kind="stable")])
    _fill_dense(minima, filled, np.flatnonzero((counts >= _SPARSE) & (counts < _BINS)))


def _fill_sparse(
    minima: NDArray[np.uint64], filled: NDArray[np.bool_], rows: NDArray[np.int64]
) -> None:
    """Fill rows with few filled bins, fullest first: of these bins the one of least rank gives."""
    if not len(rows):
        return
    counts = np.count_nonzero(filled[rows], axis=1)
    bins = np.flatnonzero(filled[rows]) % _BINS
    firsts = np.cumsum(counts) - counts
    order, ranks = _orders()
    best = np.full((len(rows), _BINS), _BINS - 1, dtype=np.uint8)
    rank = np.empty_like(best)
    # The n-th filled bins of all the rows that have so many, which come first.
    for nth, having in enumerate(np.searchsorted(-counts, -np.arange(counts[0])).tolist()):
        donors = bins[firsts[:having] + nth]
        ranks.take(donors, axis=0, out=rank[:having], mode="clip")
        np.minimum(best[:having], rank[:having], out=best[:having])
    cells = best * np.int64(_BINS) + np.arange(_BINS)
    cells = order.reshape(-1).take(cells) + rows[:, None] * _BINS
    minima[rows] = minima.reshape(-1).take(cells)


def _fill_dense(
    minima: NDArray[np.uint64], filled: NDArray[np.bool_], rows: NDArray[np.int64]
) -> None:
    """Fill rows with few empty bins: each looks into one bin after the other in its order."""
    row, empty = np.nonzero(~filled[rows])
    row = rows[row]
    for probed in _orders()[0]:
        if not len(row):
            break
        donor = probed[empty]
        found = filled[row, donor]
        minima[row[found], empty[found]] = minima[row[found], donor[found]]
        row, empty = row[~found], empty[~found]


@cache
def _orders() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the k-th bin in the order of bin i at [k, i], and the rank k of bin j at [j, i].

    The orders are independent of each other, which makes the densification optimal; each begins
    with the bin itself.
    """
    cells = np.arange(1, _BINS * _BINS + 1, dtype=np.uint64)
    chance = _scrambled(cells).reshape(_BINS, _BINS)
    np.fill_diagonal(chance, 0)
    order = np.argsort(chance, axis=0)
    return order.astype(np.uint8), np.argsort(order, axis=0).astype(np.uint8)


@cache
def _multipliers() -> NDArray[np.uint64]:
    """Return an odd number a bin: two values copied side by side share a byte by chance once."""
    return _scrambled(np.arange(_BINS, dtype=np.uint64) + np.uint64(1 << 32)) | np.uint64(1)


def _scrambled(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of distinct numbers (the finalizer of SplitMix64, Steele et al. 2014)."""
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
