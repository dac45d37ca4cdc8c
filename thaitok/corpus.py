"""Reading a finished corpus folder: natural Thai documents, in order."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import zstandard

from thaitok.errors import UserError
from thaitok.folder import MANIFEST, FileFacts, file_facts, read_manifest


def read_texts(corpora: Sequence[Path]) -> Iterator[str]:
    """Yield the text of every document of finished corpus folders, in order."""
    for corpus in corpora:
        manifest = read_manifest(corpus, "corpus")
        for facts in manifest.files:
            if facts.name.startswith("part-"):
                yield from _read_part(corpus / facts.name)


def count_documents(corpora: Sequence[Path]) -> int:
    """Return how many documents finished corpus folders hold, by their manifests."""
    return sum(int(read_manifest(corpus, "corpus").counts["kept"]) for corpus in corpora)


def corpus_inputs(corpora: Sequence[Path]) -> tuple[FileFacts, ...]:
    """Return the facts that pin corpus folders: each one's manifest, which pins its files."""
    for corpus in corpora:
        read_manifest(corpus, "corpus")
    return tuple(file_facts(corpus / MANIFEST, f"{corpus.name}/{MANIFEST}") for corpus in corpora)


def _read_part(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as raw:
            stream = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
            for line in io.TextIOWrapper(stream, encoding="utf-8", newline="\n"):
                yield json.loads(line)["text"]
    except (zstandard.ZstdError, ValueError, KeyError) as err:
        raise UserError(
            f"is damaged ({err})", where=path, do="make the corpus again with `thaitok clean`"
        ) from None
