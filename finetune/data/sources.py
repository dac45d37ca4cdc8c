"""Files of gold data: which of a folder's files are which split, and the rows of each format."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from finetune.data.classes import class_names, named_row
from finetune.data.conll import column_rows, conllu_rows, word_rows
from finetune.data.kinds import Kind, Task
from finetune.data.lines import Line, text_lines
from thaitok.errors import UserError

SPLITS = ("train", "validation", "test")
ALIASES = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "eval": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What splits are called in files, folders and on the Hub."""

NAME = re.compile(rf"(?:^|[-_.])({'|'.join(ALIASES)})(?:-\d+-of-\d+.*)?$", re.IGNORECASE)
"""The split in the name of a file, as in train, th_tud-ud-train and train-00000-of-00002."""

Rows = Iterator[tuple[str, Mapping[str, Any]]]


def find_files(task: Task, data_dir: Path) -> dict[str, list[Path]]:
    """Return the files of a task by split, from DIR/NAME or from DIR itself, or the one file.

    A split is a file (train.jsonl) or a folder of files (train/*.txt). Raises `UserError` when
    there is no training file, or a split in two formats.
    """
    if data_dir.is_file():
        _format_of(data_dir, task.kind)
        return {"train": [data_dir]}
    if not data_dir.is_dir():
        raise UserError("no such data folder", where=data_dir)
    folder = _folder_of(task, data_dir)
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        split = _split_of(path)
        if split:
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
            files.setdefault(split, []).extend(one for one in inside if _format(one))
    files = {split: found for split in SPLITS if (found := files.get(split))}
    if "train" not in files and not (task.one_split and len(files) == 1):
        raise UserError(
            f"holds no {task.name}",
            where=data_dir,
            do=f"it needs {task.name}/train.jsonl, and validation.jsonl and test.jsonl beside it",
        )
    for split, found in files.items():
        if len({_format(path) for path in found}) > 1 or len({p.suffix for p in found}) > 1:
            names = ", ".join(path.name for path in found)
            raise UserError(f"has {split} in several formats: {names}", where=folder, do="keep one")
    return files


def _folder_of(task: Task, data_dir: Path) -> Path:
    """Return DIR/NAME, or the one folder of DIR whose name begins so, or DIR itself."""
    if (exact := data_dir / task.name).is_dir():
        return exact
    begun = [path for path in data_dir.glob(f"{task.name}*") if path.is_dir()]
    return begun[0] if len(begun) == 1 else data_dir


def _split_of(path: Path) -> str | None:
    name = path.name
    if path.is_file():
        if not (ending := _format(path)):
            return None
        name = name[: name.lower().rindex(f".{ending}")]
    found = NAME.search(name)
    return ALIASES[found[1].lower()] if found else None


def read_file(file: Path, kind: Kind) -> Rows:
    """Yield FILE:LINE and each row of a file; `UserError` naming the line for a broken one."""
    return FORMATS[_format_of(file, kind)](file)


def _format(file: Path) -> str | None:
    """Return the ending that tells a file's format, without that of its packing."""
    endings = [ending.lower().removeprefix(".") for ending in file.suffixes]
    if endings and endings[-1] in ("gz", "zst"):
        endings.pop()
    return endings[-1] if endings and endings[-1] in FORMATS else None


def _format_of(file: Path, kind: Kind) -> str:
    ending = _format(file)
    if ending is None:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise UserError("is of no format known here", where=file, do=f"give one of {known}")
    return "words" if kind == "words" and ending == "txt" else ending


def _jsonl(file: Path) -> Rows:
    for where, line in text_lines(file):
        if line.strip():
            yield where, _object(_parsed(line, where), where)


def _json(file: Path) -> Rows:
    """Read a list of objects, or {"data": [...]}, or the articles of SQuAD."""
    found = _parsed("".join(line for _, line in text_lines(file)), str(file))
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        found = found["data"]
    if not isinstance(found, list):
        raise UserError("is no list of JSON objects", where=file)
    rows = (row for one in found for row in _questions(one))
    for number, row in enumerate(rows, 1):
        where = f"{file}[{number}]"
        yield where, _object(row, where)


def _questions(article: Any) -> Iterator[Any]:
    """Yield the questions of an article of SQuAD, each with its context; another row as it is."""
    if not isinstance(article, dict) or "paragraphs" not in article:
        yield article
        return
    try:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield {**question, "context": paragraph["context"]}
    except (KeyError, TypeError):
        yield None


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        said = getattr(err, "msg", "nested too deep")
        raise UserError(f"is no JSON: {said}", where=where) from None


def _object(row: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise UserError("is no JSON object", where=where)
    return row


def _csv(file: Path) -> Rows:
    """Read a table with a header; columns are parted by commas, or semicolons as Excel does."""
    return _table(file, ",")


def _tsv(file: Path) -> Rows:
    return _table(file, "\t")


def _table(file: Path, delimiter: str) -> Rows:
    csv.field_size_limit(1 << 30)  # 131,072 by default, less than a long document
    lines = iter(text_lines(file))
    _, header = next(lines, ("", ""))
    if delimiter == "," and ";" in header and "," not in header:
        delimiter = ";"
    reader = csv.reader(_chained(header, lines), delimiter=delimiter, strict=True)
    where = f"{file}:1"
    try:
        names = next(reader, [])
        if twice := [name for name in names if names.count(name) > 1]:
            raise UserError(f"has two columns {twice[0]!r}", where=where)
        while True:
            where = f"{file}:{reader.line_num + 1}"
            row = next(reader, None)
            if row is None:
                return
            if len(row) != len(names) and row:
                raise UserError(f"{len(row)} cells below {len(names)} columns", where=where)
            if row:
                yield where, dict(zip(names, row, strict=True))
    except csv.Error as err:
        raise UserError(f"is no table: {err}", where=where) from None


def _chained(first: str, lines: Iterator[Line]) -> Iterator[str]:
    yield first
    for _, line in lines:
        yield line


def _parquet(file: Path) -> Rows:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(file)
        names = class_names((table.schema_arrow.metadata or {}).get(b"huggingface"))
        for batch in table.iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield f"{file}:{number}", named_row(row, names)
    except (pyarrow.ArrowException, OSError) as err:
        raise UserError(f"is no whole parquet file: {err}", where=file) from None


FORMATS: Mapping[str, Callable[[Path], Rows]] = {
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "json": _json,
    "csv": _csv,
    "tsv": _tsv,
    "parquet": _parquet,
    "conll": column_rows,
    "txt": column_rows,
    "bio": column_rows,
    "iob": column_rows,
    "conllu": conllu_rows,
    "words": word_rows,
}
"""How each format is read; .words, and .txt for word segmentation, is words between bars."""
