"""Scores of a fine-tuned model: the mean over seeds and its interval, beside the baselines."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from thaitok.config import Config

STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip
"""The 97.5 % point of Student's t by degrees of freedom from 1; beyond the table 1.96 to 2.08."""


class Figure(Config):
    """One metric over the seeds, in 0..1."""

    mean: float
    interval: tuple[float, float] | None
    """The 95 % interval of the mean by Student's t; None for one seed, which tells no spread."""
    per_seed: dict[str, float]


class SeedScores(Config):
    """What one seed came to."""

    seed: int
    epoch: int
    """The epoch whose weights were kept: the best on validation."""
    validation: dict[str, float]
    test: dict[str, float]
    epochs: tuple[dict[str, float], ...]
    """Each epoch's validation metrics, with its mean training loss in nats."""


class Scores(Config):
    """What `scores.json` of a result folder holds."""

    task: str
    kind: str
    metric: str
    """The headline metric, by which epochs and the best seed were chosen on validation."""
    model: str
    labels: tuple[str, ...]
    rows: dict[str, int]
    split_rule: str
    source: str
    repairs: dict[str, int] = Field(default_factory=dict)
    """Rows and tags that were mended or left out, by the rule."""
    leakage: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Split → rows whose text also stands in train ("same"), or that share a long string with it
    ("near"); they are scored too."""
    cut: dict[str, int]
    """Texts of which some windows were left out: the first and evenly spread ones are read."""
    swallowed: dict[str, int]
    """Words without a piece of their own: 10 to 20 % of finely cut words under a tokenizer of long
    pieces. Parts of speech they take from training, entity tags from the piece that covers them,
    which is a ceiling to the score."""
    settings: dict[str, Any]
    seeds: tuple[SeedScores, ...]
    best_seed: int
    validation: dict[str, Figure]
    test: dict[str, Figure]
    thresholds: dict[str, float] = Field(default_factory=dict)
    """Of a task with several labels a text: each label's, chosen on validation by the best seed."""
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Metric → 95 % interval of the test score's mean over seeds, were other rows drawn."""
    baselines: dict[str, dict[str, dict[str, float]]]
    """Baseline → split → metric → value."""
    published: tuple[dict[str, Any], ...]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return columns and rows of the table of test scores: model, baselines, published."""
        metrics = list(self.test)
        rows = [[self.model, *(told(self.test[metric]) for metric in metrics)]]
        for name, splits in self.baselines.items():
            cells = [f"{splits['test'][metric]:.3f}" if metric in splits["test"] else ""
                     for metric in metrics]  # fmt: skip
            rows.append([name, *cells])
        for system in dict.fromkeys(figure["system"] for figure in self.published):
            found = {
                one["metric"]: f"{one['value']:{'+' if one.get('gain') else ''}.3f}"
                for one in self.published
                if one["system"] == system
            }
            cells = [found.get(metric, "") for metric in metrics]
            rows.append([f"{system} (published)", *cells])
        return ["system", *metrics], rows


def over_seeds(seeds: Sequence[SeedScores], split: str) -> dict[str, Figure]:
    """Summarise each metric of a split over the seeds."""
    by_seed: dict[int, Mapping[str, float]] = {
        scores.seed: scores.test if split == "test" else scores.validation for scores in seeds
    }
    metrics = list(next(iter(by_seed.values())))
    return {
        metric: figure({str(seed): scores[metric] for seed, scores in by_seed.items()})
        for metric in metrics
    }


def figure(per_seed: Mapping[str, float]) -> Figure:
    """Return the mean over seeds with its 95 % interval.

    >>> figure({"1": 0.7, "2": 0.8}).interval
    (0.1147, 1.3853)
    """
    values = list(per_seed.values())
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Figure(mean=mean, interval=None, per_seed=dict(per_seed))
    free = len(values) - 1
    t = STUDENT[free - 1] if free <= len(STUDENT) else 1.96 + 2.4 / free
    half = t * statistics.stdev(values) / len(values) ** 0.5
    interval = (round(mean - half, 6), round(mean + half, 6))
    return Figure(mean=mean, interval=interval, per_seed=dict(per_seed))


def best_seed(seeds: Sequence[SeedScores], metric: str) -> int:
    """Return the seed that is best on validation; of equals the first."""
    return max(seeds, key=lambda scores: scores.validation[metric]).seed


def told(found: Figure) -> str:
    """Return a figure in words: `0.732 ± 0.011`, without ± where one seed tells no spread."""
    if found.interval is None:
        return f"{found.mean:.3f}"
    return f"{found.mean:.3f} ± {found.interval[1] - found.mean:.3f}"
