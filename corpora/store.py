"""The store between two passes: records in small zstd frames, read in order or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import numpy as np
import orjson
import zstandard

from thaitok.folder import written

FRAME_BYTES = 1_000_000
"""Bytes of a frame before packing: to read one record, its frame is unpacked, in about 1 ms."""
LEVEL = 1
"""zstd's quickest: the store is read once or twice and thrown away."""
OPEN_FRAMES = 8
"""Unpacked frames held for records that are read one by one."""


class Record(TypedDict):
    """A document on its way through the passes."""

    place: str
    """Where it was read: the file's name and the line, unique in the corpus."""
    text: str
    file: str
    line: int
    own_id: str | None
    source: str
    counted: str
    """The name under which the task's ledger counts its source."""
    thai_share: float | None
    """The share of Thai among its letters, once it is judged."""


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records to `path` and the places of its frames beside it, whole or not at all."""
    packer = zstandard.ZstdCompressor(level=LEVEL)
    frames: list[tuple[int, int]] = []
    held: list[bytes] = []
    size = count = 0
    with written(path, "wb") as stream:

        def pack() -> None:
            nonlocal size
            if held:
                frames.append((count - len(held), stream.tell()))
                stream.write(packer.compress(b"".join(held)))
                held.clear()
                size = 0

        for record in records:
            held.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            size += len(held[-1])
            count += 1
            if size >= FRAME_BYTES:
                pack()
        pack()
        frames.append((count, stream.tell()))
    with written(_frames_of(path), "wb") as stream:
        stream.write(np.array(frames, dtype="<i8").tobytes())


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a store in their order."""
    frames = _frames(path)
    with path.open("rb") as stream:
        for number in range(len(frames) - 1):
            for line in _unpacked(stream.read(frames[number + 1, 1] - frames[number, 1])):
                yield orjson.loads(line)


class RecordReader:
    """Reads single records of several stores, numbered through from 0."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self.frames = [_frames(path) for path in self.paths]
        counts = [int(frames[-1, 0]) for frames in self.frames]
        self.firsts = np.cumsum([0, *counts])
        """The number of each store's first record, and of all records."""
        self._frame = lru_cache(OPEN_FRAMES)(self._read_frame)

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def __getitem__(self, index: int) -> Record:
        store = int(np.searchsorted(self.firsts, index, side="right")) - 1
        within = index - int(self.firsts[store])
        frame = int(np.searchsorted(self.frames[store][:, 0], within, side="right")) - 1
        line = self._frame(store, frame)[within - int(self.frames[store][frame, 0])]
        record: Record = orjson.loads(line)
        return record

    def _read_frame(self, store: int, frame: int) -> list[bytes]:
        start, end = self.frames[store][frame : frame + 2, 1]
        with self.paths[store].open("rb") as stream:
            stream.seek(start)
            return _unpacked(stream.read(end - start))


def _unpacked(packed: bytes) -> list[bytes]:
    return zstandard.ZstdDecompressor().decompress(packed).split(b"\n")[:-1]


def _frames_of(path: Path) -> Path:
    return path.with_suffix(".frames")


def _frames(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return each frame's first record and first byte, and last the count and the size."""
    return np.fromfile(_frames_of(path), dtype="<i8").reshape(-1, 2)
