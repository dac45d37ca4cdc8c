"""Tokenising a corpus once: documents to ids, document offsets and word starts on disk.

A task is a part of a corpus or a slice of one. Workers leave what they encode in files, which are
joined in the order of the corpus: so the bytes do not depend on how many workers there are, and
memory is that of a block of texts each.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zstandard
from pydantic import Field

from pretrain.data.shards import TOKENIZER_FOLDER, Tokens, mapped, token_dtype, write_shards
from thaitok.card import CORPORA, provenance
from thaitok.config import Config
from thaitok.corpus import corpus_inputs, corpus_parts
from thaitok.crew import MEGABYTE, Job, Told, in_megabytes, run_job
from thaitok.errors import UserError
from thaitok.folder import (
    JOB,
    TOKENIZER_FILES,
    Manifest,
    package_versions,
    stage_job,
    write_json,
    written,
)
from thaitok.progress import progress
from thaitok.tokenizer import BulkEncoder, tokenizer_facts
from thaitok.word_starts import PhraseEncoder

BLOCK_CHARS = 1 << 20
"""Characters of documents that are encoded together."""
SLICE_BYTES = 8_000_000
"""Packed bytes of a corpus's part for each slice of it: some seconds of work."""
MOST_TASKS = 64
"""Beyond as many parts none is sliced: each slice unpacks its whole part, at 650 MB/s."""
DEALT = 128
"""Documents in a row that go to one slice."""


class ShardConfig(Config):
    """How to tokenise a corpus."""

    corpus: tuple[Path, ...] = Field(min_length=1)
    """Finished corpus folders."""
    tokenizer: Path
    """A tokenizer folder."""
    out: Path
    """The shards folder to make."""
    shard_tokens: int = Field(default=100_000_000, ge=1_000)
    """Tokens after which a new shard is begun."""
    workers: int | None = Field(default=None, ge=1)
    """Processes; none: all cores. The result does not depend on it."""


def shard_corpus(config: ShardConfig) -> Manifest:
    """Tokenise corpora to memory-mapped shards; a finished folder is returned as it is.

    A document that is empty after normalising has no tokens and is counted as such. Raises
    `UserError` for an unfinished corpus or a folder without a tokenizer.
    """
    inputs = (*corpus_inputs(config.corpus), *tokenizer_facts(config.tokenizer))
    settings = config.model_dump(mode="json", include={"shard_tokens"})
    with stage_job(config.out, "shards", settings, inputs) as job:
        if job.done:
            return job.done
        versions = package_versions("sentencepiece", "tokenizers", "nlpo3", "pythainlp", "numpy")
        slices = _slices(corpus_parts(config.corpus))
        scratch = _scratch(job.work, repr((slices, versions)))
        _encode_all(config, slices, scratch)
        encoder = BulkEncoder(config.tokenizer)
        pieces: int = encoder.model.get_piece_size()
        documents = _in_order(slices, scratch, token_dtype(pieces))
        counts = write_shards(job.work, documents, config.shard_tokens, encoder.unknown)
        if not counts["tokens"]:
            raise UserError("the corpus holds no token", where=config.corpus[0], do="add text")
        shutil.rmtree(scratch)
        (job.work / TOKENIZER_FOLDER).mkdir(exist_ok=True)
        for name in TOKENIZER_FILES:
            shutil.copyfile(config.tokenizer / name, job.work / TOKENIZER_FOLDER / name)
        write_json(job.work / CORPORA, provenance(config.corpus))
        return job.finish({**counts, "pieces": pieces}, versions)


def _scratch(work: Path, key: str) -> Path:
    """Return the folder of what is encoded; a stopped run's is taken up if all is as it was."""
    scratch = work / f".encoded-{sha256(key.encode()).hexdigest()[:12]}"
    if not scratch.exists():
        for path in work.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != JOB:
                path.unlink()
        scratch.mkdir()
    return scratch


def _encode_all(config: ShardConfig, slices: tuple[_Slice, ...], scratch: Path) -> None:
    todo = tuple(
        number for number in range(len(slices)) if not _file(scratch, number, "lengths").exists()
    )
    sizes = [slices[number].bytes for number in todo]
    job = Job(_encode_slice, _Work(config.tokenizer, slices, todo, scratch), sizes)
    try:
        with progress("shard", -(-sum(sizes) // MEGABYTE), "MB packed") as advance:
            run_job(job, config.workers, in_megabytes(advance))
    finally:
        _encoders.clear()  # another tokenizer may come to lie in this folder


class _Slice(NamedTuple):
    """A task: every `of`th row of `DEALT` documents of a part, from row `number` on."""

    part: Path
    number: int
    of: int
    bytes: int
    """Packed bytes of the part that are its share."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What every worker must know."""

    tokenizer: Path
    slices: tuple[_Slice, ...]
    todo: tuple[int, ...]
    """Which slices are still to be encoded."""
    folder: Path


def _file(folder: Path, number: int, kind: str) -> Path:
    return folder / f"{number:06d}.{kind}"


def _slices(parts: Sequence[Path]) -> tuple[_Slice, ...]:
    """Slice a corpus by its size alone, so that how many workers there are changes nothing."""
    found: list[_Slice] = []
    for part in parts:
        size = part.stat().st_size
        of = max(1, min(-(-size // SLICE_BYTES), -(-MOST_TASKS // len(parts))))
        found += (_Slice(part, number, of, size // of) for number in range(of))
    return tuple(found)


def _texts(task: _Slice) -> Iterator[str]:
    with (
        task.part.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as unpacked,
        io.BufferedReader(unpacked, MEGABYTE) as lines,
    ):
        try:
            for number, line in enumerate(lines):
                if number // DEALT % task.of == task.number:
                    yield json.loads(line)["text"]
        except (zstandard.ZstdError, ValueError, KeyError, TypeError) as err:
            do = "make the corpus folder again"
            raise UserError(f"is damaged: {err}", where=task.part, do=do) from err


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK_CHARS:
            yield block
            block, size = [], 0
    if block:
        yield block


_encoders: dict[Path, PhraseEncoder] = {}
"""What a worker remembers of phrases it keeps between tasks."""


def _encode_slice(work: _Work, rank: int, told: Told) -> None:
    """Encode the documents of a slice; the file of lengths, written last, says that it is done."""
    number = work.todo[rank]
    if work.tokenizer not in _encoders:
        _encoders.clear()
        _encoders[work.tokenizer] = PhraseEncoder(work.tokenizer)
    lengths = []
    with (
        written(_file(work.folder, number, "ids"), "wb") as ids,
        written(_file(work.folder, number, "starts"), "wb") as starts,
    ):
        for texts in _blocks(_texts(work.slices[number])):
            found = Tokens(*_encoders[work.tokenizer].encode(texts))
            ids.write(found.ids.data)
            starts.write(found.starts.data)
            lengths.append(found.lengths)
    with written(_file(work.folder, number, "lengths"), "wb") as stream:
        stream.write(np.concatenate([np.zeros(0, np.int64), *lengths]).data)


def _in_order(slices: Sequence[_Slice], folder: Path, dtype: type) -> Iterator[Tokens]:
    """Yield all documents as the corpus has them, and delete the files of each part."""
    for first in (number for number, one in enumerate(slices) if one.number == 0):
        numbers = range(first, first + slices[first].of)
        yield from _dealt_back([_read(folder, number, dtype) for number in numbers])
        for number in numbers:
            for kind in ("lengths", "starts", "ids"):  # without the first, it is not done
                _file(folder, number, kind).unlink()


def _read(folder: Path, number: int, dtype: type) -> Tokens:
    lengths = np.fromfile(_file(folder, number, "lengths"), np.int64)
    starts = mapped(_file(folder, number, "starts"), np.bool_)
    return Tokens(mapped(_file(folder, number, "ids"), dtype), starts, lengths)


def _dealt_back(slices: Sequence[Tokens]) -> Iterator[Tokens]:
    ends = [np.concatenate([np.zeros(1, np.int64), np.cumsum(one.lengths)]) for one in slices]
    rows = -(-sum(len(one.lengths) for one in slices) // DEALT)
    for row in range(rows):
        one, end = slices[row % len(slices)], ends[row % len(slices)]
        first = row // len(slices) * DEALT
        places = end[first : first + DEALT + 1]
        start, stop = int(places[0]), int(places[-1])
        yield Tokens(one.ids[start:stop], one.starts[start:stop], np.diff(places))
