"""From a raw row to its columns: which column is the text, what a cell of it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from finetune.data.kinds import Kind, Role, Task
from thaitok.errors import UserError

Row = Mapping[str, Any]

TEXTS = ("text", "texts", "sentence", "premise", "sentence1")
PAIRS = ("pair", "text_pair", "hypothesis", "sentence2")
LABELS = ("label", "labels", "category")
TOKENS = ("tokens", "words")
USUAL: Mapping[Kind, Mapping[Role, tuple[str, ...]]] = {
    "sequence": {"text": TEXTS, "pair": PAIRS, "label": LABELS},
    "multilabel": {"text": TEXTS, "label": ("labels", "label", "categories")},
    "ner": {"text": ("text",), "tokens": TOKENS, "label": ("tags", "ner_tags", "ner")},
    "pos": {"text": ("text",), "tokens": TOKENS, "label": ("tags", "pos_tags", "upos", "pos")},
    "words": {"text": ("text",), "tokens": TOKENS},
    "nested": {"text": ("text",), "tokens": TOKENS, "label": ("entities", "layers")},
    "qa": {"text": ("context",), "pair": ("question",), "label": ("answers", "answer")},
}
"""The usual names of a kind's columns, the first that a row has is taken."""

TRUE = frozenset({"1", "true", "yes", "pos", "y"})
FALSE = frozenset({"0", "false", "no", "neg", "n", "", "none"})
BETWEEN = re.compile(r"\s+")


def look_up(row: Row, name: str) -> Any:
    """Return the cell of a column, or of A.B the field B of column A; raises `KeyError`."""
    if name in row:
        return row[name]
    outer, dot, inner = name.partition(".")
    if dot and isinstance(row.get(outer), Mapping):
        return look_up(row[outer], inner)
    raise KeyError(name)


def find_column(task: Task, role: Role, row: Row) -> str | None:
    """Return the name of a role's column in this row; None when it has none."""
    if role in task.chosen:
        names: tuple[str, ...] = (task.chosen[role],)
    elif task.columns.get(role) == "":
        return None
    else:
        own = (task.columns[role],) if role in task.columns else ()
        names = own + USUAL[task.kind].get(role, (role,))
    return next((name for name in names if _has(row, name)), None)


def cell(task: Task, role: Role, row: Row, where: str) -> Any:
    """Return what stands in a role's column; `UserError` naming the columns that are there."""
    name = find_column(task, role, row)
    if name is None:
        wanted = task.chosen.get(role) or USUAL[task.kind].get(role, (role,))[0]
        have = ", ".join(row) or "none"
        hint = "" if role in task.chosen else f"; name yours with --{role}-column"
        raise UserError(
            f"has no column {wanted!r}", where=where, do=f"its columns are {have}{hint}"
        )
    if name in row or "," not in name:
        return look_up(row, name)
    return {part: look_up(row, part) for part in split_names(name)}


def optional_cell(task: Task, role: Role, row: Row, where: str) -> Any:
    """Return what stands in a role's column; None when there is none and none was asked for."""
    if role not in task.chosen and find_column(task, role, row) is None:
        return None
    return cell(task, role, row, where)


def split_names(name: str) -> list[str]:
    """Take the names of several columns apart."""
    return [part.strip() for part in name.split(",") if part.strip()]


def _has(row: Row, name: str) -> bool:
    try:
        look_up(row, name)
    except KeyError:
        parts = split_names(name)
        return len(parts) > 1 and all(_has(row, part) for part in parts)
    return True


def text_of(value: Any, role: Role, where: str) -> str:
    """Return a cell as text; nothing is the empty text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UserError(f"{role} is not a string", where=where)
    return value


def label_of(value: Any, where: str) -> str:
    """Return a cell as the name of a label; a whole number is its digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int) or not (name := str(value).strip()):
        raise UserError(f"label {value!r} is not a name", where=where)
    return name


def strings_of(value: Any, what: str, where: str) -> list[str]:
    """Return a cell as a list of strings: a list, a JSON list, or parted by bars or spaces."""
    if isinstance(value, str):
        value = _taken_apart(value)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UserError(f"{what} is not a list of strings", where=where)
    return value


def _taken_apart(value: str) -> Any:
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            pass
    parts = value.split("|") if "|" in value else BETWEEN.split(value)
    return [part for part in parts if part]


def labels_of(value: Any, where: str) -> list[str]:
    """Return the labels that hold: a list, a string with bars, semicolons or commas, or several
    columns of yes and no.
    """  # noqa: D205
    if isinstance(value, Mapping):
        return [name for name, said in value.items() if _holds(said, name, where)]
    if value is None:
        return []
    if isinstance(value, str):
        sign = next((sign for sign in "|;," if sign in value), "|")
        value = [part for part in value.split(sign) if part.strip()]
    if not isinstance(value, list):
        raise UserError(f"labels {value!r} are no list", where=where)
    return [label_of(item, where) for item in value]


def _holds(value: Any, name: str, where: str) -> bool:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    said = str(value).strip().lower()
    if said not in TRUE | FALSE:
        raise UserError(f"{name} is {value!r}", where=where, do="write 0 or 1")
    return said in TRUE
