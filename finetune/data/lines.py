"""Lines of a text file, packed or not, each with its place."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from thaitok.errors import UserError

Line = tuple[str, str]
"""FILE:LINE, and the line with its end."""


def text_lines(file: Path) -> Iterator[Line]:
    """Yield the lines of a file, plain or .gz or .zst; a byte order mark is no part of the first.

    Raises `UserError` for a broken packing, and naming FILE:LINE for bytes that are not UTF-8.
    """
    for number, line in enumerate(_lines(file), 1):
        where = f"{file}:{number}"
        try:
            yield where, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UserError("is not UTF-8 text", where=where, do="save it as UTF-8") from None


def _lines(file: Path) -> Iterator[bytes]:
    if file.suffix == ".zst":
        yield from _zstd_lines(file)
    elif file.suffix == ".gz":
        try:
            with gzip.open(file) as stream:
                yield from stream
        except (EOFError, gzip.BadGzipFile, zlib.error) as err:
            raise UserError(f"is no whole gzip file: {err}", where=file) from None
    else:
        with file.open("rb") as stream:
            yield from stream


def _zstd_lines(file: Path) -> Iterator[bytes]:
    import zstandard

    with file.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        try:
            yield from io.BufferedReader(stream)
        except zstandard.ZstdError as err:
            raise UserError(f"is no whole zstd file: {err}", where=file) from None
