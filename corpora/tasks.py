"""One task of the map pass: read some files, clean and judge each document, write what stands.

The steps are plain functions in datatrove's form, so that any of its executors can run them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.config import CleanConfig
from corpora.counts import Ledger, excerpt
from corpora.filters import reason_to_drop
from corpora.inputs import InputFile
from corpora.lines import Moved
from corpora.readers import read_file
from corpora.records import Fault, Found
from corpora.shards import json_line, write_packed
from thaitok.folder import write_json, written
from thaitok.rules import clean_text

if TYPE_CHECKING:
    from datatrove.data import Document

KEY_BYTES = 16
"""128 bits: two of a billion documents meet by chance once in 10^20 corpora."""
NO_KEY = bytes(KEY_BYTES)
PILED_MARKS = 512
"""Marks on one letter that no text has; Zalgo text has some dozens."""


@dataclass(frozen=True, slots=True)
class MapPass:
    """What every worker must know: the config, the files of each task, where results go."""

    config: CleanConfig
    tasks: list[list[InputFile]]
    folder: Path

    def result(self, rank: int, suffix: str) -> Path:
        """Return a result file of a task: .jsonl.zst documents, .keys, .json ledger (last)."""
        return self.folder / f"task-{rank:05d}{suffix}"

    def finished(self, rank: int) -> bool:
        """Whether a task has written all of its results."""
        return self.result(rank, ".json").is_file()


def run_task(job: MapPass, rank: int, moved: Moved) -> None:
    """Run one task through datatrove, on this process, from scratch."""
    # Imported here: on import it takes over loguru's handlers, which belong to the caller.
    from datatrove.executor.local import LocalPipelineExecutor
    from loguru import logger

    logger.disable("datatrove")
    ledger = Ledger()
    executor = LocalPipelineExecutor(
        pipeline=[
            partial(read_step, job, ledger, moved),
            partial(clean_step, ledger),
            partial(filter_step, job.config, ledger),
            partial(write_step, job, ledger),
        ],
        tasks=len(job.tasks),
        workers=1,
        logging_dir=str(job.folder / "datatrove"),
        # datatrove's marks of completion know nothing of inputs or settings; ours decide.
        skip_completed=False,
    )
    # Not run(), which forks a manager process for every call.
    executor._run_for_rank(rank)


def read_step(
    job: MapPass, ledger: Ledger, moved: Moved, _: object, rank: int, world_size: int
) -> Iterator[Document]:
    """Yield the documents of a task's files; set broken ones aside."""
    from datatrove.data import Document

    for file in job.tasks[rank]:
        for item in read_file(file, job.config, moved):
            if isinstance(item, Found) and too_many_marks(item.text):
                item = Fault(item.line, "too_many_marks", item.text)
            place = f"{file.name}:{item.line}"
            source = ledger.name(_source_of(item, file))
            count = ledger.of(source)
            count.documents += 1
            if isinstance(item, Fault):
                ledger.quarantine(source, item.reason, place, partial(_fault, file, item, source))
                continue
            count.characters_read += len(item.text)
            metadata = {"file": file.name, "line": item.line, "own_id": item.id}
            metadata |= {"source": item.source or file.stem, "counted": source}
            yield Document(text=item.text, id=place, metadata=metadata)


def clean_step(
    ledger: Ledger, documents: Iterable[Document], rank: int, world_size: int
) -> Iterator[Document]:
    """Apply the text rules."""
    for document in documents:
        cleaned = clean_text(document.text)
        ledger.of(document.metadata["counted"]).changed_by_rules += cleaned != document.text
        document.text = cleaned
        yield document


def filter_step(
    config: CleanConfig, ledger: Ledger, documents: Iterable[Document], rank: int, world_size: int
) -> Iterator[Document]:
    """Pass on the documents that no filter speaks against."""
    for document in documents:
        reason = reason_to_drop(document.text, config.filters)
        if reason is None:
            yield document
        else:
            drop(ledger, reason, _record(document))


def write_step(
    job: MapPass, ledger: Ledger, documents: Iterable[Document], rank: int, world_size: int
) -> None:
    """Write a task's documents, their keys, and last its ledger: then the task is finished."""
    with written(job.result(rank, ".keys"), "wb") as keys:
        lines = (_line(document, keys) for document in documents)
        write_packed(job.result(rank, ".jsonl.zst"), lines)
    write_json(job.result(rank, ".json"), ledger.plain())


def drop(ledger: Ledger, reason: str, record: dict[str, Any]) -> None:
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

    ledger.drop(record["counted"], reason, record["place"], sample)


def too_many_marks(text: str) -> bool:
    """Whether over `PILED_MARKS` marks stand on one letter, as only an attack has them.

    Unicode composition takes quadratic time in them: 80,000 need 6 s, a 16 MB line a day.
    """
    # A pile is first looked for among every 64th character: 100 times faster.
    few, many = _piles()
    return few.search(text[::64]) is not None and many.search(text) is not None


@cache
def _piles() -> tuple[re.Pattern[str], re.Pattern[str]]:
    points = map(chr, range(0x20000))  # beyond are no marks
    marks = "".join(ch for ch in points if unicodedata.combining(ch))
    return re.compile(f"[{marks}]{{{PILED_MARKS // 64}}}"), re.compile(
        f"[{marks}]{{{PILED_MARKS}}}"
    )


def key_of(text: str) -> bytes:
    """Return the key of a document: equal for texts that differ in white space at most."""
    return _key("".join(text.split()))


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8"), digest_size=KEY_BYTES).digest()


def _line(document: Document, keys: Any) -> bytes:
    record = _record(document)
    own = record["own_id"]
    keys.write(key_of(document.text) + (_key(own) if own else NO_KEY) + _key(record["place"]))
    return json_line(record)


def _record(document: Document) -> dict[str, Any]:
    return {"place": document.id, "text": document.text, **document.metadata}


def _source_of(item: Found | Fault, file: InputFile) -> str:
    return (item.source if isinstance(item, Found) else None) or file.stem


def _fault(file: InputFile, fault: Fault, source: str) -> dict[str, Any]:
    return {
        "reason": fault.reason,
        "file": file.name,
        "line": fault.line,
        "source": source,
        "excerpt": excerpt(fault.excerpt),
    }


def parse_ledger(path: Path) -> Ledger:
    """Read the ledger of a finished task."""
    return Ledger.parse(json.loads(path.read_text(encoding="utf-8")))
