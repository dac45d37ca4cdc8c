"""Rows of gold data: read from files or the Hub, and checked one by one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.data.tasks import Task
from finetune.model.align import Span, join_words, locate_words
from thaitok.errors import UserError

SPLITS = ("train", "validation", "test")
SUFFIXES = (".jsonl", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class Example:
    """One gold row.

    `gold` by the task's kind: sequence, the one label; multilabel, those that hold; ner and pos, a
    tag for each of `words`; words, a tag B or I for each grapheme cluster, which `words` then are;
    nested, an entity each as "FIRST:END:TYPE" in numbers of words, END excluded, in the order of
    FIRST, then the longer first; qa, the answers, each as it stands in `text`.

    `text` is what is read (of qa, the context), `pair` the second text of a pair (of qa, the
    question). `spans` are characters in `text`: of each word, or of each answer. `where` is
    FILE:LINE, or the Hub's split and row.
    """

    text: str
    gold: tuple[str, ...]
    where: str
    words: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    pair: str | None = None


def find_files(task: Task, data_dir: Path) -> dict[str, Path]:
    """Return the files of a task by split, from DIR/NAME or from DIR itself.

    Raises `UserError` when there is no training file.
    """
    if not data_dir.is_dir():
        raise UserError("no such data folder", where=data_dir)
    folder = data_dir / task.name if (data_dir / task.name).is_dir() else data_dir
    files = {
        split: folder / (split + suffix)
        for split in SPLITS
        for suffix in reversed(SUFFIXES)
        if (folder / (split + suffix)).is_file()
    }
    if "train" not in files:
        raise UserError(
            f"holds no {task.name}",
            where=data_dir,
            do=f"it needs {task.name}/train.jsonl, and validation.jsonl and test.jsonl beside it",
        )
    return files


def read_file(task: Task, file: Path) -> list[Example]:
    """Read the rows of a jsonl file; `UserError` naming FILE:LINE for a bad one."""
    return _read_rows(task, _objects(file))


def _objects(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield FILE:LINE and the row of each line that is not blank."""
    for number, line in enumerate(_lines(file), 1):
        where = f"{file}:{number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise UserError("is not UTF-8 text", where=where, do="save it as UTF-8") from None
        except (json.JSONDecodeError, RecursionError) as err:
            said = getattr(err, "msg", "nested too deep")
            raise UserError(f"is no JSON: {said}", where=where) from None
        if not isinstance(row, dict):
            raise UserError("is no JSON object", where=where)
        yield where, row


def _lines(file: Path) -> Iterator[bytes]:
    if file.suffix != ".zst":
        with file.open("rb") as stream:
            yield from stream
        return
    import zstandard

    with file.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        try:
            yield from io.BufferedReader(stream)
        except zstandard.ZstdError as err:
            raise UserError(f"is no whole zstd file: {err}", where=file) from None


def _read_rows(task: Task, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Example]:
    read = _tagged if task.on_words else _labelled
    return [read(task, where, row) for where, row in rows]


def _labelled(task: Task, where: str, row: Mapping[str, Any]) -> Example:
    text, label = _column(row, "text", where), _column(row, "label", where)
    if not isinstance(text, str):
        raise UserError("text is not a string", where=where)
    if isinstance(label, bool) or not isinstance(label, str | int) or label == "":
        raise UserError(f"label {label!r} is not a name", where=where)
    return Example(text, (task.relabel.get(str(label), str(label)),), where)


def _tagged(task: Task, where: str, row: Mapping[str, Any]) -> Example:
    words, tags = _strings(row, "tokens", where), _strings(row, "tags", where)
    if len(words) != len(tags):
        raise UserError(f"{len(words)} tokens but {len(tags)} tags", where=where)
    if not words:
        raise UserError("tokens is empty", where=where, do="delete the row")
    if task.kind == "ner":
        tags = [_entity_tag(task, tag, where) for tag in tags]
    else:
        tags = [task.relabel.get(tag, tag) for tag in tags]
    spelled = [task.respell.get(word, word) for word in words]
    text, spans = _joined(row, spelled, where)
    return Example(text, tuple(tags), where, tuple(spelled), tuple(spans))


def _joined(row: Mapping[str, Any], words: Sequence[str], where: str) -> tuple[str, list[Span]]:
    """Return the row's text with the words' spans: as given, else by space_after, else joined."""
    text, space_after = row.get("text"), row.get("space_after") or ()
    if isinstance(text, str):
        spans = locate_words(words, text)
        if spans is None:
            raise UserError("tokens do not rebuild text", where=where, do="mend or drop text")
        return text, spans
    if space_after and len(space_after) != len(words):
        raise UserError(f"{len(words)} tokens but {len(space_after)} space_after", where=where)
    return join_words(words, space_after)


def _entity_tag(task: Task, tag: str, where: str) -> str:
    if tag == "O":
        return tag
    if tag[:2] not in ("B-", "I-") or len(tag) < 3:
        raise UserError(f"tag {tag!r} is not BIO", where=where, do="write O, B-TYPE or I-TYPE")
    kind = task.relabel.get(tag[2:], tag[2:])
    return "O" if kind == "O" else tag[:2] + kind


def _column(row: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in row:
        have = ", ".join(row) or "none"
        raise UserError(f"has no column {name!r}", where=where, do=f"its columns are {have}")
    return row[name]


def _strings(row: Mapping[str, Any], name: str, where: str) -> list[str]:
    values = _column(row, name, where)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UserError(f"{name} is not a list of strings", where=where)
    return values


def read_hub(task: Task) -> dict[str, list[Example]]:
    """Download a task's parquet files and read them; class numbers become their names."""
    if task.hub is None:
        raise UserError(
            f"{task.name} is not on the Hub", do=f"give --data-dir DIR with {task.name}/train.jsonl"
        )
    import datasets

    try:
        found = datasets.load_dataset(task.hub, revision=task.revision, data_dir=task.hub_folder)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as err:
        raise UserError(
            f"cannot load {task.hub} from the Hub: {err}",
            do="check the network, or give --data-dir",
        ) from err
    return {
        split: _read_rows(task, _hub_rows(task.hub, split, rows, task.columns))
        for split, rows in found.items()
        if split in SPLITS
    }


def _hub_rows(
    repo: str, split: str, rows: Any, columns: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    names = {ours: _class_names(rows.features.get(theirs)) for ours, theirs in columns.items()}
    for number, row in enumerate(rows):
        yield (
            f"{repo} {split}[{number}]",
            {ours: _named(row[theirs], names[ours]) for ours, theirs in columns.items()},
        )


def _class_names(feature: Any) -> list[str]:
    inner = getattr(feature, "feature", feature)
    return list(getattr(inner, "names", None) or [])


def _named(value: Any, names: Sequence[str]) -> Any:
    if not names:
        return value
    return [names[item] for item in value] if isinstance(value, list) else names[value]
