"""Clean a corpus: passes over the input on all cores, then the join without duplicates."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from corpora.benchmarks import find_splits
from corpora.columns import check_column
from corpora.config import CleanConfig
from corpora.counts import Ledger
from corpora.decontaminate import build_index
from corpora.engine import run_pass
from corpora.hub import HubFile, facts_of
from corpora.inputs import InputFile, find_files
from corpora.join import Verdicts, first_seen, join_tasks, judge_index, read_index
from corpora.passes.clean import CleanPass
from corpora.passes.results import INDEX, KEY_BYTES
from corpora.passes.sign import SignPass
from corpora.passes.split import SplitPass
from corpora.plan import Piece, Task, needs_unpacking, pieces_of, tasks_of
from corpora.repeats import find_repeats
from corpora.report import told, totals_of, write_report
from corpora.store import RecordReader
from thaitok.crew import cores, kept_crew
from thaitok.errors import UserError
from thaitok.folder import (
    JOB,
    FileFacts,
    Job,
    Manifest,
    file_facts,
    package_versions,
    stage_job,
    written,
)
from thaitok.progress import progress

PASSES = ("split", "clean", "sign")
"""The folders of the passes below the job's hidden work folder."""
CODE_SUFFIXES = {".py", ".txt", ".toml"}
TEXT_MODULES = (
    "rules", "passes", "triggers", "letters", "marks", "markup", "mojibake", "stretches",
    "wangchanberta", "newmm", "doubled", "emoji", "words",
)  # fmt: skip
"""The modules of thaitok that decide what becomes of a text."""


def clean_corpus(config: CleanConfig) -> Manifest:
    """Make the corpus folder `config.out` and return its manifest; a finished one is not redone.

    Every document read is kept, dropped or quarantined, and counted once. A broken document is
    set aside and never fatal. The folder's bytes depend on the inputs and the settings alone,
    not on the engine, the number of workers, nor on how often the run was killed and taken up
    again. Raises `UserError` for inputs that cannot be read at all, for a stopped run that was
    begun with other inputs or settings, or when nothing would be kept.
    """
    files = find_files(config.inputs, config.out, config.text_column)
    for file in files:
        if not isinstance(file, HubFile):  # of these the Hub was asked
            check_column(file, config)
    facts = _facts(files, config)
    with stage_job(config.out, "corpus", config.deciding(), facts, code=_code()) as job:
        return job.done or _make(job, config, files)


def _code() -> str:
    """Return a fingerprint of the code that decides the result.

    A run that was begun by other code would be half of one kind and half of another.
    """
    packages = Path(__file__).parents[1]
    files = [path for path in (packages / "corpora").rglob("*") if path.suffix in CODE_SUFFIXES]
    files += (packages / "thaitok" / f"{name}.py" for name in TEXT_MODULES)
    digest = sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _facts(files: Iterable[InputFile], config: CleanConfig) -> list[FileFacts]:
    """Return what pins the inputs, in their order, and the benchmarks."""

    def facts(file: InputFile) -> FileFacts:
        return facts_of(file) if isinstance(file, HubFile) else file_facts(file.path, file.name)

    splits = find_splits(config.decontaminate)
    with ThreadPoolExecutor(cores()) as threads:  # hashing lets other threads run
        found = list(threads.map(facts, files))
    return found + [
        file_facts(one.path, f"benchmark {one.benchmark}/{one.split}") for one in splits
    ]


def _make(job: Job, config: CleanConfig, files: list[InputFile]) -> Manifest:
    report = job.work / "report.json"
    if not report.is_file():
        with kept_crew():
            tasks = _plan(job.work, config, files)
            cleaned = _clean(job.work, config, tasks)
            signed = _sign(job.work, config, cleaned)
        _clear(job.work, but=(JOB, *PASSES))
        _join(job.work, config, cleaned, signed, files)
    # From here on all is written: a run killed below comes straight back to this line.
    counts = json.loads(report.read_text(encoding="utf-8"))
    for name in PASSES:
        shutil.rmtree(job.work / name, ignore_errors=True)
    versions = package_versions("datatrove", "zstandard", "pyarrow", "nlpo3", "pythainlp")
    return job.finish(totals_of(counts), versions)


def _plan(work: Path, config: CleanConfig, files: list[InputFile]) -> list[Task]:
    """Divide the inputs into tasks, once large packed files are rewritten in pieces."""
    split = SplitPass([file for file in files if needs_unpacking(file, config)], work / "split")
    if split.files:
        run_pass(split, config)
    rewritten = {file.name: rank for rank, file in enumerate(split.files)}

    def divided(file: InputFile) -> list[Piece]:
        if file.name in rewritten:
            return split.pieces(rewritten[file.name])
        return pieces_of(file, config)

    with ThreadPoolExecutor(8) as threads:  # of a file on the Hub, its footer must come here
        pieces = threads.map(divided, files)
        return tasks_of(piece for file_pieces in pieces for piece in file_pieces)


def _clean(work: Path, config: CleanConfig, tasks: list[Task]) -> CleanPass:
    folder = work / "clean"
    folder.mkdir(exist_ok=True)
    benchmarks = folder / "benchmarks.npz" if config.decontaminate.benchmarks else None
    if benchmarks and not benchmarks.is_file():
        build_index(config.decontaminate).save(benchmarks)
    cleaned = CleanPass(config, tasks, folder, benchmarks)
    run_pass(cleaned, config)
    return cleaned


def _sign(work: Path, config: CleanConfig, cleaned: CleanPass) -> SignPass:
    signed = SignPass(config, cleaned.results, work / "sign", tuple(cleaned.sizes()))
    signed.folder.mkdir(exist_ok=True)
    ready = signed.folder / "ready"
    if not ready.is_file():
        _find_repeats(signed, config)
        with written(ready):
            pass
    run_pass(signed, config)
    return signed


def _find_repeats(signed: SignPass, config: CleanConfig) -> None:
    """Mark documents that repeat an earlier one, and list lines that many documents have."""
    ranks = range(len(signed.task_bytes))
    keys = [np.fromfile(signed.cleaned.keys(rank), dtype="<u8").reshape(-1, 2) for rank in ranks]
    first = first_seen(np.concatenate(keys)) if config.dedup.exact else None
    repeated = []
    start = 0
    for rank in ranks:
        end = start + len(keys[rank])
        marks = ~first[start:end] if first is not None else np.zeros(end - start, dtype=bool)
        with written(signed.repeated(rank), "wb") as stream:
            stream.write(marks.tobytes())
        repeated.append(marks)
        start = end
    if config.cuts_lines:
        find_repeats(
            [signed.cleaned.lines(rank) for rank in ranks],
            repeated,
            [signed.cuts(rank) for rank in ranks],
            signed.folder / "lines",
            min_documents=2 if config.dedup.lines else config.boilerplate.min_documents,
            keep_first=config.dedup.lines,
        )


def _join(
    work: Path, config: CleanConfig, cleaned: CleanPass, signed: SignPass, files: list[InputFile]
) -> None:
    ranks = range(len(cleaned.tasks))
    texts = RecordReader([signed.results.records(rank) for rank in ranks])
    index = read_index(signed.results, len(ranks), signed.folder / "index")
    with progress("deduplicate", unit="documents") as advance:
        verdicts = judge_index(index, lambda number: texts[number]["text"], config)
        advance(len(index))
    with progress("join", len(index), "documents") as advance:
        ledger = join_tasks(
            cleaned.results, signed.results, len(ranks), verdicts, work, config, advance
        )
    _assert_balanced(ledger)
    if not ledger.total().kept:
        shutil.rmtree(work)  # there is nothing in it that other settings could go on from
        raise _nothing_kept(ledger, config)
    places = {file.name: number for number, file in enumerate(files)}
    write_report(work, ledger, places, _extra(verdicts))


def _extra(verdicts: Verdicts) -> dict[str, Any]:
    """Return what the report tells beside the ledger."""
    copies = np.bincount(verdicts.near[verdicts.near >= 0])
    sizes = Counter((copies[copies > 0] + 1).tolist())
    return {
        "clusters": {"near_duplicate": {str(size): sizes[size] for size in sorted(sizes)}},
        "deduplication": {"index bytes a document": INDEX.itemsize + KEY_BYTES},
    }


def _assert_balanced(ledger: Ledger) -> None:
    for source, count in ledger.sources.items():
        if not (count.balanced() and count.accounted()):
            raise RuntimeError(f"documents were lost or doubled in {source!r}: {count}")


def _nothing_kept(ledger: Ledger, config: CleanConfig) -> UserError:
    total = ledger.total()
    if not total.documents:
        return UserError("no document in the input", where=", ".join(config.inputs))
    return UserError(
        f"nothing would be kept of {total.documents:,} documents: {told(total)}",
        where=", ".join(config.inputs),
        do="look at the input, text_column and filters",
    )


def _clear(folder: Path, *, but: tuple[str, ...]) -> None:
    """Remove what a join that was killed may have left."""
    for path in folder.iterdir():
        if path.name not in but:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
