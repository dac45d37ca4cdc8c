"""Tokenising a corpus once: documents to ids, document offsets and word starts on disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path

import numpy as np
from pydantic import Field

from pretrain.data.shards import TOKENIZER_FOLDER, token_dtype
from thaitok.config import Config
from thaitok.corpus import corpus_inputs, count_documents, read_texts
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, Manifest, package_versions, stage_job, written
from thaitok.progress import progress
from thaitok.rules import normalize
from thaitok.tokenizer import BulkEncoder, tokenizer_facts
from thaitok.words import segment


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
        encoder = PhraseEncoder(config.tokenizer)
        counts = {"documents": 0, "empty": 0, "tokens": 0, "unknown": 0, "shards": 0}
        with progress("shard", count_documents(config.corpus), "documents") as advance:
            for number, shard in enumerate(_shards(config, encoder, counts)):
                shard.write(job.work, number, encoder.pieces)
                counts["shards"] += 1
                advance(len(shard.lengths), note=f"{counts['tokens']:,} tokens")
        if not counts["tokens"]:
            raise UserError("the corpus holds no token", where=config.corpus[0], do="add text")
        (job.work / TOKENIZER_FOLDER).mkdir(exist_ok=True)
        for name in TOKENIZER_FILES:
            shutil.copyfile(config.tokenizer / name, job.work / TOKENIZER_FOLDER / name)
        versions = package_versions("sentencepiece", "nlpo3", "pythainlp", "numpy")
        return job.finish({**counts, "pieces": encoder.pieces}, versions)


class PhraseEncoder:
    """Encode texts to ids with a mark on each id that starts a word, phrase by phrase.

    By a tokenizer with other rules than ours, whole texts are encoded.
    """

    def __init__(self, tokenizer: Path) -> None:
        self.bulk = BulkEncoder(tokenizer)
        self.pieces: int = self.bulk.model.get_piece_size()
        self.known: dict[str, tuple[list[int], list[bool]]] = {}

    def encode(self, text: str) -> tuple[list[int], list[bool]]:
        """Return the ids of a text and whether each starts a word; a space is a word."""
        if self.bulk.foreign is not None:
            encoded = self.bulk.foreign.encode(text, add_special_tokens=False)
            return encoded.ids, _word_starts(text, encoded.offsets)
        ids: list[int] = []
        starts: list[bool] = []
        for number, phrase in enumerate(normalize(text, self.bulk.lower).split(" ")):
            if number:
                ids.append(self.bulk.space)
                starts.append(True)
            if phrase:
                found = self.known.get(phrase) or self._remember(phrase)
                ids += found[0]
                starts += found[1]
        return ids, starts

    def _remember(self, phrase: str) -> tuple[list[int], list[bool]]:
        if len(self.known) >= self.bulk.keep:
            self.known.clear()
        ids, starts = self.bulk.encode_phrase_offsets(phrase)
        words = {0, *accumulate(map(len, segment(phrase)))}
        found = ids, [start in words for start in starts]
        self.known[phrase] = found
        return found


def _word_starts(text: str, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """Say which tokens start a word of the text; of several at one place only the first does."""
    words: set[int] = set()
    place = 0
    for part in re.split(r"(\s+)", text):
        lengths = [len(part)] if part.isspace() else map(len, segment(part))
        words.update(accumulate(lengths, initial=place))
        place += len(part)
    before = chain((-1,), (start for start, _ in offsets))
    return [
        start in words and start != last for (start, _), last in zip(offsets, before, strict=False)
    ]


@dataclass(slots=True)
class _Shard:
    ids: list[np.ndarray] = field(default_factory=list)
    starts: list[np.ndarray] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    tokens: int = 0

    def write(self, folder: Path, number: int, pieces: int) -> None:
        """Write the three files of a shard; bits are packed most significant first."""
        starts = np.concatenate(self.starts)
        columns = {
            f"tokens-{number:05d}.bin": np.concatenate(self.ids),
            f"docs-{number:05d}.idx": np.cumsum([0, *self.lengths], dtype=np.int64),
            f"words-{number:05d}.bits": np.packbits(starts),
        }
        for name, column in columns.items():
            with written(folder / name, "wb") as stream:
                stream.write(column.tobytes())


def _shards(
    config: ShardConfig, encoder: PhraseEncoder, counts: dict[str, int]
) -> Iterator[_Shard]:
    dtype = token_dtype(encoder.pieces)
    shard = _Shard()
    for text in read_texts(config.corpus):
        ids, starts = encoder.encode(text)
        counts["documents"] += 1
        counts["empty"] += not ids
        counts["tokens"] += len(ids)
        counts["unknown"] += ids.count(encoder.bulk.unknown)
        shard.ids.append(np.asarray(ids, dtype))
        shard.starts.append(np.asarray(starts, bool))
        shard.lengths.append(len(ids))
        shard.tokens += len(ids)
        if shard.tokens >= config.shard_tokens:
            yield shard
            shard = _Shard()
    if shard.lengths:
        yield shard
