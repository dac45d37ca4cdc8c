"""Metrics: accuracy and F1 of labels, of whole entities, of words and of answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from finetune.data.entities import Entity, parse_entities
from finetune.data.tasks import Kind
from finetune.measure.answers import ANSWER_FIGURES
from finetune.measure.counts import (
    Counts,
    Labels,
    check_pairs,
    counted_labels,
    row_counts,
)

Scores = dict[str, float]
"""Figures by name, in 0..1."""

Array = npt.NDArray[np.float64]

COUNTED: dict[Kind, tuple[str, ...]] = {
    "sequence": ("accuracy", "micro_f1", "macro_f1"),
    "multilabel": ("micro_f1", "macro_f1"),
    "ner": ("entity_f1", "entity_precision", "entity_recall", "entity_macro_f1"),
    "pos": ("accuracy", "micro_f1", "macro_f1"),
    "words": ("word_f1", "word_precision", "word_recall"),
    "nested": ("entity_f1", "entity_precision", "entity_recall", "entity_macro_f1"),
    "qa": ANSWER_FIGURES,
}
"""The figures of each kind that hang on the counts of its rows alone, headline first."""


def score(kind: Kind, gold: Labels, predicted: Labels) -> Scores:
    """Score predictions by the metrics of a kind of task, the headline ones first.

    Entities, words and nested entities count when they are right as a whole; `accuracy` is of
    tags (ner), or of whole sets (multilabel). Macro F1 is the mean over the labels that occur in
    gold or among the predictions. A figure without anything to count is 0. Equal to scikit-learn
    and to seqeval (strict, IOB2), and counted here because seqeval takes seconds a thousand rows.
    Raises ValueError where gold and predictions do not pair off.
    """
    sums = row_counts(kind, gold, predicted, counted_labels(kind, gold, predicted)).sum(0)
    figures = {metric: float(figure_of(metric, sums)) for metric in COUNTED[kind]}
    return figures | _other_figures(kind, gold, predicted)


def figure_of(metric: str, sums: Counts) -> Array:
    """Return a figure of counts summed over rows: (..., labels, 3) to (...).

    Raises ValueError for a figure that does not hang on such counts.
    """
    if metric in ANSWER_FIGURES:
        at = ANSWER_FIGURES.index(metric)
        return _ratio(sums[..., at, 0], sums[..., at, 2])
    hits, said, right = np.moveaxis(sums.sum(-2), -1, 0)
    if metric.endswith("macro_f1"):
        by_label = _ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])
        return _ratio(by_label.sum(-1), (sums[..., 1] + sums[..., 2] > 0).sum(-1))
    if metric.endswith("_f1"):  # micro_f1, entity_f1, word_f1
        return _ratio(2 * hits, said + right)
    if metric.endswith("precision"):
        return _ratio(hits, said)
    if metric.endswith("recall") or metric == "accuracy":
        return _ratio(hits, right)
    raise ValueError(f"{metric} cannot be told from counts")


def _ratio(part: Array, whole: npt.NDArray[np.float64 | np.int_]) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def by_label(kind: Kind, gold: Labels, predicted: Labels) -> list[tuple[str, Scores, int]]:
    """Return precision, recall, F1 and the count in gold of each label or type of entity.

    There are none of answers.
    """
    if kind == "qa":
        return []
    labels = counted_labels(kind, gold, predicted)
    sums = row_counts(kind, gold, predicted, labels).sum(0)
    hits, said, right = sums.T
    figures = np.stack([_ratio(hits, said), _ratio(hits, right), _ratio(2 * hits, said + right)], 1)
    names = ("precision", "recall", "f1-score")
    return [
        (label, dict(zip(names, map(float, row), strict=True)), int(count))
        for label, row, count in zip(labels, figures, right, strict=True)
    ]


def _other_figures(kind: Kind, gold: Labels, predicted: Labels) -> Scores:
    """Return what is told beside the figures of `COUNTED`."""
    match kind:
        case "ner":
            pairs = zip(chain(*gold), chain(*predicted), strict=True)
            return {"accuracy": _share([right == said for right, said in pairs])}
        case "multilabel":
            sets = zip(gold, predicted, strict=True)
            return {"accuracy": _share([set(right) == set(said) for right, said in sets])}
        case "words":
            return {"boundary_f1": _boundary_f1(gold, predicted)}
        case "nested":
            return _depth_recalls(gold, predicted)
    return {}


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def _boundary_f1(gold: Labels, predicted: Labels) -> float:
    """Return F1 of the beginnings of words, without each row's first, which is always right."""
    check_pairs("words", gold, predicted)
    right = np.array([tag == "B" for row in gold for tag in row[1:]], dtype=bool)
    said = np.array([tag == "B" for row in predicted for tag in row[1:]], dtype=bool)
    found = int(right.sum() + said.sum())
    return float(2 * (right & said).sum() / found) if found else 0.0


def _depth_recalls(gold: Labels, predicted: Labels) -> Scores:
    """Return which share is found of the entities within no other one, and of those within one."""
    found: dict[bool, list[bool]] = {False: [], True: []}
    for row, said in zip(gold, predicted, strict=True):
        right, known = parse_entities(row), set(parse_entities(said))
        for entity in right:
            inner = any(_within(entity, other) for other in right)
            found[inner].append(entity in known)
    return {"outer_recall": _share(found[False]), "inner_recall": _share(found[True])}


def _within(entity: Entity, other: Entity) -> bool:
    """Whether an entity lies within a longer one."""
    longer = other[1] - other[0] > entity[1] - entity[0]
    return longer and other[0] <= entity[0] and entity[1] <= other[1]
