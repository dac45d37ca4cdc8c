"""The split pass: large packed files, which can only be read through, rewritten in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import zstandard

from corpora.inputs import InputFile
from corpora.lines import CHUNK, BrokenFileError, Moved, read_chunks
from corpora.passes.pipeline import Step
from corpora.plan import UNPACKED, Piece, cut_at
from corpora.store import LEVEL
from thaitok.crew import Told
from thaitok.folder import write_json, written


@dataclass(frozen=True, slots=True, repr=False)
class SplitPass:
    """Task i rewrites file i."""

    files: list[InputFile]
    folder: Path
    title: str = "split"

    def sizes(self) -> list[int]:
        """Return a guess: nobody knows how much text a packed file holds."""
        return [file.bytes * UNPACKED[file.packing] for file in self.files]

    def mark(self, rank: int) -> Path:
        """Return the list of the file's pieces."""
        return self.folder / f"file-{rank:05d}.json"

    def steps(self, told: Told) -> list[Step]:
        """Return the only step."""
        return [partial(_split, self, told)]

    def piece(self, rank: int, number: int) -> Path:
        """Return where a piece is written."""
        return self.folder / f"file-{rank:05d}-{number:05d}.zst"

    def pieces(self, rank: int) -> list[Piece]:
        """Return the pieces of a finished file."""
        file = self.files[rank]
        listed = json.loads(self.mark(rank).read_text(encoding="utf-8"))
        paths = (self.piece(rank, number) for number in range(len(listed["pieces"])))
        pieces = [
            Piece(file, path, "zst", size, path.stat().st_size, first)
            for path, (first, size) in zip(paths, listed["pieces"], strict=True)
        ]
        pieces[-1] = replace(pieces[-1], broken=listed["broken"])
        return pieces


def _split(job: SplitPass, told: Told, _: object, rank: int, world_size: int) -> None:
    cuts: list[tuple[int, int]] = []
    chunks = _Chunks(job.files[rank], told)
    first = 1
    while chunks.more() or not cuts:
        size, lines = _write_piece(job.piece(rank, len(cuts)), chunks)
        cuts.append((first, size))
        first += lines
    write_json(job.mark(rank), {"pieces": cuts, "broken": chunks.broken})


def _write_piece(path: Path, chunks: _Chunks) -> tuple[int, int]:
    """Write lines until there are enough; return their bytes and how many line ends they have."""
    size = lines = 0
    packer = zstandard.ZstdCompressor(level=LEVEL)
    with written(path, "wb") as stream, packer.stream_writer(stream, closefd=False) as packed:
        for chunk in chunks.take():
            cut = cut_at(chunk, size)
            part = chunk if cut < 0 else chunk[:cut]
            packed.write(part)
            size += len(part)
            lines += part.count(b"\n")
            if cut >= 0:
                chunks.give_back(chunk[cut:])
                break
    return size, lines


class _Chunks:
    """The unpacked bytes of a file, up to where it is broken, with what a piece left over."""

    def __init__(self, file: InputFile, told: Told) -> None:
        ratio = UNPACKED[file.packing]
        self.broken = ""
        self._held: bytes | None = None
        self._source = self._read(file, lambda size: told(size * ratio, 0))

    def more(self) -> bool:
        """Whether any bytes are left."""
        if self._held is None:
            self._held = next(self._source, None)
        return self._held is not None

    def take(self) -> Iterator[bytes]:
        """Yield the bytes left, in chunks."""
        while self.more() and self._held is not None:
            chunk, self._held = self._held, None
            yield chunk

    def give_back(self, rest: bytes) -> None:
        """Put back what was not used of the last chunk."""
        self._held = rest or None

    def _read(self, file: InputFile, moved: Moved) -> Iterator[bytes]:
        """Yield whole lines; the beginning of one that breaks off is left out, as in reading."""
        rest = b""
        try:
            for chunk in read_chunks(file.path, file.packing, moved):
                rest += chunk
                end = rest.rfind(b"\n") + 1 if len(rest) <= 2 * CHUNK else len(rest)
                if end:
                    yield rest[:end]
                    rest = rest[end:]
        except BrokenFileError as err:
            self.broken = str(err)
        else:
            if rest:
                yield rest
