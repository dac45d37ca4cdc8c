"""First vectors for new pieces: drawn, or made from the old pieces' rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from thaitok.extend.config import Init

LEAST_PARTS = 50
"""Old pieces that a line is drawn through, at least; of fewer parts, all old pieces serve."""
NEIGHBOURS = 10
"""Old pieces that a `similar` vector is made of, at most."""

TEMPERATURE = 0.3
"""Of their likeness, a cosine: at 0.1 nearly all weight is on one, and the loss a little higher."""


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece that a vocabulary gains."""

    text: str
    parts: tuple[int, ...]
    """Ids of the old pieces that stood for it."""
    score: float
    """Its log-probability, on the scale of the old scores."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """How to make the rows of new pieces from the rows of old ones."""

    weights: sparse.csr_matrix | None
    """(new, old) weights of the old rows in each new one; none: rows are drawn."""
    old: NDArray[np.float64]
    """Scores of the old pieces; 0 where there is none."""
    new: NDArray[np.float64]
    """Scores of the new pieces."""
    draw: torch.Generator


def choose_vectors(
    init: Init, pieces: Sequence[str], scores: Sequence[float], new: Sequence[NewPiece], seed: int
) -> Vectors:
    """Return how the rows of new pieces are made; `pieces` and `scores` are the old ones, by id."""
    weights = None
    if init == "mean":
        weights = part_weights(new, len(pieces))
    elif init == "similar":
        weights = similar_weights(new, pieces)
    return Vectors(
        weights,
        np.array(scores, np.float64),
        np.array([one.score for one in new], np.float64),
        torch.Generator().manual_seed(seed),
    )


def new_rows(vectors: Vectors, rows: Tensor, spread: float) -> Tensor:
    """Return the rows of the new pieces for a table (old, width) or a bias (old).

    Drawn ones are N(0, `spread`) and the bias zero, as transformers' own and PhayaThaiBERT's.
    All others are what is typical of a piece as frequent, and an offset from it: the weighted
    mean of the old rows' offsets from what is typical of them. For pieces of one frequency have
    much in common, which says how probable they are: a plain mean of the rows of `re`, `co` and
    `rd` makes `record` as probable as they. The offset's length is the geometric mean of its own
    and of that of pieces as frequent: parts are frequent and theirs are long, and full length
    takes probability from the old pieces (scripts/bench_growing.py).
    """
    if vectors.weights is None and rows.ndim == 1:
        return rows.new_zeros(len(vectors.new))
    if vectors.weights is None:
        drawn = torch.randn(len(vectors.new), rows.shape[1], generator=vectors.draw) * spread
        return drawn.to(rows.dtype)
    known = rows.double().reshape(len(rows), -1).numpy()
    typical, made = expected(vectors, known)
    if rows.ndim > 1:
        offsets = known - typical
        wanted = expected(vectors, np.linalg.norm(offsets, axis=1, keepdims=True))[1]
        means = vectors.weights @ offsets
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        made = made + means * np.sqrt(np.maximum(wanted, 0) / np.maximum(lengths, 1e-12))
    return torch.from_numpy(made).reshape(-1, *rows.shape[1:]).to(rows.dtype)


def expected(
    vectors: Vectors, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is typical at the scores of old pieces and of new ones: (old, k) and (new, k).

    A straight line through the `values` (old, k) of the pieces that the new ones are made of, by
    least squares; curves and means of pieces near in score gave the same loss. Of all old pieces
    the line tells how a Thai piece goes with its score: by it the new pieces' own loss right
    after growing was 9.4 nats, by their parts' 8.0 (scripts/bench_growing.py).
    """
    normal = vectors.old < 0
    if not normal.any():
        normal = np.ones_like(normal)
    parts = np.zeros(len(normal), bool)
    if vectors.weights is not None:
        parts[vectors.weights.indices] = True
    if (normal & parts).sum() >= LEAST_PARTS:
        normal &= parts
    middle = vectors.old[normal].mean()

    def line(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([np.ones(len(scores)), scores - middle])

    slope = np.linalg.lstsq(line(vectors.old[normal]), values[normal], rcond=None)[0]
    known = np.where(vectors.old < 0, vectors.old, middle)
    return line(known) @ slope, line(vectors.new) @ slope


def part_weights(new: Sequence[NewPiece], old: int) -> sparse.csr_matrix:
    """Return the weights (new, old) that make each new row the mean of its parts' rows."""
    rows = np.repeat(np.arange(len(new)), [len(one.parts) for one in new])
    columns = np.array([part for one in new for part in one.parts], np.int64)
    weights = np.array([1 / len(one.parts) for one in new for _ in one.parts])
    return sparse.csr_matrix((weights, (rows, columns)), (len(new), old))


def similar_weights(new: Sequence[NewPiece], pieces: Sequence[str]) -> sparse.csr_matrix:
    """Return the weights (new, old) of the old pieces that are written alike.

    FOCUS (Dobler & de Melo 2023, arXiv 2305.14481) with one change: pieces are alike by their
    character n-grams and not by vectors learned for the purpose, so that nothing but the
    vocabulary is needed. The weights are the sparsemax of the likeness, as there.
    """
    names = [*pieces, *(one.text for one in new)]
    vectors = _ngram_vectors(names)
    likeness = (vectors[len(pieces) :] @ vectors[: len(pieces)].T).tocsr()
    parts = part_weights(new, len(pieces))
    rows = []
    for number in range(len(new)):
        row = likeness[number]
        best = np.argsort(-row.data)[:NEIGHBOURS]
        if not len(best):
            rows.append(parts[number])
            continue
        weights = sparsemax(row.data[best] / TEMPERATURE)
        rows.append(
            sparse.csr_matrix(
                (weights, (np.zeros(len(best), np.int64), row.indices[best])), (1, len(pieces))
            )
        )
    return sparse.vstack(rows).tocsr()


def sparsemax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the point of the simplex nearest to the scores (arXiv 1602.02068, algorithm 1)."""
    ordered = np.sort(scores)[::-1]
    sums = np.cumsum(ordered)
    sizes = np.arange(1, len(scores) + 1)
    size = int(sizes[1 + sizes * ordered > sums][-1])
    shift = (sums[size - 1] - 1) / size
    found: NDArray[np.float64] = np.maximum(scores - shift, 0.0)
    return found


def _ngram_vectors(names: Sequence[str]) -> sparse.csr_matrix:
    """Return unit vectors (names, n-grams) of counts weighted by rarity."""
    counts = [Counter(_ngrams(name)) for name in names]
    known: dict[str, int] = {}
    columns = [known.setdefault(gram, len(known)) for one in counts for gram in one]
    rows = np.repeat(np.arange(len(names)), [len(one) for one in counts])
    values = np.array([number for one in counts for number in one.values()], np.float64)
    matrix = sparse.csr_matrix((values, (rows, columns)), (len(names), len(known)))
    spread = np.bincount(columns, minlength=len(known))
    matrix = matrix @ sparse.diags(np.log(len(names) / spread))
    norms = np.sqrt(matrix.multiply(matrix).sum(1)).A1
    return sparse.diags(1 / np.maximum(norms, 1e-12)) @ matrix


def _ngrams(name: str) -> Iterable[str]:
    marked = f"\x02{name.lower()}\x03"
    for size in range(2, 6):
        yield from (marked[at : at + size] for at in range(len(marked) - size + 1))
