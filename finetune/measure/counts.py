"""Hits, predictions and gold of each row and label: the base of every figure and of the bootstrap.

An item is what is right or wrong as a whole: the label of a text, the tag of a word, a word, an
entity with its type.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from finetune.data.entities import Entity, entities_of, parse_entities
from finetune.data.tasks import Kind
from finetune.measure.answers import ANSWER_FIGURES, answer_figures

Labels = Sequence[Sequence[str]]
"""Of each row what `finetune.data.rows.Example.gold` holds for the kind of task."""

Counts = npt.NDArray[np.float64]
"""(rows, labels, 3): of each label the items that are right, that are predicted, that are gold."""

WORD = "word"
"""The one label of word segmentation."""


def word_spans(tags: Sequence[str]) -> list[Entity]:
    """Return the words of B and I tags; the first tag begins a word, whatever it is."""
    starts = [at for at, tag in enumerate(tags) if tag == "B" or at == 0]
    return [(first, end, WORD) for first, end in zip(starts, [*starts[1:], len(tags)], strict=True)]


def items(kind: Kind, row: Sequence[str]) -> set[tuple[Any, ...]]:
    """Return the items of one row, each a tuple with its label last; answers have none."""
    match kind:
        case "ner":
            return set(entities_of(row))
        case "nested":
            return set(parse_entities(row))
        case "words":
            return set(word_spans(row))
        case "multilabel":
            return {(label,) for label in row}
    return set(enumerate(row))


def counted_labels(kind: Kind, *sides: Labels) -> tuple[str, ...]:
    """Return, sorted, the labels that occur on any side: types of entities, tags, or labels.

    Of answers they are the figures of an answer.
    """
    if kind == "qa":
        return ANSWER_FIGURES
    found = {item[-1] for row in chain(*sides) for item in items(kind, row)}
    return tuple(sorted(found))


def row_counts(kind: Kind, gold: Labels, predicted: Labels, labels: Sequence[str]) -> Counts:
    """Count each row's items by label: shape (rows, labels, 3), hits, predicted and gold last.

    `labels` come from `counted_labels` and hold all that occur. An answer counts as one item that
    is right in part. Raises ValueError where rows or their labels do not pair off.
    """
    check_pairs(kind, gold, predicted)
    counts = np.zeros((len(gold), len(labels), 3))
    if kind == "qa":
        counts[:, :, 1:] = 1.0
        for row, (right, said) in enumerate(zip(gold, predicted, strict=True)):
            counts[row, :, 0] = answer_figures(said[0], right)
        return counts
    number = {label: at for at, label in enumerate(labels)}
    for row, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        wanted, found = items(kind, right), items(kind, said)
        for side, counted in enumerate((wanted & found, found, wanted)):
            for item in counted:
                counts[row, number[item[-1]], side] += 1
    return counts


def check_pairs(kind: Kind, gold: Labels, predicted: Labels) -> None:
    """Raise ValueError where predictions are not of the form of gold, row by row."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} rows of gold but {len(predicted)} of predictions")
    if kind in ("multilabel", "nested"):
        return
    for row, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        if len(said) != (1 if kind == "qa" else len(right)):
            raise ValueError(f"row {row}: gold and predicted labels do not pair off")
