"""What a model gets wrong: labels taken for one another, kinds of entity errors, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from finetune.data.entities import Entity, entities_of, parse_entities
from finetune.data.rows import Example
from finetune.data.tasks import Kind
from finetune.measure.counts import (
    Labels,
    check_pairs,
    counted_labels,
    items,
    row_counts,
    word_spans,
)
from finetune.measure.metrics import COUNTED, figure_of

SHOWN_LABELS = 16
"""Labels of a confusion matrix, the most frequent in gold first; the others are one."""

OTHERS = "others"

BUCKETS = 5
"""Parts of equal size that rows are divided into by length."""

ERROR_KINDS = ("right", "wrong type", "wrong border", "wrong type and border", "missed", "spurious")


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each gold label (row) was taken for each label (column)."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def confusion(kind: Kind, gold: Labels, predicted: Labels) -> Confusion | None:
    """Count labels taken for one another; None for kinds whose items have no one counterpart.

    Of entities, words stand by the type they are in, O outside.
    """
    if kind not in ("sequence", "pos", "ner"):
        return None
    check_pairs(kind, gold, predicted)
    right, said = (
        [_without_place(label) if kind == "ner" else label for label in chain(*side)]
        for side in (gold, predicted)
    )
    often = Counter(right)
    ranked = sorted({*right, *said}, key=lambda label: (-often[label], label))
    labels = tuple(ranked)
    if len(ranked) > SHOWN_LABELS:
        labels = (*ranked[: SHOWN_LABELS - 1], OTHERS)
    number = {label: min(at, len(labels) - 1) for at, label in enumerate(ranked)}
    counts = [[0] * len(labels) for _ in labels]
    for (one, other), count in Counter(zip(right, said, strict=True)).items():
        counts[number[one]][number[other]] += count
    return Confusion(labels, tuple(map(tuple, counts)))


def _without_place(tag: str) -> str:
    return tag[2:] or tag


def entity_errors(kind: Kind, gold: Labels, predicted: Labels) -> dict[str, int]:
    """Count entities by what became of them, in the order of `ERROR_KINDS`.

    Each gold entity is right, or has another type on the same words, or overlaps a predicted one
    that is not itself right (of its own type: wrong border), or is missed. A predicted entity is
    spurious when it overlaps no gold one.
    """
    read = entities_of if kind == "ner" else parse_entities
    counts = Counter[str]()
    for right, said in zip(gold, predicted, strict=True):
        wanted, found = set(read(right)), set(read(said))
        for entity in wanted:
            counts["right" if entity in found else _error(entity, found - wanted)] += 1
        counts["spurious"] += sum(
            not any(_overlap(entity, other) for other in wanted) for entity in found
        )
    return {name: counts[name] for name in ERROR_KINDS}


def _error(entity: Entity, wrong: set[Entity]) -> str:
    touching = [other for other in wrong if _overlap(entity, other)]
    if any(other[:2] == entity[:2] for other in touching):
        return "wrong type"
    if any(other[2] == entity[2] for other in touching):
        return "wrong border"
    return "wrong type and border" if touching else "missed"


def _overlap(one: Entity, other: Entity) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def by_length(
    kind: Kind, metric: str, rows: Sequence[Example], predicted: Labels
) -> list[tuple[int, int, int, float]]:
    """Score rows in parts by their length: shortest and longest in characters, rows, figure.

    Rows of one length stay together. Raises ValueError for a metric that is not in `COUNTED`.
    """
    if metric not in COUNTED[kind]:
        raise ValueError(f"{kind} tasks have no {metric} by length")
    order = sorted(range(len(rows)), key=lambda at: len(rows[at].text))
    parts, first = [], 0
    for part in range(1, BUCKETS + 1):
        end = max(first, len(order) * part // BUCKETS)
        while 0 < end < len(order) and _length(rows, order, end) == _length(rows, order, end - 1):
            end += 1
        if first < end:
            parts.append(order[first:end])
        first = end
    return [_part(kind, metric, rows, predicted, part) for part in parts]


def _length(rows: Sequence[Example], order: Sequence[int], at: int) -> int:
    return len(rows[order[at]].text)


def _part(
    kind: Kind, metric: str, rows: Sequence[Example], predicted: Labels, part: Sequence[int]
) -> tuple[int, int, int, float]:
    gold, said = [rows[at].gold for at in part], [predicted[at] for at in part]
    sums = row_counts(kind, gold, said, counted_labels(kind, gold, said)).sum(0)
    sizes = [len(rows[at].text) for at in part]
    return min(sizes), max(sizes), len(part), float(figure_of(metric, sums))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row that came out wrong: what differs of gold and of the prediction."""

    where: str
    text: str
    gold: str
    predicted: str
    size: int
    """Items that are wrong on either side; of a text or an answer, characters of the text."""


def mistakes(kind: Kind, rows: Sequence[Example], predicted: Labels) -> list[Mistake]:
    """Return the rows that came out wrong, the most wrong first."""
    found = [
        _mistake(kind, row, said)
        for row, said in zip(rows, predicted, strict=True)
        if _wrong(kind, row.gold, said)
    ]
    return sorted(found, key=lambda one: -one.size)


def _wrong(kind: Kind, gold: Sequence[str], said: Sequence[str]) -> bool:
    if kind == "qa":
        counts = row_counts(kind, [gold], [said], counted_labels(kind))
        return bool(figure_of("exact_match", counts.sum(0)) < 1)
    return items(kind, gold) != items(kind, said) or (kind == "ner" and list(gold) != list(said))


def _mistake(kind: Kind, row: Example, said: Sequence[str]) -> Mistake:
    text = row.text if row.pair is None else f"{row.text}\n→ {row.pair}"
    where = row.where.rpartition("/")[2]
    gold, predicted, size = _difference(kind, row, said)
    return Mistake(where, text, gold, predicted, size)


def _difference(kind: Kind, row: Example, said: Sequence[str]) -> tuple[str, str, int]:
    """Return what differs, as gold and as predicted has it, and how much that is."""
    match kind:
        case "sequence" | "qa":
            return " | ".join(row.gold), said[0], len(row.text)
        case "multilabel":
            missed, spurious = set(row.gold) - set(said), set(said) - set(row.gold)
            return (", ".join(sorted(row.gold)), ", ".join(sorted(said)),
                    len(missed) + len(spurious))  # fmt: skip
        case "words":
            right, cut = word_spans(row.gold), word_spans(said)
            differ = set(right) ^ set(cut)
            return _words(row, right, differ), _words(row, cut, differ), len(differ)
        case "nested":
            wanted, found = parse_entities(row.gold), parse_entities(said)
            differ = set(wanted) ^ set(found)
            return _entities(row, wanted, differ), _entities(row, found, differ), len(differ)
    wrong = [at for at, (a, b) in enumerate(zip(row.gold, said, strict=True)) if a != b]
    return (" ".join(f"{row.words[at]}/{row.gold[at]}" for at in wrong),
            " ".join(f"{row.words[at]}/{said[at]}" for at in wrong), len(wrong))  # fmt: skip


def _words(row: Example, words: Sequence[Entity], differ: set[Entity]) -> str:
    shown = ["".join(row.words[a:b]) for a, b, kind in words if (a, b, kind) in differ]
    return " | ".join(shown)


def _entities(row: Example, found: Sequence[Entity], differ: set[Entity]) -> str:
    return ", ".join(
        f"{''.join(row.words[a:b])}/{kind}" for a, b, kind in found if (a, b, kind) in differ
    )
