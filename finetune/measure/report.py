"""What a reader sees of results: the table of scores, and the page of a result folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from finetune.data.rows import Example
from finetune.data.splits import TaskData
from finetune.measure.metrics import by_label
from finetune.measure.scores import Scores
from thaitok.folder import read_manifest
from thaitok.report import Table, html_page

MISTAKES = 40
"""Rows of mistakes shown, spread over the test split."""

CONFUSIONS = 20
"""Pairs of labels shown, most frequent first."""


SHOWN = ("accuracy", "macro_f1", "entity_f1", "entity_macro_f1")
"""The metrics in the table of several results."""


def results_table(folders: Sequence[Path]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of one table of test scores over result folders.

    Raises `UserError` for a folder that is no finished result.
    """
    found = []
    for folder in folders:
        read_manifest(folder, "result")
        found.append(Scores.model_validate_json((folder / "scores.json").read_bytes()))
    metrics = [metric for metric in SHOWN if any(metric in scores.test for scores in found)]
    rows = []
    for scores in found:
        columns, systems = scores.table()
        for system in systems:
            cells = dict(zip(columns, system, strict=True))
            rows.append([scores.task, system[0], *(cells.get(metric, "") for metric in metrics)])
    return ["task", "system", *metrics], rows


def result_page(scores: Scores, bench: TaskData, predicted: Sequence[Sequence[str]]) -> str:
    """Return report.html: the test split as the seed that is best on validation sees it."""
    gold = [example.gold for example in bench.test]
    columns, rows = scores.table()
    labels = [
        (label, *figures.values(), count)
        for label, figures, count in by_label(bench.task.kind, gold, predicted)
    ]
    return html_page(
        f"{scores.model} on {scores.task}",
        [
            Table("Test scores", columns, rows, _note(scores)),
            Table("Data", ("", ""), _facts(scores)),
            Table("By label", ("label", "precision", "recall", "F1", "in gold"), labels),
            Table("Confusions", ("gold", "predicted", "count"), _confusions(gold, predicted)),
            Table("Mistakes", ("where", "text", "gold", "predicted"), mistakes(bench, predicted)),
        ],
    )


def _note(scores: Scores) -> str:
    count = len(scores.seeds)
    spread = "± is the 95 % interval over seeds. " if count > 1 else "One seed: no interval. "
    return (
        f"{spread}Chosen by {scores.metric} on validation only. Macro F1 is over the labels in "
        "gold or predicted; entities are scored whole (seqeval strict, IOB2)."
    )


def _facts(scores: Scores) -> list[tuple[str, object]]:
    return [
        ("split", scores.split_rule),
        ("source", scores.source),
        *((f"{split} rows", count) for split, count in scores.rows.items()),
        *((f"{split} texts also in train", count) for split, count in scores.leakage.items()),
        *((f"{split} texts cut short", count) for split, count in scores.cut.items() if count),
        *((f"{split} words without a piece of their own", count)
          for split, count in scores.swallowed.items() if count),
        *((name.replace("_", " "), str(value)) for name, value in scores.settings.items()),
        *((f"seed {seed.seed}", f"epoch {seed.epoch}, {seed.seconds:.0f} s, {scores.metric} "
           f"{seed.validation[scores.metric]:.3f} validation, {seed.test[scores.metric]:.3f} test")
          for seed in scores.seeds),
    ]  # fmt: skip


def _confusions(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> list[tuple[str, str, int]]:
    pairs = Counter(
        pair for right, said in zip(gold, predicted, strict=True)
        for pair in zip(right, said, strict=True) if pair[0] != pair[1]
    )  # fmt: skip
    return [(right, said, count) for (right, said), count in pairs.most_common(CONFUSIONS)]


def mistakes(
    bench: TaskData, predicted: Sequence[Sequence[str]]
) -> list[tuple[str, str, str, str]]:
    """Return some wrong rows, evenly spread: where, text, gold and predicted."""
    wrong = [
        (example, labels)
        for example, labels in zip(bench.test, predicted, strict=True)
        if list(example.gold) != list(labels)
    ]
    step = max(len(wrong) // MISTAKES, 1)
    return [_mistake(example, labels) for example, labels in wrong[::step][:MISTAKES]]


def _mistake(example: Example, labels: Sequence[str]) -> tuple[str, str, str, str]:
    where = example.where.rpartition("/")[2]
    if not example.words:
        return where, example.text, example.gold[0], labels[0]
    differ = [
        (word, right, said)
        for word, right, said in zip(example.words, example.gold, labels, strict=True)
        if right != said
    ]
    return (
        where,
        example.text,
        " ".join(f"{word}/{right}" for word, right, _ in differ),
        " ".join(f"{word}/{said}" for word, _, said in differ),
    )
