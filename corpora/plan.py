"""Which pieces of which files each task reads: large files are divided, small ones joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.config import CleanConfig
from corpora.hub import HubFile, hub_pieces
from corpora.inputs import Format, InputFile
from corpora.lines import CHUNK, Packing

PIECE_BYTES = 8_000_000
"""Bytes of text in a piece, and in a task of small files: a second of work."""
UNPACKED = {"": 1, "gz": 4, "zst": 6}
"""How many bytes of Thai one packed byte holds, roughly; the sets measured have 3 to 13."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of documents of one input file."""

    file: InputFile
    path: Path
    """Where the bytes lie: in the file itself, or in a piece of it rewritten for this run."""
    packing: Packing
    bytes: int
    """Bytes of text, roughly."""
    disk_bytes: int
    """Bytes on disk, roughly: what its reader will say that it has read."""
    first: int = 1
    """The number of its first line or row in the file."""
    start: int = 0
    end: int | None = None
    """Bytes of a plain file, or row groups of a parquet file; `end` None: to the last."""
    broken: str = ""
    """Why the file cannot be read beyond this piece."""

    @property
    def format(self) -> Format:
        """How the file is read."""
        return self.file.format


Task = list[Piece]


def by_lines(file: InputFile, config: CleanConfig) -> bool:
    """Whether each document of the file is a line, so that it can be divided at any line."""
    return file.format == "jsonl" or (file.format == "txt" and config.txt_documents == "line")


def needs_unpacking(file: InputFile, config: CleanConfig) -> bool:
    """Whether the file is packed and so large that it is rewritten in pieces first."""
    if isinstance(file, HubFile):
        return False
    large = file.bytes * UNPACKED[file.packing] > 2 * PIECE_BYTES
    return bool(file.packing) and large and by_lines(file, config)


def pieces_of(file: InputFile, config: CleanConfig) -> list[Piece]:
    """Divide a file that need not be unpacked; what cannot be divided is one piece."""
    if isinstance(file, HubFile):
        return hub_pieces(file)
    if file.format == "parquet":
        return row_groups(file, PIECE_BYTES)
    if not file.packing and file.bytes > 2 * PIECE_BYTES and by_lines(file, config):
        return list(_line_ranges(file))
    text_bytes = file.bytes * UNPACKED[file.packing]
    return [Piece(file, file.path, file.packing, text_bytes, file.bytes)]


def tasks_of(pieces: Iterable[Piece]) -> list[Task]:
    """Group neighbouring small pieces to `PIECE_BYTES`; a larger one stands alone.

    Groups depend on the files alone, never on how many workers there are. A folder of 10,000
    small files would otherwise be 10,000 tasks of several bookkeeping files each.
    """
    tasks: list[Task] = []
    room = 0
    for piece in pieces:
        if not tasks or piece.bytes > room:
            tasks.append([])
            room = PIECE_BYTES
        tasks[-1].append(piece)
        room -= piece.bytes
    return tasks


def _line_ranges(file: InputFile) -> Iterator[Piece]:
    start = position = 0
    first = line = 1
    with file.path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            done = 0
            while (cut := cut_at(chunk, position + done - start, done)) >= 0:
                line += chunk.count(b"\n", done, cut)
                end, done = position + cut, cut
                yield Piece(file, file.path, "", end - start, end - start, first, start, end)
                start, first = end, line
            line += chunk.count(b"\n", done)
            position += len(chunk)
    if position > start:
        left = position - start
        yield Piece(file, file.path, "", left, left, first, start, position)


def cut_at(chunk: bytes, size: int, begin: int = 0) -> int:
    """Return where a piece, of `size` bytes before `begin`, ends in the chunk: -1 if after it."""
    enough = begin + max(PIECE_BYTES - size, 1)
    return chunk.find(b"\n", enough - 1) + 1 or -1


def row_groups(file: InputFile, piece_bytes: int) -> list[Piece]:
    """Divide a parquet file at its row groups; a broken one is one piece, whose reader tells."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = [Piece(file, file.path, "", file.bytes, file.bytes)]
    try:
        with file.path.open("rb") as raw:
            table: Any = pq.read_metadata(raw)
    except (pa.ArrowException, OSError) as err:
        if isinstance(err, OSError) and err.errno is not None:
            raise
        return whole
    pieces, first, start, rows, size = [], 1, 0, 0, 0
    for group in range(table.num_row_groups):
        rows += table.row_group(group).num_rows
        size += table.row_group(group).total_byte_size
        if size >= piece_bytes or group == table.num_row_groups - 1:
            disk = file.bytes * rows // max(table.num_rows, 1)
            pieces.append(Piece(file, file.path, "", size, disk, first, start, group + 1))
            first, start, rows, size = first + rows, group + 1, 0, 0
    return pieces or whole
