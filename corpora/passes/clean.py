"""The clean pass: read documents, apply the rules, judge them, and write what stands."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.config import CleanConfig, RuleSet
from corpora.counts import Ledger, excerpt
from corpora.decontaminate import BenchmarkIndex, Contamination, cut
from corpora.filters import judge
from corpora.lines import Moved
from corpora.passes.pipeline import Step, batches
from corpora.passes.results import Results, drop, key_of, record_of, shorten, write_ledger
from corpora.pii import mask_pii
from corpora.plan import Piece, Task
from corpora.readers import read_piece
from corpora.records import Fault, Found
from corpora.repeats import line_rows, without_echoes
from corpora.segment import segment_text
from corpora.store import Record, write_records
from thaitok.crew import Told
from thaitok.folder import written
from thaitok.mojibake import is_mojibake
from thaitok.rules import clean_texts, explain, unmark_spaces

if TYPE_CHECKING:
    from datatrove.data import Document

    Documents = Iterable[Document]

PILED_MARKS = 512
"""Marks on one letter that no text has; Zalgo text has some dozens."""
EXPLAINED_FIRST = 5
"""Changed documents of each task that are taken apart rule by rule for the report's examples."""
EXPLAINED_SHARE = 512
"""Of the others, one in so many."""
EXPLAINED_CHARS = 2000
"""So much of each: one rule after the other takes 30 us a character of a hostile text."""

TOLD_BYTES = 1_000_000
"""How much text passes between two words on how far a task is."""
Ledgers = defaultdict[int, Ledger]
"""The ledger of each task that a process runs."""


@dataclass(frozen=True, slots=True, repr=False)
class CleanPass:
    """The config, the pieces of each task, and where results go."""

    config: CleanConfig
    tasks: list[Task]
    folder: Path
    benchmarks: Path | None = None
    """The index of the benchmark items to look for."""
    title: str = "clean"

    @property
    def results(self) -> Results:
        """Where each task's results are."""
        return Results(self.folder)

    def sizes(self) -> list[int]:
        """Return the bytes of text of each task, roughly."""
        return [sum(piece.bytes for piece in task) for task in self.tasks]

    def mark(self, rank: int) -> Path:
        """Return a task's ledger, which it writes last."""
        return self.results.ledger(rank)

    def steps(self, told: Told) -> list[Step]:
        """Return the pipeline."""
        ledgers: Ledgers = defaultdict(Ledger)
        steps: list[Step] = [partial(_read, self, ledgers, told), partial(_rules, self, ledgers)]
        if self.benchmarks:
            steps.append(partial(_decontaminate, self, ledgers))
        if self.config.boilerplate.cut:
            steps.append(partial(_cut_echoes, self, ledgers))
        steps += [partial(_segment, self, ledgers), partial(_judge, self, ledgers)]
        if self.config.mask_pii:
            steps.append(partial(_mask, self, ledgers))
        return [*steps, partial(_write, self, ledgers)]


def _read(
    job: CleanPass, ledgers: Ledgers, told: Told, _: object, rank: int, world_size: int
) -> Iterator[Document]:
    """Yield the documents of a task's pieces; set broken ones aside."""
    from datatrove.data import Document

    ledger = ledgers[rank]
    for piece in job.tasks[rank]:
        for item in read_piece(piece, job.config, _in_text_bytes(piece, ledger, told)):
            if isinstance(item, Found) and too_many_marks(item.text):
                item = Fault(item.line, "too_many_marks", item.text)
            place = f"{piece.file.name}:{item.line}"
            own = item.source if isinstance(item, Found) else None
            source = ledger.name(own or piece.file.stem)
            count = ledger.of(source)
            count.documents += 1
            metadata: dict[str, Any] = {"file": piece.file.name, "line": item.line}
            metadata |= {"counted": source, "source": own or piece.file.stem}
            if isinstance(item, Fault):
                _set_aside(ledger, item.reason, place, metadata, item.excerpt)
                continue
            count.characters_read += len(item.text)
            metadata["own_id"] = item.id
            document = Document(text=item.text, id=place, metadata=metadata)
            if _is_thinned(place, job.config.source_weights.get(metadata["source"], 1.0)):
                drop(ledger, "thinned", record_of(document))
            else:
                yield document


def _in_text_bytes(piece: Piece, ledger: Ledger, told: Told) -> Moved:
    """Return what tells of bytes read on disk as bytes of text, with the documents dropped."""
    ratio = piece.bytes / max(piece.disk_bytes, 1)
    before, waiting = _dropped(ledger), 0

    def moved(size: int) -> None:
        nonlocal before, waiting
        waiting += size
        if waiting * ratio >= TOLD_BYTES:  # up to a thousand sources are summed up
            now = _dropped(ledger)
            told(round(waiting * ratio), now - before)
            before, waiting = now, 0

    return moved


def _dropped(ledger: Ledger) -> int:
    return sum(count.dropped.total() for count in ledger.sources.values())


def _is_thinned(place: str, weight: float) -> bool:
    """Whether a document is left out of a source of which the share `weight` is wanted."""
    return weight < 1 and zlib.crc32(place.encode()) >= weight * 2**32


def _rules(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Apply the text rules."""
    ledger = ledgers[rank]
    clean = RULES[job.config.rules]
    explained = 0
    for batch in batches(documents):
        cleaned = clean([document.text for document in batch])
        for document, text in zip(batch, cleaned, strict=True):
            count = ledger.of(document.metadata["counted"])
            count.shorten("rules", len(document.text) - len(text))
            if is_mojibake(text):
                _set_aside(ledger, "mojibake", document.id, document.metadata, text, len(text))
                continue
            if text != document.text:
                count.changed_by_rules += 1
                if job.config.rules == "default" and _is_explained(document.id, explained):
                    explained += 1
                    for change in explain(document.text[:EXPLAINED_CHARS]):
                        ledger.change(change.rule, document.id, change.before, change.after)
                document.text = text
            yield document


def _wangchanberta(texts: Sequence[str]) -> list[str]:
    """Apply WangchanBERTa's rules; the corpus keeps its spaces, which its tokenizer marks."""
    from thaitok.wangchanberta import process_transformers

    return list(map(unmark_spaces, process_transformers(texts)))


RULES: dict[RuleSet, Callable[[Sequence[str]], list[str]]] = {
    "default": clean_texts,
    "wangchanberta": _wangchanberta,
    "none": list,
}
"""What each set of rules does to a batch of texts."""


def _is_explained(place: str, explained: int) -> bool:
    return explained < EXPLAINED_FIRST or zlib.crc32(place.encode()) % EXPLAINED_SHARE == 0


def _decontaminate(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Drop documents that hold benchmark items, or cut the items out."""
    ledger = ledgers[rank]
    assert job.benchmarks
    index = BenchmarkIndex.load(job.benchmarks)
    ledger.benchmarks = Contamination.none_of(index)
    for batch in batches(documents):
        found = index.find([document.text for document in batch])
        for document, findings in zip(batch, found, strict=True):
            if findings:
                ledger.benchmarks.add(findings)
                if job.config.decontaminate.action == "drop":
                    drop(ledger, "benchmark", record_of(document))
                    continue
                shorten(ledger, "benchmark", document, cut(document.text, findings))
            yield document


def _cut_echoes(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Cut lines that say what the line before them said."""
    least = job.config.boilerplate.min_chars
    for document in documents:
        text = without_echoes(document.text, least)
        if len(text) < len(document.text):
            shorten(ledgers[rank], "echoed_lines", document, text)
        yield document


def _segment(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Divide documents; each part is a document of its own from here on."""
    from datatrove.data import Document

    how = job.config.segment
    if how.unit == "document":
        yield from documents
        return
    for document in documents:
        parts = segment_text(document.text, how.unit, how.min_words, how.max_words)
        count = ledgers[rank].of(document.metadata["counted"])
        if parts:
            count.segment(len(parts), len(document.text) - sum(map(len, parts)))
        else:
            drop(ledgers[rank], "too_few_words", record_of(document))
        for number, part in enumerate(parts, 1):
            metadata = dict(document.metadata)
            if metadata["own_id"] is not None:
                metadata["own_id"] += f"#{number}"
            yield Document(text=part, id=f"{document.id}#{number}", metadata=metadata)


def _judge(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Pass on the documents that no filter speaks against."""
    for batch in batches(documents):
        judged = judge([document.text for document in batch], job.config.filters)
        for document, judgement in zip(batch, judged, strict=True):
            document.metadata["thai_share"] = judgement.thai_share
            if judgement.reason is None:
                yield document
            else:
                drop(ledgers[rank], judgement.reason, record_of(document))


def _mask(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> Iterator[Document]:
    """Mask what would tell who somebody is."""
    for document in documents:
        text, masks = mask_pii(document.text, job.config.mask_pii)
        if masks:
            count = ledgers[rank].of(document.metadata["counted"])
            count.mask(masks, len(document.text) - len(text))
            document.text = text
        yield document


def _write(
    job: CleanPass, ledgers: Ledgers, documents: Documents, rank: int, world_size: int
) -> None:
    """Write a task's records, their keys, and last its ledger: then the task is finished."""
    results, config = job.results, job.config
    with written(results.keys(rank), "wb") as keys, written(results.lines(rank), "wb") as lines:

        def records() -> Iterator[Record]:
            count = 0
            for batch in batches(documents):
                texts = [document.text for document in batch]
                keys.write(b"".join(map(key_of, texts)))
                if config.cuts_lines:
                    named = [document.metadata["source"] for document in batch]
                    sources = None if config.dedup.lines else named
                    rows = line_rows(texts, sources, count, config.boilerplate.min_chars)
                    lines.write(rows.tobytes())
                count += len(batch)
                yield from map(record_of, batch)

        write_records(results.records(rank), records())
    write_ledger(results.ledger(rank), ledgers.pop(rank))


def _set_aside(
    ledger: Ledger,
    reason: str,
    place: str,
    metadata: dict[str, Any],
    text: str | bytes,
    characters: int = 0,
) -> None:
    def sample() -> dict[str, Any]:
        return {
            "reason": reason,
            "file": metadata["file"],
            "line": metadata["line"],
            "source": metadata["source"],
            "excerpt": excerpt(text),
        }

    ledger.quarantine(metadata["counted"], reason, place, sample, characters=characters)


def too_many_marks(text: str) -> bool:
    """Whether over `PILED_MARKS` marks stand on one letter, as only an attack has them.

    Unicode composition takes quadratic time in them: 80,000 need 6 s, a 16 MB line a day.
    """
    # A pile is first looked for among every 512th character, then every 64th: 200 times faster.
    one, few, many = _piles()
    return bool(one.search(text[::PILED_MARKS]) and few.search(text[::64]) and many.search(text))


@cache
def _piles() -> list[re.Pattern[str]]:
    points = map(chr, range(0x20000))  # beyond are no marks
    marks = "".join(ch for ch in points if unicodedata.combining(ch))
    return [re.compile(f"[{marks}]{{{count}}}") for count in (1, PILED_MARKS // 64, PILED_MARKS)]
