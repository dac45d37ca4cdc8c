"""Finding a task: a row of the table, or the user's own data."""

from __future__ import annotations

import difflib
from dataclasses import replace

from finetune.data.catalogue import TASKS
from finetune.data.kinds import HEADLINE, KINDS, Kind, Metric, Published, Role, Task
from thaitok.errors import UserError

__all__ = [
    "TASKS", "Kind", "Metric", "Published", "Task", "describe_task", "find_task", "own_task",
]  # fmt: skip


def find_task(name: str) -> Task:
    """Return a task by name; `UserError` with the nearest name when there is none."""
    known = {task.name: task for task in TASKS}
    if name in known:
        return known[name]
    names = [*known, *KINDS]
    close = [one for one in names if one.startswith(name)]
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    remedy = f"did you mean {close[0]!r}?" if close else "`thaitok tasks` lists them"
    raise UserError(f"unknown task {name!r}", do=remedy)


def own_task(
    kind: Kind,
    *,
    text_column: str | None = None,
    pair_column: str | None = None,
    label_column: str | None = None,
    tokens_column: str | None = None,
) -> Task:
    """Return the task of the user's own data; see `describe_task` for the columns."""
    chosen = _chosen(text_column, pair_column, label_column, tokens_column)
    return Task(kind, kind, HEADLINE[kind], f"your own data: {kind}", chosen=chosen, own=True)


def describe_task(
    name: str,
    *,
    text_column: str | None = None,
    pair_column: str | None = None,
    label_column: str | None = None,
    tokens_column: str | None = None,
) -> Task:
    """Return a task by its name, or the user's own by the name of a kind.

    A column that is named must be there; of one that is not, the usual names are tried
    (`columns.USUAL`). A.B is field B of column A, "A,B,C" are several columns: the labels of a
    multilabel task that hold, or the layers of nested tags. `label_column` are tags for words,
    entities for nested, answers for qa; `text_column` is the context and `pair_column` the
    question of qa. Raises `UserError` for an unknown name.
    """
    named = (text_column, pair_column, label_column, tokens_column)
    kind = next((kind for kind in KINDS if kind == name), None)
    if kind:
        text, pair, label, tokens = named
        return own_task(
            kind, text_column=text, pair_column=pair, label_column=label, tokens_column=tokens
        )
    return replace(find_task(name), chosen=_chosen(*named))


def _chosen(
    text: str | None, pair: str | None, label: str | None, tokens: str | None
) -> dict[Role, str]:
    given: dict[Role, str | None] = {"text": text, "pair": pair, "label": label, "tokens": tokens}
    return {role: name for role, name in given.items() if name}
