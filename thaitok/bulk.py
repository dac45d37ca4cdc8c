"""Encoding many texts on all cores: ids in the order of the texts, whatever the cores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from thaitok.crew import Job, Told, cores, run_locally
from thaitok.tokenizer import BulkEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.unsignedinteger[Any]]

BLOCK_CHARS = 1 << 20
"""Characters that are encoded together."""
TASK_CHARS = 4 << 20
"""Characters of a worker's task."""


def encode_texts(
    folder: Path, texts: Iterable[str], workers: int | None = None, scratch: Path | None = None
) -> Iterator[Ids]:
    """Yield the ids of each text, without `<s>` and `</s>`, as `BulkEncoder` gives them.

    Arrays have shape (tokens,), of uint16 up to 65,536 pieces, else uint32. With one worker it
    is done here, a megabyte at a time. Several (all cores by default) are processes of their
    own, which take a second to begin: texts wait for them, and ids for the caller, in files in a
    folder under `scratch`, the system's temporary folder by default. Raises `UserError` for a
    folder without a tokenizer.
    """
    encoder = BulkEncoder(folder)
    workers = workers or cores()
    if workers == 1:
        for block in _blocks(texts, BLOCK_CHARS):
            yield from _arrays(encoder, block)
        return
    with TemporaryDirectory(dir=scratch, prefix="thaitok-") as work:
        yield from _in_parallel(_Spool(folder, Path(work)), texts, workers)


@dataclass(frozen=True, slots=True)
class _Spool:
    """Where the tasks of a job find their texts and leave their ids."""

    tokenizer: Path
    work: Path

    def texts(self, number: int) -> Path:
        return self.work / f"{number:06d}.txt"

    def bounds(self, number: int) -> Path:
        return self.work / f"{number:06d}.bounds"

    def ids(self, number: int) -> Path:
        return self.work / f"{number:06d}.ids"

    def ends(self, number: int) -> Path:
        return self.work / f"{number:06d}.ends"


def _in_parallel(spool: _Spool, texts: Iterable[str], workers: int) -> Iterator[Ids]:
    import numpy as np

    sizes = []
    for number, block in enumerate(_blocks(texts, TASK_CHARS)):
        # Not JSON: to write and to read it took as long as a fifth of the encoding.
        packed = "".join(block).encode("utf-8", "surrogatepass")
        spool.texts(number).write_bytes(packed)
        np.cumsum([len(text) for text in block]).tofile(spool.bounds(number))
        sizes.append(len(packed))
    job = Job(_encode_task, spool, sizes)
    run_locally(job, range(len(sizes)), max(1, min(workers, len(sizes))), lambda *_: None)
    code = BulkEncoder(spool.tokenizer).code
    for number in range(len(sizes)):
        ids = np.fromfile(spool.ids(number), dtype=code)
        yield from np.split(ids, np.fromfile(spool.ends(number), np.int64)[:-1])
        spool.ids(number).unlink()


def _encode_task(spool: _Spool, number: int, told: Told) -> None:
    """Encode the texts of one file; what a worker remembers of phrases it keeps between tasks."""
    import numpy as np

    encoder = _encoder(spool.tokenizer)
    packed: list[bytes] = []
    text = spool.texts(number).read_bytes().decode("utf-8", "surrogatepass")
    bounds = [0, *np.fromfile(spool.bounds(number), np.int64).tolist()]
    texts = (text[start:end] for start, end in pairwise(bounds))
    for block in _blocks(texts, BLOCK_CHARS):
        packed += encoder.encode_packed(block)
    ends = np.cumsum([len(ids) for ids in packed]) // np.dtype(encoder.code).itemsize
    ends.astype(np.int64).tofile(spool.ends(number))
    spool.ids(number).write_bytes(b"".join(packed))
    spool.texts(number).unlink()


_encoders: dict[Path, BulkEncoder] = {}


def _encoder(folder: Path) -> BulkEncoder:
    if folder not in _encoders:
        _encoders.clear()
        _encoders[folder] = BulkEncoder(folder)
    return _encoders[folder]


def _arrays(encoder: BulkEncoder, texts: Sequence[str]) -> Iterator[Ids]:
    import numpy as np

    for ids in encoder.encode_packed(texts):
        yield np.frombuffer(ids, dtype=encoder.code)


def _blocks(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text) + 1
        if size >= most:
            yield block
            block, size = [], 0
    if block:
        yield block
