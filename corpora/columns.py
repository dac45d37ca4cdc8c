"""Readers of tables, .csv and .parquet, whose header must have the text column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.config import CleanConfig
from corpora.counts import excerpt
from corpora.inputs import InputFile
from corpora.lines import BrokenFileError, Line, Moved, read_chunks, read_lines
from corpora.plan import Piece
from corpora.records import Fault, Found, encodable, name_of, record_of, sound
from thaitok.errors import UserError

TOO_LONG = "\udc00"
"""Stands for a line too long to read. `surrogateescape` never makes it: it begins at U+DC80."""
BATCH_ROWS = 128
"""Rows of parquet decoded at once."""
TAKEN = ("id", "source")
"""Columns taken along where a table has them."""


def check_column(file: InputFile, config: CleanConfig) -> None:
    """Raise `UserError` if a table lacks the text column; a broken table is no matter here."""
    if file.format not in ("csv", "parquet"):
        return
    try:
        columns = _csv_header(file, config) if file.format == "csv" else _text_columns(file.path)
    except BrokenFileError:
        return
    if columns is not None and config.text_column not in columns:
        place = f"{file.path}:1" if file.format == "csv" else file.path
        raise UserError(
            f"has no {'text ' if file.format == 'parquet' else ''}column {config.text_column!r}",
            where=place,
            do=f"give text_column, one of: {', '.join(map(excerpt, columns))}",
        )


def read_csv(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read a table of comma-separated values with a header; a field may span lines."""
    lines = read_lines(read_chunks(piece.path, piece.packing, moved), config.max_line_bytes)
    rows = _csv_rows(lines, config.max_line_bytes)
    header: Sequence[str] | None = None
    for line, row in rows:
        if isinstance(row, Fault):
            yield row
        elif header is None:
            header = row
        elif row:
            yield _row_of(line, dict(zip(header, row, strict=False)), config.text_column)


def _csv_rows(lines: Iterable[Line], limit: int) -> Iterator[tuple[int, list[str] | Fault]]:
    """Yield each row with the number of its first line."""
    reader = csv.reader(_csv_text(lines))
    first = 1
    while True:
        # The limit is the module's own, so it is set anew before each row and put back.
        before = csv.field_size_limit(limit)
        try:
            row: list[str] | Fault = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            row = Fault(first, "not_csv", str(err))
        finally:
            csv.field_size_limit(before)
        yield first, row
        first = reader.line_num + 1


def _csv_text(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if line.whole:
            yield line.data.decode("utf-8", "surrogateescape") + "\n"
        else:
            yield TOO_LONG + "\n"


def _row_of(line: int, row: dict[str, str], text_column: str) -> Found | Fault:
    joined = ",".join(row.values())
    if encodable(joined):
        return record_of(line, row, text_column)
    if TOO_LONG in joined:
        return Fault(line, "too_many_bytes", joined)
    return Fault(line, "not_utf8", joined.encode("utf-8", "surrogateescape"))


def _csv_header(file: InputFile, config: CleanConfig) -> list[str] | None:
    lines = read_lines(read_chunks(file.path, file.packing, lambda _: None), config.max_line_bytes)
    for _, row in _csv_rows(lines, config.max_line_bytes):
        return [] if isinstance(row, Fault) else row
    return None


def read_parquet(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Read the text column of some row groups in small batches."""
    seen = piece.first - 1
    with piece.path.open("rb") as raw:
        try:
            table = pq.ParquetFile(raw, pre_buffer=False, buffer_size=1 << 20)
            wanted = [config.text_column, *_taken(table, config.text_column)]
            groups = range(table.num_row_groups)[piece.start : piece.end]
            for batch in table.iter_batches(BATCH_ROWS, row_groups=groups, columns=wanted):
                yield from _batch_rows(batch, seen, config)
                seen += batch.num_rows
                moved(piece.file.bytes * batch.num_rows // max(table.metadata.num_rows, 1))
        except (pa.ArrowException, OSError) as err:
            if isinstance(err, OSError) and err.errno is not None:
                raise
            raise BrokenFileError(str(err)) from err


def _taken(table: Any, text_column: str) -> list[str]:
    return [name for name in TAKEN if name in table.schema_arrow.names and name != text_column]


def _batch_rows(batch: Any, seen: int, config: CleanConfig) -> Iterator[Found | Fault]:
    columns = {name: batch.column(name) for name in batch.schema.names}
    texts = _as_bytes(columns.pop(config.text_column))
    names = {key: column.to_pylist() for key, column in columns.items() if not _is_text(column)}
    names |= {key: _as_bytes(column) for key, column in columns.items() if _is_text(column)}
    for index, value in enumerate(texts):
        own = {key: _name(values[index]) for key, values in names.items()}
        yield _value_of(seen + index + 1, value, own, config)


def _value_of(
    line: int, value: bytes | None, own: dict[str, str | None], config: CleanConfig
) -> Found | Fault:
    if value is None:
        return Fault(line, "no_text", "null")
    if len(value) > config.max_line_bytes:
        return Fault(line, "too_many_bytes", value[:1000])
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return Fault(line, "not_utf8", value)
    return sound(line, text, own.get("id"), own.get("source"))


def _name(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return name_of(value)


def _as_bytes(column: Any) -> list[bytes | None]:
    """Return the values as bytes: Arrow's own decoding raises on the first that is not UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _is_text(column: Any) -> bool:
    return _holds_text(column.type)


def _holds_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _text_columns(path: Path) -> list[str]:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as err:
        if isinstance(err, OSError) and err.errno is not None:
            raise
        raise BrokenFileError(str(err)) from err
    return [field.name for field in schema if _holds_text(field.type)]
