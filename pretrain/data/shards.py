"""Token shards: what `thaitok shard` writes and pretraining maps into memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, FileFacts, Manifest, file_facts, read_manifest

TOKENIZER_FOLDER = "tokenizer"
"""A shards folder carries the tokenizer its ids belong to."""

UINT16_PIECES = 65_536
"""Up to as many pieces an id is stored in two bytes, beyond in four."""


def token_dtype(pieces: int) -> type[np.uint16] | type[np.uint32]:
    """Return the type that stores the ids of a vocabulary."""
    return np.uint16 if pieces <= UINT16_PIECES else np.uint32


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
        tokenizer = self.folder / TOKENIZER_FOLDER
        config = json.loads((tokenizer / TOKENIZER_FILES[1]).read_text(encoding="utf-8"))
        added = json.loads((tokenizer / TOKENIZER_FILES[0]).read_text(encoding="utf-8"))
        ids = {token["content"]: token["id"] for token in added["added_tokens"]}
        names = ("bos", "pad", "eos", "unk", "mask")
        return SpecialIds(**{name: ids[config[f"{name}_token"]] for name in names})

    def document(self, number: int) -> NDArray[np.unsignedinteger]:
        """Return the ids of a document."""
        shard = int(np.searchsorted(self.first, number, side="right")) - 1
        start, end = self.offsets[shard][number - self.first[shard] :][:2]
        return self.tokens[shard][start:end]


def open_shards(folder: Path) -> TokenShards:
    """Map a finished shards folder; `UserError` when it is not one."""
    manifest = read_manifest(folder, "shards")
    dtype = token_dtype(int(manifest.counts["pieces"]))
    names = [facts.name for facts in manifest.files]
    tokens = [
        np.memmap(folder / name, dtype=dtype, mode="r")
        for name in names
        if name.startswith("tokens-")
    ]
    offsets = [np.fromfile(folder / name, np.int64) for name in names if name.startswith("docs-")]
    if [len(one) for one in tokens] != [int(one[-1]) for one in offsets]:
        raise UserError("tokens and documents do not fit", where=folder, do="make it again")
    first = np.cumsum([0, *(len(one) - 1 for one in offsets)])
    return TokenShards(folder, manifest, tokens, offsets, first)


def verify_shards(folder: Path) -> Manifest:
    """Read every file of a shards folder again and compare it with the manifest's sha256."""
    manifest = read_manifest(folder, "shards")
    for facts in manifest.files:
        found: FileFacts = file_facts(folder / facts.name, facts.name)
        if found != facts:
            raise UserError(
                "is not the file its manifest describes",
                where=folder / facts.name,
                do="make the shards again with `thaitok shard`",
            )
    return manifest
