"""A task's data: its rows split, what was mended in them, and its labels."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from finetune.data.answers import UNANSWERABLE
from finetune.data.hub import at_place, read_hub
from finetune.data.kinds import Task
from finetune.data.leakage import leakage
from finetune.data.rows import Example, Repairs, read_rows
from finetune.data.sources import SPLITS, find_files, read_file
from thaitok.errors import UserError
from thaitok.rules import normalize_many

__all__ = ["TaskData", "leakage", "load_task"]

HELD_OUT = 0.1
"""Share of the rows that becomes validation, and test, where a split is not given."""

MISALIGNED = 0.05
"""Share of the questions that may be lost to misaligned answers before the data is refused."""

EMPTY = "empty texts, dropped from train"
UNSEEN = "tags that train lacks, kept and scored"

log = logging.getLogger("thaitok")

Given = Mapping[str, list[Example]]


@dataclass(frozen=True, slots=True)
class TaskData:
    """A task's rows as they are used, and how they came to be so.

    `labels` are those of training in a fixed order: for ner O first and both tags of each type,
    for nested the types, for words B and I, for qa none. `repairs` counts what was mended, left
    out or noticed, by what was done.
    """

    task: Task
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    labels: tuple[str, ...]
    split_rule: str
    source: str
    files: tuple[Path, ...]
    repairs: Mapping[str, int] = field(default_factory=dict)


def load_task(
    task: Task,
    data_dir: Path | str | None,
    *,
    split_seed: int = 2020,
    max_train_rows: int | None = None,
) -> TaskData:
    """Read a task and split it where it is not split.

    `data_dir` is a folder, a file, hub:REPO[@REVISION][:CONFIG], or None for the task's own
    place on the Hub. Labels are those of the whole training split, whatever of it is held out or
    left out. Raises `UserError` naming the place of a row that only its owner can mend, for a
    label of validation or test that training lacks (tags of a benchmark's words are kept and
    counted: they can only be scored wrong), and for more than 5 % of misaligned questions.
    """
    if isinstance(data_dir, str) and data_dir.startswith("hub:"):
        task, data_dir = at_place(task, data_dir), None
    repairs: Repairs = Counter()
    given, files, source = _read(task, data_dir, repairs)
    _refuse_misaligned(given, repairs, source)
    _refuse_empty(task, given, files, source)
    train, validation, test, rule = _split(task, given, split_seed)
    labels = _labels(task, given["train"] if "train" in given else next(iter(given.values())))
    for rows in (validation, test):
        _check_unseen(task, labels, rows, repairs)
    train, rule = _fewer(_filled(task, train, repairs), max_train_rows, split_seed, rule)
    if task.kind == "sequence" and len(labels) < 2:
        raise UserError(f"all training rows have the label {labels[0]!r}", where=train[0].where)
    kept = {what: count for what, count in repairs.items() if count}
    for what, count in kept.items():
        log.warning("%s: %s: %d", task.name, what, count)
    paths = tuple(file for found in files.values() for file in found)
    return TaskData(task, train, validation, test, labels, rule, source, paths, kept)


def _read(
    task: Task, data_dir: Path | str | None, repairs: Repairs
) -> tuple[dict[str, list[Example]], dict[str, list[Path]], str]:
    """Return the rows and the files of each split as given, and where they are from."""
    if data_dir is None:
        rows = read_hub(task)
        given = {split: read_rows(task, rows[split], repairs) for split in SPLITS if split in rows}
        return given, {}, f"{task.hub}@{task.revision}"
    files = find_files(task, Path(data_dir))
    given = {
        split: [
            row for file in found for row in read_rows(task, read_file(file, task.kind), repairs)
        ]
        for split, found in files.items()
    }
    return given, files, "files"


def _refuse_empty(
    task: Task, given: Given, files: Mapping[str, Sequence[Path]], source: str
) -> None:
    if "train" not in given and not (task.one_split and len(given) == 1):
        have = ", ".join(given) or "none"
        raise UserError(f"has no split for training; its splits are {have}", where=source)
    for split, rows in given.items():
        if not rows:
            where = files[split][0] if files.get(split) else source
            raise UserError(f"the {split} split is empty", where=where)


def _refuse_misaligned(given: Given, repairs: Repairs, source: str) -> None:
    lost = repairs[UNANSWERABLE]
    total = lost + sum(map(len, given.values()))
    if lost > MISALIGNED * total:
        raise UserError(
            f"{lost:,} of {total:,} questions have misaligned answers alone",
            where=source,
            do="answer_start counts characters from 0; mend it, or leave it out",
        )


def _labels(task: Task, train: Sequence[Example]) -> tuple[str, ...]:
    """Return the labels in a fixed order; an entity type has both its tags, and O is first."""
    if task.kind == "qa":
        return ()
    if task.kind == "words":
        return ("B", "I")
    found = {label for example in train for label in example.gold}
    if task.kind == "nested":
        return tuple(sorted({_type_of(task, label) for label in found}))
    if task.kind != "ner":
        return tuple(sorted(found))
    types = sorted({_type_of(task, label) for label in found if label != "O"})
    return ("O", *(f"{place}-{kind}" for kind in types for place in "BI"))


def _type_of(task: Task, label: str) -> str:
    """Return the entity type of a tag, or of FIRST:END:TYPE."""
    return label.split(":", 2)[2] if task.kind == "nested" else label[2:]


def _check_unseen(
    task: Task, labels: Sequence[str], rows: Iterable[Example], repairs: Repairs
) -> None:
    """Refuse labels that training lacks; of a benchmark's words they are counted."""
    known = set(labels)
    for example in rows if labels else ():
        for label in example.gold:
            name = _type_of(task, label) if task.kind == "nested" else label
            if name in known:
                continue
            if task.on_words and not task.own:
                repairs[UNSEEN] += 1
                continue
            what = "tag" if task.on_words else "label"
            raise UserError(
                f"{what} {name!r} does not occur in training",
                where=example.where,
                do="mend it, add training rows that have it, or drop the row",
            )


Splits = tuple[list[Example], list[Example], list[Example], str]


def _split(task: Task, given: Given, seed: int) -> Splits:
    """Make the splits that are not given: of two, the second is for the final scores."""
    if len(given) == 1:
        return _cut_in_three(task, next(iter(given.values())), seed)
    train, validation, test = (given.get(split, []) for split in SPLITS)
    rule = "official train, validation and test"
    if not (validation and test):
        official = "test" if test else "validation"
        test = test or validation
        count, told = _held_out(task, len(train), len(test))
        train, validation = _cut(train, count, seed)
        rule = f"test is the official {official} split, validation is {told} of train (seed {seed})"
    if task.first:
        train, validation, test = (
            rows[: task.first[split]]
            for split, rows in zip(SPLITS, (train, validation, test), strict=True)
        )
        rule += f"; of each the first {', '.join(f'{n:,}' for n in task.first.values())} rows"
    return train, validation, test, rule


def _cut_in_three(task: Task, rows: list[Example], seed: int) -> Splits:
    """Cut one split as thai2transformers cut ThaiNER: a fifth held out, halved, one seed."""
    if len(rows) < 3:
        raise UserError("too few rows to hold some out", where=rows[0].where)
    train, held = _cut(rows, max(2, math.ceil(2 * HELD_OUT * len(rows))), seed)
    validation, test = _cut(held, math.ceil(len(held) / 2), seed)
    share = f"{HELD_OUT:.0%}"
    rule = f"one split of {len(rows):,} rows, of which test is {share} and validation {share}"
    return train, validation, test, f"{rule} (seed {seed})"


def _held_out(task: Task, train: int, test: int) -> tuple[int, str]:
    """Return how many training rows become validation, and in words."""
    if task.validation is None:
        return test, f"{test:,} rows, as many as test,"
    if task.validation >= 1:
        return int(task.validation), f"{int(task.validation):,} rows"
    return math.ceil(task.validation * train), f"{task.validation:.0%}"


def _cut(rows: list[Example], count: int, seed: int) -> tuple[list[Example], list[Example]]:
    """Hold out rows as `datasets.Dataset.train_test_split(seed=...)` does: kept, held out.

    So our splits are those of papers that used it, row for row. Questions are cut by context,
    and pairs by their first text.
    """
    if rows and rows[0].pair is not None:
        return _cut_contexts(rows, count, seed)
    if len(rows) <= count:
        raise UserError("too few training rows to hold some out", where=rows[0].where)
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    return [rows[number] for number in order[count:]], [rows[number] for number in order[:count]]


def _cut_contexts(
    rows: list[Example], count: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Hold out whole contexts with all their questions or pairs, until `count` rows are held out.

    Cut row by row, 560 of 577 held out questions of iapp_wiki_qa_squad had their context in
    train.
    """
    contexts = sorted({row.text for row in rows})
    many = Counter(row.text for row in rows)
    held: set[str] = set()
    for number in np.random.default_rng(seed).permutation(len(contexts)).tolist()[:-1]:
        if count <= 0:
            break
        held.add(contexts[number])
        count -= many[contexts[number]]
    if not held:
        raise UserError("too few contexts to hold some out", where=rows[0].where)
    return [row for row in rows if row.text not in held], [row for row in rows if row.text in held]


def _filled(task: Task, train: list[Example], repairs: Repairs) -> list[Example]:
    """Drop training rows without anything to learn from: texts that normalise to nothing."""
    bare = normalize_many([row.text + (row.pair or "") for row in train])
    filled = [row for row, text in zip(train, bare, strict=True) if text.strip()]
    repairs[EMPTY] += len(train) - len(filled)
    if not filled:
        raise UserError(f"all training texts of {task.name} are empty", where=train[0].where)
    return filled


def _fewer(
    rows: list[Example], limit: int | None, seed: int, rule: str
) -> tuple[list[Example], str]:
    if limit is None or len(rows) <= limit:
        return rows, rule
    kept = sorted(np.random.default_rng(seed).permutation(len(rows))[:limit].tolist())
    return [rows[number] for number in kept], f"{rule}; {limit:,} of {len(rows):,} training rows"
