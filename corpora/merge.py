"""The merge pass: the tasks' documents in input order, less duplicates, to the final parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.counts import Count, Ledger
from corpora.shards import json_line, write_parts
from corpora.tasks import KEY_BYTES, MapPass, drop, parse_ledger
from thaitok.corpus import read_packed

Keys = NDArray[np.uint64]
"""128-bit keys as pairs of integers, shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """For each document of the map pass in order: is it kept, and does its own id stay."""

    kept: NDArray[np.bool_]
    keeps_id: NDArray[np.bool_]


def merge_tasks(job: MapPass, folder: Path, advance: Callable[[int], None]) -> Ledger:
    """Write the parts into `folder`; return the ledger of the whole corpus."""
    verdicts = judge_keys(*_read_keys(job), dedup=job.config.dedup)
    ledger = Ledger()
    lines = _kept_lines(job, verdicts, ledger, advance)
    write_parts(folder, lines, job.config.shard_bytes)
    return ledger


def judge_keys(texts: Keys, ids: Keys, places: Keys, *, dedup: bool) -> Verdicts:
    """Decide from the keys alone: 48 bytes a document, where the texts would not fit.

    An id stays if no kept document before has it and it looks like no document's place, which
    is the id of those that have none of their own.
    """
    kept = first_seen(texts) if dedup else np.ones(len(texts), dtype=bool)
    named = np.flatnonzero(kept & ids.any(axis=1))
    fresh = first_seen(np.concatenate([places[kept], ids[named]]))[kept.sum() :]
    keeps_id = np.zeros(len(texts), dtype=bool)
    keeps_id[named[fresh]] = True
    return Verdicts(kept, keeps_id)


def first_seen(keys: Keys) -> NDArray[np.bool_]:
    """Mark each key that no earlier one equals."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: equal keys stay in their order
    ordered = keys[order]
    first = np.ones(len(keys), dtype=bool)
    first[order[1:]] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return first


def _read_keys(job: MapPass) -> tuple[Keys, Keys, Keys]:
    files = (job.result(rank, ".keys") for rank in range(len(job.tasks)))
    rows = [np.fromfile(file, dtype="<u8").reshape(-1, 3 * KEY_BYTES // 8) for file in files]
    keys = np.concatenate(rows)
    return keys[:, 0:2], keys[:, 2:4], keys[:, 4:6]


def _kept_lines(
    job: MapPass, verdicts: Verdicts, ledger: Ledger, advance: Callable[[int], None]
) -> Iterator[bytes]:
    index = 0
    for rank in range(len(job.tasks)):
        names = ledger.join(parse_ledger(job.result(rank, ".json")))
        for record in read_packed(job.result(rank, ".jsonl.zst")):
            record["counted"] = names[record["counted"]]
            if not verdicts.kept[index]:
                drop(ledger, "duplicate", record)
            elif _full(job, ledger.of(record["counted"])):
                drop(ledger, "source_full", record)
            else:
                yield _final_line(record, bool(verdicts.keeps_id[index]), ledger)
            index += 1
            advance(1)


def _full(job: MapPass, source: Count) -> bool:
    most = job.config.source_chars
    return most is not None and source.characters_kept >= most


def _final_line(record: dict[str, Any], keeps_id: bool, ledger: Ledger) -> bytes:
    text = record["text"]
    count = ledger.of(record["counted"])
    count.kept += 1
    count.characters_kept += len(text)
    count.bytes_kept += len(text.encode("utf-8"))
    own = record["own_id"] if keeps_id else record["place"]
    return json_line({"id": own, "text": text, "source": record["source"]})
