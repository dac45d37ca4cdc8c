"""Bytes out of plain and packed files, and lines out of bytes, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

import zstandard

Packing = Literal["", "gz", "zst"]
Moved = Callable[[int], None]
"""Told how many bytes of the file on disk were used up."""

CHUNK = 1 << 20
"""Largest piece of unpacked bytes handed on."""
ZSTD_STEP = 1 << 10
"""Packed bytes unpacked at once: zstd packs up to 128 KiB in 4 bytes, so a step of a hostile
file yields 32 MiB at most."""
EXCERPT_BYTES = 600
"""What is kept of a line too long to read: 200 Thai letters."""


class BrokenFileError(Exception):
    """The file cannot be read any further; what came before stands."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, numbered from 1; only its beginning if it is not `whole`."""

    number: int
    data: bytes
    whole: bool = True


def read_chunks(
    path: Path, packing: Packing, moved: Moved, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file in pieces of at most `CHUNK`.

    `start` and `end` give a range of bytes of a plain file. Raises `BrokenFileError` where the
    packed data end early or are damaged.
    """
    unpackers: dict[Packing, Callable[[IO[bytes]], Iterator[bytes]]] = {
        "": partial(_plain, end=end),
        "gz": _gunzip,
        "zst": _unzstd,
    }
    unpack = unpackers[packing]
    seen = start
    with path.open("rb") as raw:
        raw.seek(start)
        try:
            for chunk in unpack(raw):
                place = raw.tell()
                moved(place - seen)
                seen = place
                yield chunk
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as err:
            raise BrokenFileError(str(err)) from err
        moved(raw.tell() - seen)


def _plain(raw: IO[bytes], end: int | None) -> Iterator[bytes]:
    while chunk := raw.read(CHUNK if end is None else min(CHUNK, end - raw.tell())):
        yield chunk


def _gunzip(raw: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
        # read1, since read would lose what it holds when the next bytes are damaged.
        while chunk := stream.read1(CHUNK):
            yield chunk


def _unzstd(raw: IO[bytes]) -> Iterator[bytes]:
    # zstandard's stream_reader takes a truncated file for a finished one, so frames are
    # followed by hand.
    unpacker = zstandard.ZstdDecompressor()
    frame = None
    while step := raw.read(ZSTD_STEP):
        while step:
            frame = frame or unpacker.decompressobj()
            unpacked = frame.decompress(step)
            for start in range(0, len(unpacked), CHUNK):
                yield unpacked[start : start + CHUNK]
            step = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = None
    if frame is not None:
        raise EOFError("Compressed file ended before the end of its last frame")


def read_lines(chunks: Iterable[bytes], max_bytes: int, first: int = 1) -> Iterator[Line]:
    """Yield the lines of a byte stream; of a line above `max_bytes` only its beginning.

    A line ends at LF or CR LF; the last may lack its end. `first` is the number of the first
    line; in line 1 a byte order mark is left out.
    """
    number = first
    held: list[bytes] = []
    size = 0

    def finished() -> Line:
        data = b"".join(held)
        if number == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        return Line(number, data.removesuffix(b"\r"), whole=size <= max_bytes)

    for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            size = _hold(held, size, chunk[start:end], max_bytes)
            yield finished()
            held.clear()
            size, number, start = 0, number + 1, end + 1
        size = _hold(held, size, chunk[start:], max_bytes)
    if size:
        yield finished()


def _hold(held: list[bytes], size: int, piece: bytes, max_bytes: int) -> int:
    """Add a piece to the line being held, or cut the line when it is too long already."""
    size += len(piece)
    if size <= max_bytes:
        held.append(piece)
    elif size - len(piece) <= max_bytes:
        held[:] = [b"".join([*held, piece])[:EXCERPT_BYTES]]
    return size
