"""Whether a Hub file has the text column, before anything is read of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from corpora.hub.files import HubFile
from corpora.lines import BrokenFileError, read_chunks, read_lines
from thaitok.errors import UserError

LOOKED_AT = 100
"""Records in which the text column is looked for before a file of JSON lines is turned down."""
LINE_BYTES = 1 << 24
"""Longest line looked at."""


def checked(files: list[HubFile]) -> list[HubFile]:
    """Look for the text column in the first file; let `datasets` read files of a JSON array."""
    first = files[0]
    if first.format == "parquet":
        require_column(first, table_columns(first))
    elif first.module:
        _require_key(first, stream(first.module, first.place.url))
    elif first.format == "jsonl":
        with first.path.open("rb") as raw:
            array = not first.packing and raw.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
        if array:
            files = [replace(file, module="json") for file in files]
            _require_key(files[0], stream("json", first.place.url))
        else:
            _require_key(first, _records(first))
    elif first.format == "csv":
        require_column(first, _header(first), "has no column")
    return files


def table_columns(file: HubFile) -> list[str]:
    """Return the text columns of a parquet file; none where its footer is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from corpora.columns import _holds_text

    try:
        with file.path.open("rb") as raw:
            return [field.name for field in pq.read_schema(raw) if _holds_text(field.type)]
    except pa.ArrowException:
        return []


def require_column(file: HubFile, columns: list[str], what: str = "has no text column") -> None:
    """Raise `UserError` when a file has columns and the text column is none of them."""
    if columns and file.column not in columns:
        do = f"give another after #, one of: {', '.join(columns[:20])}"
        raise UserError(f"{what} {file.column!r}", where=str(file.place), do=do)


def stream(module: str, url: str) -> Any:
    """Return the rows of a file as the streaming of `datasets` gives them."""
    import datasets

    return datasets.load_dataset(module, data_files={"train": [url]}, split="train", streaming=True)


def _require_key(file: HubFile, records: Iterable[Any]) -> None:
    keys: dict[str, None] = {}
    for record in islice(records, LOOKED_AT):
        if isinstance(record, dict):
            keys |= dict.fromkeys(map(str, record))
            if file.column in keys:
                return
    require_column(file, list(keys), "has no key")


def _records(file: HubFile) -> Iterator[Any]:
    try:
        for line in read_lines(read_chunks(file.path, file.packing, lambda _: None), LINE_BYTES):
            try:
                yield json.loads(line.data)
            except (ValueError, RecursionError):
                continue
    except BrokenFileError:
        return


def _header(file: HubFile) -> list[str]:
    try:
        chunks = read_chunks(file.path, file.packing, lambda _: None)
        first = next(iter(read_lines(chunks, 1 << 24)), None)
    except BrokenFileError:
        return []
    return next(csv.reader([first.data.decode("utf-8", "replace")]), []) if first else []
