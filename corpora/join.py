"""The join: the signed documents in input order, less duplicates, to the final parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpora.config import CleanConfig
from corpora.counts import Ledger, excerpt
from corpora.near import find_near_duplicates
from corpora.passes.results import INDEX, Results, drop, read_ledger
from corpora.shards import json_line, write_parts
from corpora.store import Record, RecordReader, read_records

Keys = NDArray[np.uint64]
"""128-bit keys as pairs of integers, shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """For each signed document in order, shape (n,): what becomes of it and of its own id."""

    exact: NDArray[np.bool_]
    """Whether it repeats an earlier document word for word."""
    near: NDArray[np.int64]
    """Which earlier kept document it repeats nearly, or -1."""
    keeps_id: NDArray[np.bool_]


def first_seen(keys: Keys) -> NDArray[np.bool_]:
    """Mark each key that no earlier one equals."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: equal keys stay in their order
    first = np.ones(len(keys), dtype=bool)
    for start in range(0, len(keys), BLOCK):  # in blocks, or the sorted keys would be held whole
        ordered = keys[order[max(start - 1, 0) : start + BLOCK]]
        first[order[max(start, 1) : start + BLOCK]] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return first


BLOCK = 1 << 20
"""Keys compared at once."""
KEPT_EXCERPT = 600
"""Characters of a kept document that the report shows."""


def read_index(results: Results, tasks: int, path: Path) -> NDArray[np.void]:
    """Join the tasks' keys and signatures in one file at `path` and map it, shape (n,)."""
    with path.open("wb") as stream:
        for rank in range(tasks):
            stream.write(results.keys(rank).read_bytes())
    if not path.stat().st_size:
        return np.empty(0, dtype=INDEX)
    return np.memmap(path, dtype=INDEX, mode="r")


def judge_index(
    index: NDArray[np.void], text_of: Callable[[int], str], config: CleanConfig
) -> Verdicts:
    """Decide on all documents from their keys and signatures, and a few texts."""
    everyone = np.ones(len(index), dtype=bool)
    first = first_seen(index["text"]) if config.dedup.exact else everyone
    near = np.full(len(index), -1, dtype=np.int64)
    if config.dedup.near:
        near = find_near_duplicates(
            index["signature"], first, text_of, jaccard=config.dedup.jaccard
        )
    kept = first & (near < 0)
    return Verdicts(~first, near, _keeps_id(index, kept))


def _keeps_id(index: NDArray[np.void], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the documents whose own id stays.

    It does if no kept document before has it and it looks like no document's place, which is
    the id of those that have none of their own.
    """
    named = np.flatnonzero(kept & index["id"].any(axis=1))
    both = np.concatenate([index["place"][kept], index["id"][named]])
    fresh = first_seen(both)[int(kept.sum()) :]
    keeps_id = np.zeros(len(index), dtype=bool)
    keeps_id[named[fresh]] = True
    return keeps_id


def join_tasks(
    cleaned: Results,
    signed: Results,
    tasks: int,
    verdicts: Verdicts,
    folder: Path,
    config: CleanConfig,
    advance: Callable[[int], None],
) -> Ledger:
    """Write the parts into `folder`; return the ledger of the whole corpus."""
    ledger = Ledger()
    reader = RecordReader([signed.records(rank) for rank in range(tasks)])

    def lines() -> Iterator[bytes]:
        index = 0
        for rank in range(tasks):
            names = ledger.join(read_ledger(cleaned.ledger(rank)))
            names |= ledger.join(read_ledger(signed.ledger(rank)))
            for record in read_records(signed.records(rank)):
                record["counted"] = names[record["counted"]]
                if _stays(index, record, verdicts, reader, ledger, config):
                    yield _final_line(record, bool(verdicts.keeps_id[index]), ledger)
                index += 1
                advance(1)

    write_parts(folder, lines(), config.shard_bytes)
    return ledger


def _stays(
    index: int,
    record: Record,
    verdicts: Verdicts,
    reader: Sequence[Record] | RecordReader,
    ledger: Ledger,
    config: CleanConfig,
) -> bool:
    if verdicts.exact[index]:
        drop(ledger, "duplicate", record)
    elif (first := int(verdicts.near[index])) >= 0:
        drop(ledger, "near_duplicate", record)
        ledger.duplicate(
            "near_duplicate", record["place"], record["text"], lambda: _told(reader[first])
        )
    elif _full(record, ledger, config):
        drop(ledger, "source_full", record)
    else:
        return True
    return False


def _told(record: Record) -> tuple[str, str]:
    return record["place"], record["text"]


def _full(record: Record, ledger: Ledger, config: CleanConfig) -> bool:
    most = config.source_caps.get(record["source"], config.source_chars)
    return most is not None and ledger.of(record["counted"]).characters_kept >= most


def _final_line(record: Record, keeps_id: bool, ledger: Ledger) -> bytes:
    text = record["text"]
    size = len(text.encode("utf-8"))
    ledger.of(record["counted"]).keep(len(text), size, record["thai_share"])
    own = record["own_id"] if keeps_id else record["place"]
    ledger.keep_sample(
        record["place"],
        lambda: {
            "id": own,
            "source": record["source"],
            "file": record["file"],
            "line": record["line"],
            "chars": len(text),
            "excerpt": excerpt(text, KEPT_EXCERPT, lines=True),
        },
    )
    return json_line({"id": own, "text": text, "source": record["source"]})
