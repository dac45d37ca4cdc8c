"""Reading a finished corpus folder: natural Thai documents, in their order."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from thaitok.errors import UserError
from thaitok.folder import MANIFEST, FileFacts, file_facts, read_manifest

SAMPLED_PARTS, SAMPLED_DOCUMENTS, SAMPLED_CHARACTERS = 20, 1000, 50_000
"""How many parts of a corpus, documents of them, and characters of each are a sample of it."""


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """A document of a finished corpus. `id` is unique in its corpus."""

    id: str
    text: str
    source: str


def read_documents(corpus: Path) -> Iterator[CorpusDocument]:
    """Yield the documents of a finished corpus folder in their order.

    Raises `UserError` when the folder is unfinished, another stage's, or damaged.
    """
    for part in corpus_parts([corpus]):
        for record in read_packed(part):
            try:
                document = CorpusDocument(**record)
            except TypeError as err:
                raise _damaged(part, err) from err
            yield document


def corpus_parts(corpora: Iterable[Path]) -> list[Path]:
    """Return the files of finished corpus folders in their order."""
    return [
        corpus / file.name
        for corpus in corpora
        for file in read_manifest(corpus, "corpus").files
        if file.name.startswith("part-")
    ]


def read_texts(corpora: Iterable[Path]) -> Iterator[str]:
    """Yield the texts of finished corpus folders, one folder after the other."""
    for corpus in corpora:
        for document in read_documents(corpus):
            yield document.text


def sample_texts(corpora: Iterable[Path]) -> list[str]:
    """Return the first documents of parts spread evenly over corpora, to measure on."""
    parts = corpus_parts(corpora)
    chosen = parts[:: -(-len(parts) // SAMPLED_PARTS)]
    each = SAMPLED_DOCUMENTS // len(chosen)
    return [
        record["text"][:SAMPLED_CHARACTERS]
        for part in chosen
        for record in islice(read_packed(part), each)
    ]


def count_documents(corpora: Iterable[Path]) -> int:
    """Return how many documents finished corpus folders hold, by their manifests."""
    return sum(int(read_manifest(corpus, "corpus").counts["kept"]) for corpus in corpora)


def corpus_inputs(corpora: Iterable[Path]) -> tuple[FileFacts, ...]:
    """Return the facts that pin corpus folders: each one's manifest, which pins its files."""
    facts = []
    for corpus in corpora:
        read_manifest(corpus, "corpus")
        facts.append(file_facts(corpus / MANIFEST, f"{corpus.name}/{MANIFEST}"))
    return tuple(facts)


def read_packed(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a part of a corpus: JSON lines packed by zstd.

    Raises `UserError` when it is damaged.
    """
    with (
        path.open("rb") as stream,
        zstandard.ZstdDecompressor().stream_reader(stream) as unpacked,
        io.TextIOWrapper(unpacked, encoding="utf-8", newline="\n") as text,
    ):
        try:
            for line in text:
                yield _record(line)
        except (zstandard.ZstdError, ValueError) as err:
            raise _damaged(path, err) from err


def _record(line: str) -> dict[str, Any]:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("a line is no JSON object")
    return record


def _damaged(path: Path, err: Exception) -> UserError:
    return UserError(f"is damaged: {err}", where=path, do="make the corpus folder again")
