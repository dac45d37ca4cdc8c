"""Token shards: what `thaitok shard` writes and pretraining maps into memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, Manifest, file_facts, read_manifest, written
from thaitok.rules import SPACE_TOKEN

TOKENIZER_FOLDER = "tokenizer"
"""A shards folder carries the tokenizer its ids belong to."""

UINT16_PIECES = 65_536
"""Up to as many pieces an id is stored in two bytes, beyond in four."""

_BYTE = re.compile("<0x([0-9A-F]{2})>")

AGAIN = "make the shards again with `thaitok shard`"


def token_dtype(pieces: int) -> type[np.uint16] | type[np.uint32]:
    """Return the type that stores the ids of a vocabulary."""
    return np.uint16 if pieces <= UINT16_PIECES else np.uint32


class Tokens(NamedTuple):
    """Documents as tokens, one after another."""

    ids: NDArray[np.unsignedinteger]
    starts: NDArray[np.bool_]
    """Whether each token starts a word; a space is a word."""
    lengths: NDArray[np.int64]
    """Tokens of each document."""


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """Ids of a tokenizer's special tokens."""

    bos: int
    pad: int
    eos: int
    unk: int
    mask: int


@dataclass(frozen=True, slots=True)
class TokenShards:
    """The documents of a shards folder: ids without special tokens, mapped, never loaded whole."""

    folder: Path
    manifest: Manifest
    tokens: Sequence[NDArray[np.unsignedinteger]]
    """Ids of each shard, one document after another."""
    words: Sequence[NDArray[np.uint8]]
    """A bit a token of each shard, most significant first: whether it starts a word."""
    offsets: Sequence[NDArray[np.int64]]
    """Where each document of a shard starts, and where the last one ends."""
    first: NDArray[np.int64]
    """Number of the first document of each shard, and the number of all documents."""

    def __len__(self) -> int:
        return int(self.first[-1])

    @property
    def pieces(self) -> int:
        """Size of the vocabulary."""
        return int(self.manifest.counts["pieces"])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each document."""
        return np.concatenate([np.diff(offsets) for offsets in self.offsets])

    @property
    def special(self) -> SpecialIds:
        """Ids of the special tokens, by the tokenizer that lies in the folder."""
        config = _tokenizer_json(self.folder, TOKENIZER_FILES[1])
        added = _tokenizer_json(self.folder, TOKENIZER_FILES[0])["added_tokens"]
        ids = {token["content"]: token["id"] for token in added}
        names = ("bos", "pad", "eos", "unk", "mask")
        return SpecialIds(**{name: ids[config[f"{name}_token"]] for name in names})

    def document(self, number: int) -> NDArray[np.unsignedinteger]:
        """Return the ids of a document."""
        shard, start, end = self._place(number)
        return self.tokens[shard][start:end]

    def word_starts(self, number: int, start: int, end: int) -> NDArray[np.bool_]:
        """Return whether each of the tokens `start` to `end` of a document starts a word."""
        shard, begin, stop = self._place(number)
        begin, stop = begin + start, min(begin + end, stop)
        bits = np.unpackbits(self.words[shard][begin // 8 : -(-stop // 8)])
        return bits[begin % 8 :][: stop - begin].view(np.bool_)

    def _place(self, number: int) -> tuple[int, int, int]:
        shard = int(np.searchsorted(self.first, number, side="right")) - 1
        offsets, row = self.offsets[shard], number - int(self.first[shard])
        return shard, int(offsets[row]), int(offsets[row + 1])


def open_shards(folder: Path) -> TokenShards:
    """Map a finished shards folder; `UserError` when it is not one, or its files do not fit."""
    manifest = read_manifest(folder, "shards")
    dtype = token_dtype(int(manifest.counts["pieces"]))
    offsets = [_offsets(path) for path in _files(folder, manifest, "docs-")]
    many = [int(one[-1]) for one in offsets]
    tokens = [mapped(path, dtype) for path in _files(folder, manifest, "tokens-", many, dtype)]
    bits = [-(-one // 8) for one in many]
    words = [mapped(path, np.uint8) for path in _files(folder, manifest, "words-", bits)]
    first = np.cumsum([0, *(len(one) - 1 for one in offsets)])
    return TokenShards(folder, manifest, tokens, words, offsets, first)


def mapped(path: Path, dtype: type) -> NDArray[Any]:
    """Map a file of values into memory; an empty one, which cannot be mapped, is read."""
    if not path.stat().st_size:
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, "r")


def _files(
    folder: Path,
    manifest: Manifest,
    start: str,
    sizes: Sequence[int] | None = None,
    dtype: type = np.uint8,
) -> list[Path]:
    """Return the files of one kind, one a shard; `sizes` are what each has to hold."""
    paths = [folder / facts.name for facts in manifest.files if facts.name.startswith(start)]
    if sizes is not None and len(paths) != len(sizes):
        what = f"{len(paths)} files {start}* for {len(sizes)} of documents"
        raise UserError(what, where=folder, do=AGAIN)
    for path, size in zip(paths, sizes or (), strict=False):
        wanted = size * np.dtype(dtype).itemsize
        if path.stat().st_size != wanted:
            what = f"has {path.stat().st_size:,} bytes where its documents need {wanted:,}"
            raise UserError(what, where=path, do=AGAIN)
    return paths


def _offsets(path: Path) -> NDArray[np.int64]:
    size = path.stat().st_size
    offsets = np.fromfile(path, np.int64)
    if size % offsets.itemsize or len(offsets) < 2 or offsets[0] != 0:
        raise UserError("holds no offsets of documents", where=path, do=AGAIN)
    return offsets


def piece_lengths(shards: TokenShards) -> NDArray[np.int64]:
    """Return how many characters of normalised text each id stands for, shape (pieces,).

    The space token and SentencePiece's `▁` are one, special tokens none. `<unk>` counts as one,
    though it may stand for several unknown characters in a row. Of the bytes that write a
    character only the first counts (those of UTF-8 that go on, 0x80 to 0xBF, do not). A `▁` that
    a tokenizer puts before a text counts too.
    """
    tokenizer = _tokenizer_json(shards.folder, TOKENIZER_FILES[0])
    vocabulary = tokenizer["model"]["vocab"]
    pieces = (
        {piece: number for number, (piece, _) in enumerate(vocabulary)}
        if isinstance(vocabulary, list)
        else dict(vocabulary)
    )
    pieces |= {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    lengths = np.zeros(max(shards.pieces, 1 + max(pieces.values())), np.int64)
    for piece, number in pieces.items():
        lengths[number] = _characters(piece)
    lengths[special_ids(shards)] = 0
    lengths[shards.special.unk] = 1
    return lengths


def special_ids(shards: TokenShards) -> list[int]:
    """Return the ids of all special tokens, which stand for no text; the space token does."""
    added = _tokenizer_json(shards.folder, TOKENIZER_FILES[0])["added_tokens"]
    return [token["id"] for token in added if token["special"] and token["content"] != SPACE_TOKEN]


def _characters(piece: str) -> int:
    if piece == SPACE_TOKEN:
        return 1
    if byte := _BYTE.fullmatch(piece):
        return int(not 0x80 <= int(byte[1], 16) < 0xC0)
    return len(piece)


def _tokenizer_json(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / TOKENIZER_FOLDER / name).read_bytes())
    return found


def verify_shards(folder: Path) -> Manifest:
    """Read every file of a shards folder again: its sha256, and what ids and offsets may be.

    Raises `UserError` that names the file at fault.
    """
    shards = open_shards(folder)
    for facts in shards.manifest.files:
        if file_facts(folder / facts.name, facts.name) != facts:
            what = "is not the file its manifest describes"
            raise UserError(what, where=folder / facts.name, do=AGAIN)
    for number, (ids, offsets) in enumerate(zip(shards.tokens, shards.offsets, strict=True)):
        if (np.diff(offsets) < 0).any():
            what = "offsets of documents go back"
            raise UserError(what, where=folder / f"docs-{number:05d}.idx", do=AGAIN)
        if len(ids) and ids.max() >= shards.pieces:
            what = f"id {ids.max()} is outside the vocabulary of {shards.pieces:,}"
            raise UserError(what, where=folder / f"tokens-{number:05d}.bin", do=AGAIN)
    return shards.manifest


def write_shards(
    folder: Path, documents: Iterable[Tokens], shard_tokens: int, unknown: int
) -> dict[str, int]:
    """Write documents to shards, each ended by the document that fills it; return what was counted.

    `unknown` is the id of `<unk>`. Bits of word starts are packed most significant first.
    """
    counts = {"documents": 0, "empty": 0, "tokens": 0, "unknown": 0, "shards": 0}
    for number, group in groupby(_numbered(documents, shard_tokens), itemgetter(0)):
        counts["shards"] += 1
        for found in _write_shard(folder, number, (tokens for _, tokens in group)):
            counts["documents"] += len(found.lengths)
            counts["empty"] += int(np.count_nonzero(found.lengths == 0))
            counts["tokens"] += len(found.ids)
            counts["unknown"] += int(np.count_nonzero(found.ids == unknown))
    return counts


def _numbered(documents: Iterable[Tokens], shard_tokens: int) -> Iterator[tuple[int, Tokens]]:
    """Cut at the ends of shards, and say which shard each is of."""
    number = held = 0
    for ids, starts, lengths in documents:
        while len(lengths):
            ends = np.cumsum(lengths)
            many = int(np.searchsorted(ends, shard_tokens - held)) + 1
            size = int(ends[:many][-1])
            yield number, Tokens(ids[:size], starts[:size], lengths[:many])
            ids, starts, lengths = ids[size:], starts[size:], lengths[many:]
            held += size
            if held >= shard_tokens:
                number, held = number + 1, 0


def _write_shard(folder: Path, number: int, documents: Iterable[Tokens]) -> Iterator[Tokens]:
    """Write the three files of a shard, and yield what was written."""
    lengths = [np.zeros(1, np.int64)]
    rest = np.zeros(0, np.bool_)
    with (
        written(folder / f"tokens-{number:05d}.bin", "wb") as tokens,
        written(folder / f"words-{number:05d}.bits", "wb") as words,
    ):
        for found in documents:
            tokens.write(found.ids.tobytes())
            bits = np.concatenate([rest, found.starts])
            whole = len(bits) // 8 * 8
            words.write(np.packbits(bits[:whole]).tobytes())
            rest = bits[whole:]
            lengths.append(found.lengths)
            yield found
        words.write(np.packbits(rest).tobytes())
    with written(folder / f"docs-{number:05d}.idx", "wb") as stream:
        stream.write(np.cumsum(np.concatenate(lengths)).tobytes())
