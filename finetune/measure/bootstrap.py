"""The paired bootstrap: how sure a score, or a difference of two, is over other test rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from finetune.data.tasks import Kind
from finetune.measure.counts import Counts, Labels, counted_labels, row_counts
from finetune.measure.metrics import COUNTED, figure_of

RESAMPLES = 10_000
AT_ONCE = 250
"""Resamples drawn together: 250 of 6,000 rows take 12 MB."""
EQUAL = 1e-12
"""Figures nearer than this are equal: sums of fractions come out in another order."""


class Difference(NamedTuple):
    """How much higher one model scores than another on the same rows, in 0..1."""

    difference: float
    interval: tuple[float, float]
    """The 95 % interval: percentiles of the differences on resampled rows."""
    p: float
    """Two-sided: how often chance alone would part two equal models that far."""


def compare(
    kind: Kind,
    metric: str,
    gold: Labels,
    a_by_seed: Sequence[Labels],
    b_by_seed: Sequence[Labels],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """Say how much higher a scores than b, each the mean over its seeds.

    Test rows are drawn with replacement, the same ones for both models and all their seeds (Koehn
    2004, W04-3250); p is Berg-Kirkpatrick et al.'s (2012, D12-1091), taken on both sides: the
    share of resamples whose difference lies as far from the found one as that lies from 0. Seeds
    are taken as they are: their own spread is the interval over seeds. Raises ValueError for a
    metric that is not in `COUNTED` of the kind.
    """
    a = _counts(kind, metric, gold, a_by_seed)
    b = _counts(kind, metric, gold, b_by_seed)
    found = _figure(metric, np.ones((1, len(gold))), a) - _figure(
        metric, np.ones((1, len(gold))), b
    )
    drawn = np.concatenate([
        _figure(metric, weights, a) - _figure(metric, weights, b)
        for weights in _draws(len(gold), seed, resamples)
    ])  # fmt: skip
    difference = float(found[0])
    far = np.abs(drawn - difference) >= abs(difference) - EQUAL
    return Difference(difference, _middle(drawn), (int(far.sum()) + 1) / (resamples + 1))


def interval(
    kind: Kind,
    metric: str,
    gold: Labels,
    by_seed: Sequence[Labels],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Return the 95 % interval of the mean over seeds, over other test rows of the same kind.

    Raises ValueError for a metric that is not in `COUNTED` of the kind.
    """
    counts = _counts(kind, metric, gold, by_seed)
    draws = _draws(len(gold), seed, resamples)
    return _middle(np.concatenate([_figure(metric, weights, counts) for weights in draws]))


def _counts(kind: Kind, metric: str, gold: Labels, by_seed: Sequence[Labels]) -> list[Counts]:
    if metric not in COUNTED[kind]:
        raise ValueError(f"{kind} tasks have no bootstrap of {metric}")
    if not by_seed or not gold:
        raise ValueError("nothing to draw from")
    return [
        row_counts(kind, gold, predicted, counted_labels(kind, gold, predicted))
        for predicted in by_seed
    ]


def _draws(rows: int, seed: int, resamples: int) -> Iterator[npt.NDArray[np.float64]]:
    """Yield how often each row was drawn: (up to AT_ONCE, rows), `resamples` in all."""
    dice = np.random.default_rng(seed)
    for first in range(0, resamples, AT_ONCE):
        many = min(AT_ONCE, resamples - first)
        drawn = dice.integers(0, rows, (many, rows)) + rows * np.arange(many)[:, None]
        yield np.bincount(drawn.ravel(), minlength=many * rows).reshape(many, rows).astype(float)


def _figure(
    metric: str, weights: npt.NDArray[np.float64], by_seed: Sequence[Counts]
) -> npt.NDArray[np.float64]:
    """Return the mean figure over seeds on each resample: (resamples,)."""
    found = [
        figure_of(metric, (weights @ counts.reshape(len(counts), -1)).reshape(
            len(weights), *counts.shape[1:]))
        for counts in by_seed
    ]  # fmt: skip
    mean: npt.NDArray[np.float64] = np.mean(found, axis=0)
    return mean


def _middle(drawn: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return round(float(low), 6), round(float(high), 6)
