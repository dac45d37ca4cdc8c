"""Clean a corpus: read, clean and judge in parallel, then join without duplicates."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpora.columns import check_column
from corpora.config import CleanConfig
from corpora.counts import Ledger
from corpora.crew import run_tasks
from corpora.inputs import InputFile, find_files, tasks_of
from corpora.merge import merge_tasks
from corpora.report import told, write_report
from corpora.tasks import MapPass
from thaitok.errors import UserError
from thaitok.folder import JOB, Job, Manifest, file_facts, package_versions, stage_job
from thaitok.progress import Advance, progress

TASKS = "tasks"
"""The folder of the map pass below the job's hidden work folder."""
MEGABYTE = 1_000_000


def clean_corpus(config: CleanConfig) -> Manifest:
    """Make the corpus folder `config.out` and return its manifest; a finished one is not redone.

    Every document read is kept, dropped or quarantined, and counted once. A broken document is
    set aside and never fatal. The folder's bytes depend on the inputs and the settings alone,
    not on the number of workers nor on how often the run was killed and taken up again.
    Raises `UserError` for inputs that cannot be read at all, or when nothing would be kept.
    """
    files = find_files(config.inputs, config.out)
    for file in files:
        check_column(file, config)
    facts = [file_facts(file.path, file.name) for file in files]
    with stage_job(config.out, "corpus", config.deciding(), facts) as job:
        return job.done or _make(job, config, files)


def _make(job: Job, config: CleanConfig, files: list[InputFile]) -> Manifest:
    report = job.work / "report.json"
    if not report.is_file():
        map_pass = MapPass(config, tasks_of(files), job.work / TASKS)
        _map(map_pass)
        _clear(job.work)
        _merge(map_pass, job.work, files)
    # From here on all is written: a run killed below comes straight back to this line.
    counts = json.loads(report.read_text(encoding="utf-8"))
    _clear(job.work / TASKS, everything=True)
    return job.finish(_totals(counts), package_versions("datatrove", "zstandard", "pyarrow"))


def _map(job: MapPass) -> None:
    """Run the tasks that no run before has finished."""
    job.folder.mkdir(exist_ok=True)
    ranks = range(len(job.tasks))
    left = [rank for rank in ranks if not job.finished(rank)]
    sizes = [sum(file.bytes for file in task) for task in job.tasks]
    with progress("clean", -(-sum(sizes) // MEGABYTE), "MB") as advance:
        moved = _in_megabytes(advance)
        moved(sum(sizes[rank] for rank in ranks if rank not in set(left)))
        if left:
            run_tasks(job, left, min(job.config.workers, len(left)), moved)


def _merge(map_pass: MapPass, folder: Path, files: list[InputFile]) -> None:
    with progress("join", unit="documents") as advance:
        ledger = merge_tasks(map_pass, folder, advance)
    _assert_balanced(ledger)
    total = ledger.total()
    if not total.documents:
        raise UserError("no document in the input", where=", ".join(map_pass.config.inputs))
    if not total.kept:
        raise UserError(
            f"nothing would be kept of {total.documents:,} documents: {told(total)}",
            where=", ".join(map_pass.config.inputs),
            do="look at the input, text_column and filters",
        )
    write_report(folder, ledger, {file.name: index for index, file in enumerate(files)})


def _assert_balanced(ledger: Ledger) -> None:
    for source, count in ledger.sources.items():
        if not count.balanced():
            raise RuntimeError(f"documents were lost or doubled in {source!r}: {count}")


def _totals(counts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in counts.items() if key != "sources"}


def _clear(folder: Path, *, everything: bool = False) -> None:
    """Remove what a killed run may have left, but for the job's note and finished tasks."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if everything or path.name not in (JOB, TASKS):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if everything:
        folder.rmdir()


def _in_megabytes(advance: Advance) -> Callable[[int], None]:
    rest = MEGABYTE - 1  # rounded up, as the total is

    def moved(size: int) -> None:
        nonlocal rest
        steps, rest = divmod(rest + size, MEGABYTE)
        advance(steps)

    return moved
