"""Gold data on the Hub: a task's own place, or any set that the user names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from finetune.data.classes import feature_names, named_row
from finetune.data.kinds import Task
from finetune.data.sources import ALIASES
from thaitok.errors import UserError

PLACE = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:@([^\s:@]+))?(?::([^\s:]+))?")
FORM = "hub:REPO[@REVISION][:CONFIG]"

Rows = Iterator[tuple[str, Mapping[str, Any]]]


def at_place(task: Task, place: str) -> Task:
    """Return the task with its data at hub:REPO[@REVISION][:CONFIG]; `UserError` if it is not so.

    The columns of the table's row hold for the task's own repository only.
    """
    found = PLACE.fullmatch(place)
    if found is None:
        raise UserError("is no data set of the Hub", where=place, do=f"give {FORM}")
    repo, revision, config = found.groups()
    same = repo.lower() == (task.hub or "").lower()
    # The Hub's conversion has a folder for each config, and tells of no configs.
    converted = (revision or "").startswith("refs/convert/")
    return replace(
        task,
        hub=repo,
        revision=revision or "main",
        hub_config=None if converted else config,
        hub_folder=config if converted else None,
        columns=task.columns if same else {},
    )


def read_hub(task: Task) -> dict[str, Rows]:
    """Download a task's data set and return its rows by split, classes by their names."""
    if task.hub is None:
        raise UserError(
            f"{task.name} is not on the Hub", do=f"give --data-dir DIR with {task.name}/train.jsonl"
        )
    found = _load(task, task.hub)
    rows: dict[str, Rows] = {}
    for split, table in found.items():
        name = ALIASES.get(str(split).lower())
        if name and name not in rows:
            rows[name] = _rows(task.hub, str(split), table)
    return rows


def _load(task: Task, repo: str) -> Mapping[str, Any]:
    import datasets

    try:
        found: Mapping[str, Any] = datasets.load_dataset(
            repo, task.hub_config, revision=task.revision, data_dir=task.hub_folder
        )
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as err:
        remedy = "check its name and the network, or give --data-dir"
        if "scripts are no longer supported" in str(err):
            remedy = f"give hub:{repo}@refs/convert/parquet:CONFIG"
        raise UserError(f"cannot load {repo} from the Hub: {err}", do=remedy) from err
    return found


def _rows(repo: str, split: str, table: Any) -> Rows:
    names = feature_names(table.features.to_dict())
    for number, row in enumerate(table):
        yield f"{repo} {split}[{number}]", named_row(row, names)
