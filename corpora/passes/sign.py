"""The sign pass: cut repeated lines, judge once more, and take each document's signature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpora.config import CleanConfig
from corpora.counts import Ledger
from corpora.filters import FilterConfig, judge
from corpora.near import SIGNATURE_BYTES, signatures
from corpora.passes.clean import TOLD_BYTES, Ledgers
from corpora.passes.pipeline import Step, batches
from corpora.passes.results import (
    Results,
    documents_of,
    drop,
    keys_of,
    record_of,
    shorten,
    write_ledger,
)
from corpora.repeats import ROW, without_echoes, without_lines
from corpora.store import Record, read_records, write_records
from thaitok.crew import Told
from thaitok.folder import written

if TYPE_CHECKING:
    from datatrove.data import Document

    Documents = Iterable[Document]

MUCH = 0.1
"""The share of a document's characters from which it is another document without them."""


@dataclass(frozen=True, slots=True, repr=False)
class SignPass:
    """The config, the clean pass's results, what to cut and leave out, where results go."""

    config: CleanConfig
    cleaned: Results
    folder: Path
    task_bytes: tuple[int, ...]
    title: str = "sign"

    @property
    def results(self) -> Results:
        """Where each task's results are."""
        return Results(self.folder)

    def sizes(self) -> list[int]:
        """Return the bytes of text of each task, roughly."""
        return list(self.task_bytes)

    def mark(self, rank: int) -> Path:
        """Return a task's ledger, which it writes last."""
        return self.results.ledger(rank)

    def repeated(self, rank: int) -> Path:
        """Return where the documents that repeat an earlier one are marked, a byte each."""
        return self.folder / f"task-{rank:05d}.repeated"

    def cuts(self, rank: int) -> Path:
        """Return where the lines to cut are listed."""
        return self.folder / f"task-{rank:05d}.cuts"

    def steps(self, told: Told) -> list[Step]:
        """Return the pipeline."""
        ledgers: Ledgers = defaultdict(Ledger)
        steps: list[Step] = [partial(_read, self, ledgers, told)]
        if self.config.cuts_lines:
            steps.append(partial(_cut, self, ledgers))
        return [*steps, partial(_write, self, ledgers)]


def _read(
    job: SignPass, ledgers: Ledgers, told: Told, _: object, rank: int, world_size: int
) -> Iterator[Document]:
    """Yield the documents of a task that repeat no earlier one."""
    repeated = np.fromfile(job.repeated(rank), dtype=bool)
    documents = documents_of(read_records(job.cleaned.records(rank)))
    share = job.task_bytes[rank] / max(len(repeated), 1)
    told_of = 0
    for index, document in enumerate(documents):
        if (index - told_of) * share >= TOLD_BYTES:
            told(round(index * share) - round(told_of * share), 0)
            told_of = index
        document.metadata["index"] = index
        if repeated[index]:
            drop(ledgers[rank], "duplicate", record_of(document))
        else:
            yield document


def _cut(
    job: SignPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Cut lines that other documents have too; judge again what is left of a document."""
    ledger = ledgers[rank]
    cuts: defaultdict[int, set[int]] = defaultdict(set)
    for key, index in np.fromfile(job.cuts(rank), dtype=ROW).tolist():
        cuts[index].add(key)
    # Length and language alone: to judge all again takes a seventh of the whole run.
    quick = {"quality": False, "spam": False, "repetition": False, "langid": False}
    length_and_language = job.config.filters.model_copy(update=quick)
    for batch in batches(documents):
        little: list[Document] = []
        much: list[Document] = []
        for document in batch:
            if keys := cuts.get(document.metadata["index"]):
                before = len(document.text)
                _cut_lines(document, keys, job.config, ledger)
                lost = before - len(document.text)
                (much if lost > MUCH * before else little).append(document)
        dropped = _judge_again(much, job.config.filters, ledger)
        dropped |= _judge_again(little, length_and_language, ledger)
        yield from (document for document in batch if document.id not in dropped)


def _cut_lines(document: Document, keys: set[int], config: CleanConfig, ledger: Ledger) -> None:
    source = None if config.dedup.lines else document.metadata["source"]
    least = config.boilerplate.min_chars
    # A title less the site's name may say what the line below it says.
    text = without_echoes(without_lines(document.text, keys, source, least), least)
    shorten(ledger, "repeated_lines", document, text)


def _judge_again(documents: list[Document], filters: FilterConfig, ledger: Ledger) -> set[str]:
    """Judge what lines were cut from; return the ids of those dropped."""
    dropped = set()
    judged = judge([document.text for document in documents], filters)
    for document, judgement in zip(documents, judged, strict=True):
        document.metadata["thai_share"] = judgement.thai_share
        if judgement.reason:
            drop(ledger, judgement.reason, record_of(document))
            dropped.add(document.id)
    return dropped


def _write(
    job: SignPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> None:
    """Write a task's records, their index rows, and last its ledger."""
    results = job.results
    with written(results.keys(rank), "wb") as index:

        def records() -> Iterator[Record]:
            for batch in batches(documents):
                if job.config.dedup.near:
                    signed = signatures([document.text for document in batch])
                else:
                    signed = np.zeros((len(batch), SIGNATURE_BYTES), dtype=np.uint8)
                for document, signature in zip(batch, signed, strict=True):
                    index.write(keys_of(document) + signature.tobytes())
                yield from map(record_of, batch)

        write_records(results.records(rank), records())
    write_ledger(results.ledger(rank), ledgers.pop(rank))
