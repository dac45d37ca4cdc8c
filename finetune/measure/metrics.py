"""Metrics: accuracy and F1 of labels, and F1 of whole entities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from finetune.data.tasks import Kind

Labels = Sequence[Sequence[str]]
"""Labels of each row: one for a text, or one a word."""

Scores = dict[str, float]
"""Figures by name, in 0..1."""


def score(kind: Kind, gold: Labels, predicted: Labels) -> Scores:
    """Score predictions by the metrics of a kind of task, the headline ones first.

    Rows and their labels must pair off. Raises ValueError when they do not.
    """
    if [len(row) for row in gold] != [len(row) for row in predicted]:
        raise ValueError("gold and predicted labels do not pair off")
    if kind == "ner":
        return entity_scores(gold, predicted)
    return label_scores(list(chain(*gold)), list(chain(*predicted)))


def label_scores(gold: Sequence[str], predicted: Sequence[str]) -> Scores:
    """Return accuracy, micro F1 and macro F1 of single labels.

    Micro F1 over all labels equals accuracy when each item has one label; both stand because
    papers print either. Macro F1 is the mean over the labels that occur in gold or among the
    predictions, a label of no hits counting 0.
    """
    from sklearn.metrics import accuracy_score, f1_score

    labels = sorted(set(gold) | set(predicted))
    f1 = {
        average: float(f1_score(gold, predicted, labels=labels, average=average, zero_division=0.0))
        for average in ("micro", "macro")
    }
    accuracy = float(accuracy_score(gold, predicted))
    return {"accuracy": accuracy, "micro_f1": f1["micro"], "macro_f1": f1["macro"]}


def entity_scores(gold: Labels, predicted: Labels) -> Scores:
    """Return F1, precision and recall of whole entities, and accuracy of the tags.

    seqeval in strict mode and scheme IOB2: an entity counts when its words and type are all
    right, and an I- without its B- begins none (seqeval's default mode forgives that and
    scores higher). `entity_f1` is over all entities, `entity_macro_f1` the mean over the types
    that occur in gold or among the predictions. No entity on either side scores 0.
    """
    hits = [right == said for right, said in zip(chain(*gold), chain(*predicted), strict=True)]
    report = _strict_report(gold, predicted)
    all_of = report.get("micro avg", {})
    return {
        "entity_f1": float(all_of.get("f1-score", 0.0)),
        "entity_precision": float(all_of.get("precision", 0.0)),
        "entity_recall": float(all_of.get("recall", 0.0)),
        "entity_macro_f1": float(report.get("macro avg", {}).get("f1-score", 0.0)),
        "accuracy": sum(hits) / len(hits) if hits else 0.0,
    }


def by_label(kind: Kind, gold: Labels, predicted: Labels) -> list[tuple[str, Scores, int]]:
    """Return precision, recall, F1 and the count in gold of each label or entity type."""
    if kind == "ner":
        report = _strict_report(gold, predicted)
    else:
        from sklearn.metrics import classification_report

        report = classification_report(
            list(chain(*gold)), list(chain(*predicted)), output_dict=True, zero_division=0.0
        )
    return [
        (label, {name: float(row[name]) for name in ("precision", "recall", "f1-score")},
         int(row["support"]))
        for label, row in report.items()
        if isinstance(row, dict) and not label.endswith(" avg")
    ]  # fmt: skip


def _strict_report(gold: Labels, predicted: Labels) -> dict[str, Any]:
    """Return seqeval's report by type; empty where no side has an entity, which it cannot score."""
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    if not any(tag.startswith("B-") for row in chain(gold, predicted) for tag in row):
        return {}
    report: dict[str, Any] = classification_report(
        [list(row) for row in gold],
        [list(row) for row in predicted],
        output_dict=True,
        mode="strict",
        scheme=IOB2,
        zero_division=0,
    )
    return report
