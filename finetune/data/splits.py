"""A task's data: its rows split, and its labels."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.data.rows import Example, find_files, read_file, read_hub
from finetune.data.tasks import Task
from thaitok.errors import UserError

HELD_OUT = 0.1
"""Share of the training rows that becomes validation, or test, where a split is not given."""


@dataclass(frozen=True, slots=True)
class TaskData:
    """A task's rows as they are used, and how they came to be split so."""

    task: Task
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    labels: tuple[str, ...]
    split_rule: str
    source: str
    files: tuple[Path, ...]


def load_task(
    task: Task, data_dir: Path | None, *, split_seed: int = 2020, max_train_rows: int | None = None
) -> TaskData:
    """Read a task from `data_dir`, or from the Hub, and split it where it is not split.

    Labels are those of the whole training split, whatever of it is held out or left out.
    Raises `UserError` naming FILE:LINE for a bad row: gold is the user's to mend, so none is
    passed over.
    """
    if data_dir is not None:
        files, source = find_files(task, data_dir), "files"
        given = {split: read_file(task, file) for split, file in files.items()}
    else:
        files, source = {}, f"{task.hub}@{task.revision}"
        given = read_hub(task)
    if not given.get("train"):
        raise UserError(f"{task.name} has no training rows", where=files.get("train", data_dir))
    for split, rows in given.items():
        if not rows:
            raise UserError(f"the {split} split is empty", where=files.get(split, source))
    labels = _labels(task, given["train"])
    for split in ("validation", "test"):
        _refuse_unseen(task, labels, given.get(split, []))
    train, validation, test, rule = _split(given, split_seed)
    train, rule = _fewer(train, max_train_rows, split_seed, rule)
    return TaskData(task, train, validation, test, labels, rule, source, tuple(files.values()))


def leaked(rows: Iterable[Example], train: Iterable[Example]) -> int:
    """Count the rows whose text also stands in `train`."""
    seen = {example.text for example in train}
    return sum(example.text in seen for example in rows)


def _labels(task: Task, train: Sequence[Example]) -> tuple[str, ...]:
    """Return the labels in a fixed order; an entity type has both its tags, and O is first."""
    found = {label for example in train for label in example.gold}
    if task.kind != "ner":
        return tuple(sorted(found))
    types = sorted({label[2:] for label in found if label != "O"})
    return ("O", *(f"{place}-{kind}" for kind in types for place in "BI"))


def _refuse_unseen(task: Task, labels: Sequence[str], rows: Iterable[Example]) -> None:
    known = set(labels)
    for example in rows:
        for label in example.gold:
            if label not in known:
                what = "tag" if task.on_words else "label"
                raise UserError(
                    f"{what} {label!r} does not occur in training",
                    where=example.where,
                    do="mend it, add training rows that have it, or drop the row",
                )


Splits = tuple[list[Example], list[Example], list[Example], str]


def _split(given: Mapping[str, list[Example]], seed: int) -> Splits:
    """Make the splits that are not given: of two, the second is for the final scores."""
    train, validation, test = (given.get(split, []) for split in ("train", "validation", "test"))
    if validation and test:
        return train, validation, test, "official train, validation and test"
    share = f"{HELD_OUT:.0%} of train (seed {seed})"
    official = "test" if test else "validation"
    test = test or validation
    rule = f"test is the official {official} split, validation is {share}"
    if not test:
        train, test = _hold_out(train, seed)
        rule = f"test is {share}, validation is {HELD_OUT:.0%} of the rest"
    train, validation = _hold_out(train, seed)
    return train, validation, test, rule


def _hold_out(rows: list[Example], seed: int) -> tuple[list[Example], list[Example]]:
    if len(rows) < 2:
        raise UserError("too few training rows to hold some out", where=rows[0].where)
    count = max(1, round(HELD_OUT * len(rows)))
    held = set(random.Random(seed).sample(range(len(rows)), count))
    kept = [row for number, row in enumerate(rows) if number not in held]
    return kept, [row for number, row in enumerate(rows) if number in held]


def _fewer(
    rows: list[Example], limit: int | None, seed: int, rule: str
) -> tuple[list[Example], str]:
    if limit is None or len(rows) <= limit:
        return rows, rule
    kept = sorted(random.Random(seed).sample(range(len(rows)), limit))
    return [rows[number] for number in kept], f"{rule}; {limit:,} of {len(rows):,} training rows"
