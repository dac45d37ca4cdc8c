"""What a reader sees of results: the table of scores, and the page of a result folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from finetune.data.splits import TaskData
from finetune.measure.counts import Labels
from finetune.measure.errors import (
    Mistake,
    by_length,
    confusion,
    entity_errors,
    mistakes,
)
from finetune.measure.metrics import COUNTED, by_label
from finetune.measure.plots import confusion_table
from finetune.measure.scores import Scores
from thaitok.folder import read_manifest
from thaitok.report import Chart, Excerpt, Excerpts, Group, Section, Table, html_page

MISTAKES = 40
"""Rows of mistakes shown of each order."""

SHOWN = ("accuracy", "micro_f1", "macro_f1", "entity_f1", "entity_macro_f1", "word_f1", "f1",
         "exact_match")  # fmt: skip
"""The metrics in the table of several results."""


def results_table(folders: Sequence[Path]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of one table of test scores over result folders.

    Raises `UserError` for a folder that is no finished result.
    """
    found = []
    for folder in folders:
        read_manifest(folder, "result")
        found.append(Scores.model_validate_json((folder / "scores.json").read_bytes()))
    metrics = [metric for metric in SHOWN if any(_tells(scores, metric) for scores in found)]
    rows = []
    for scores in found:
        columns, systems = scores.table()
        for system in systems:
            cells = dict(zip(columns, system, strict=True))
            rows.append([scores.task, system[0], *(cells.get(metric, "") for metric in metrics)])
    return ["task", "system", *metrics], rows


def _tells(scores: Scores, metric: str) -> bool:
    """Whether a metric tells something of its own: with one label a text, micro F1 is accuracy."""
    return metric in scores.test and (metric != "micro_f1" or scores.kind == "multilabel")


def result_page(scores: Scores, bench: TaskData, predicted: Labels) -> str:
    """Return report.html: the test split as the seed that is best on validation sees it."""
    columns, rows = scores.table()
    return html_page(
        f"{scores.model} on {scores.task}",
        [
            Table("Test scores", columns, rows, _note(scores)),
            Table("Data", ("", ""), _facts(scores)),
            *_errors(scores, bench, predicted),
            _mistakes(mistakes(bench.task.kind, bench.test, predicted)),
        ],
    )


def _note(scores: Scores) -> str:
    count = len(scores.seeds)
    spread = "± is the 95 % interval over seeds. " if count > 1 else "One seed: no interval. "
    drawn = scores.intervals.get(scores.metric)
    if drawn is not None:
        spread += (
            f"Were other test rows drawn, {scores.metric} would lie in {drawn[0]:.3f} to "
            f"{drawn[1]:.3f} (95 %, bootstrap over rows). "
        )
    return (
        f"{spread}Chosen by {scores.metric} on validation only. Macro F1 is over the labels in "
        "gold or predicted; entities are scored whole (seqeval strict, IOB2), words when both "
        "their borders are right."
    )


def _facts(scores: Scores) -> list[tuple[str, object]]:
    return [
        ("split", scores.split_rule),
        ("source", scores.source),
        *((f"{split} rows", count) for split, count in scores.rows.items()),
        *((name.replace("_", " "), count) for name, count in scores.repairs.items()),
        *((f"{split} rows {LEAKS.get(how, how)}", count)
          for split, found in scores.leakage.items() for how, count in found.items()),
        *((f"{split} texts cut short", count) for split, count in scores.cut.items() if count),
        *((f"{split} words without a piece of their own", count)
          for split, count in scores.swallowed.items() if count),
        *((f"threshold of {label}", f"{value:.3f}") for label, value in scores.thresholds.items()),
        *((name.replace("_", " "), str(value)) for name, value in scores.settings.items()),
        *((f"seed {seed.seed}", f"epoch {seed.epoch}, {scores.metric} "
           f"{seed.validation[scores.metric]:.3f} validation, {seed.test[scores.metric]:.3f} test")
          for seed in scores.seeds),
    ]  # fmt: skip


LEAKS = {"same": "that stand in train too", "near": "that share a long string with train"}


def _errors(scores: Scores, bench: TaskData, predicted: Labels) -> Iterator[Section]:
    """Yield what the kind of task tells of its errors."""
    kind, gold = bench.task.kind, [example.gold for example in bench.test]
    labels = [
        (label, *figures.values(), count)
        for label, figures, count in by_label(kind, gold, predicted)
    ]
    if labels:
        yield Table("By label", ("label", "precision", "recall", "F1", "in gold"), labels)
    if kind in ("ner", "nested"):
        counts = list(entity_errors(kind, gold, predicted).items())
        yield Table("Entities", ("what became of them", "count"), counts, ENTITIES)
    found = confusion(kind, gold, predicted)
    if found is not None:
        yield Chart(confusion_table("Confusion matrix", found))
    if scores.metric in COUNTED[kind]:
        parts = by_length(kind, scores.metric, bench.test, predicted)
        yield Table("By length", ("characters from", "to", "rows", scores.metric), parts)


ENTITIES = (
    "Gold entities, the last line predicted ones: missed and spurious overlap nothing; a wrong "
    "border has the right type."
)


def _mistakes(found: Sequence[Mistake]) -> Section:
    """Return the most wrong rows."""
    shown = found[:MISTAKES]
    part = Excerpts("Longest first", f"{len(shown):,}", [_excerpt(one) for one in shown], True)
    return Group("Mistakes", [part], f"{len(found):,} rows of the test split.")


def _excerpt(one: Mistake) -> Excerpt:
    texts = [("text", one.text), ("gold", one.gold), ("predicted", one.predicted)]
    return Excerpt(one.where, texts)
