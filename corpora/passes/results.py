"""What a task leaves on disk for the next pass: its records, their keys, and its ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.counts import Ledger, excerpt
from corpora.near import SIGNATURE_BYTES
from corpora.store import Record
from thaitok.folder import write_json

if TYPE_CHECKING:
    from datatrove.data import Document

KEY_BYTES = 16
"""128 bits: two of a billion documents meet by chance once in 10^20 corpora."""
KEYS = np.dtype([("text", "<u8", 2), ("id", "<u8", 2), ("place", "<u8", 2)])
"""The keys of a document; `id` is 0 for one that has no id of its own."""
INDEX = np.dtype([*KEYS.descr, ("signature", "u1", SIGNATURE_BYTES)])
"""All that deduplication knows of a document: 304 bytes."""
NO_KEY = bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Results:
    """The result files of a pass in its folder."""

    folder: Path

    def records(self, rank: int) -> Path:
        """Return where a task's records are."""
        return self.folder / f"task-{rank:05d}.docs"

    def keys(self, rank: int) -> Path:
        """Return where the keys of its records are, in their order: rows of bytes."""
        return self.folder / f"task-{rank:05d}.keys"

    def lines(self, rank: int) -> Path:
        """Return where the keys of its records' lines are."""
        return self.folder / f"task-{rank:05d}.lines"

    def ledger(self, rank: int) -> Path:
        """Return where its ledger is, which is written last."""
        return self.folder / f"task-{rank:05d}.json"


def read_ledger(path: Path) -> Ledger:
    """Read the ledger of a finished task."""
    return Ledger.parse(json.loads(path.read_text(encoding="utf-8")))


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write a task's ledger, which says that the task is finished."""
    write_json(path, ledger.plain())


def key_of(text: str) -> bytes:
    """Return the key of a cleaned text: equal for those that differ in white space at most."""
    # Bytes lose their spaces in a third of the time that a string does.
    return _digest(text.encode("utf-8").translate(None, b" \n\t\r"))


def hashed(text: str) -> bytes:
    """Return 128 bits that stand for the text."""
    return _digest(text.encode("utf-8"))


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=KEY_BYTES).digest()


def keys_of(document: Document) -> bytes:
    """Return a row of `KEYS`."""
    own = document.metadata["own_id"]
    return key_of(document.text) + (hashed(own) if own else NO_KEY) + hashed(document.id)


def record_of(document: Document) -> Record:
    """Return what the store holds of a document."""
    meta = document.metadata
    return Record(
        place=document.id,
        text=document.text,
        file=meta["file"],
        line=meta["line"],
        own_id=meta["own_id"],
        source=meta["source"],
        counted=meta["counted"],
        thai_share=meta.get("thai_share"),
    )


def documents_of(records: Iterable[Record]) -> Iterator[Document]:
    """Undo `record_of`."""
    from datatrove.data import Document

    for record in records:
        metadata: dict[str, Any] = dict(record)
        text, place = metadata.pop("text"), metadata.pop("place")
        yield Document(text=text, id=place, metadata=metadata)


def shorten(ledger: Ledger, reason: str, document: Document, text: str) -> None:
    """Count that a document lost a part, and let it be what is left."""
    count = ledger.of(document.metadata["counted"])
    count.cut(reason, len(document.text) - len(text))
    document.text = text


def drop(ledger: Ledger, reason: str, record: Record) -> None:
    """Count a dropped document and perhaps keep it as a sample of its reason."""

    def sample() -> dict[str, Any]:
        return {
            "reason": reason,
            "id": record["own_id"] or record["place"],
            "source": record["source"],
            "file": record["file"],
            "line": record["line"],
            "chars": len(record["text"]),
            "excerpt": excerpt(record["text"]),
        }

    ledger.drop(
        record["counted"],
        reason,
        record["place"],
        sample,
        characters=len(record["text"]),
        thai_share=record["thai_share"],
    )
