"""What a pass is, and how one of its tasks runs through datatrove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from thaitok.crew import Job, Told

if TYPE_CHECKING:
    from datatrove.data import Document

Step = Callable[[Any, int, int], Any]
"""A step as datatrove takes it: (what the step before yields, rank, world size) to the next."""

BATCH_CHARS = 300_000
"""Characters of a batch: 1 MB of Thai, enough for numpy to forget that Python is slow."""
BATCH_DOCUMENTS = 2000


class Pass(Protocol):
    """One pass: what every worker must know to run any of its tasks.

    Its repr must be short: datatrove builds that of every step for every task, and one of all
    pieces of 100 GB takes 0.26 s.
    """

    @property
    def title(self) -> str:
        """What the progress calls it."""

    @property
    def folder(self) -> Path:
        """Where its results go."""

    def sizes(self) -> Sequence[int]:
        """Return the bytes of text of each task, roughly."""

    def mark(self, rank: int) -> Path:
        """Return the file that a task writes last: then it is finished."""

    def steps(self, told: Told) -> list[Step]:
        """Return the pipeline that runs any task."""


def left_of(job: Pass) -> list[int]:
    """Return the tasks that no run before has finished."""
    return [rank for rank in range(len(job.sizes())) if not job.mark(rank).is_file()]


def as_job(job: Pass) -> Job:
    """Return a pass as the crew takes it."""
    return Job(run_rank, job, job.sizes())


def run_rank(job: Pass, rank: int, told: Told) -> None:
    """Run one task through datatrove, in this process, from scratch."""
    # Imported here: on import it takes over loguru's handlers, which belong to the caller.
    from datatrove.executor.local import LocalPipelineExecutor
    from loguru import logger

    logger.disable("datatrove")
    executor = LocalPipelineExecutor(
        pipeline=job.steps(told),
        tasks=len(job.sizes()),
        workers=1,
        logging_dir=str(job.folder / "datatrove"),
        # datatrove's marks of completion know nothing of inputs or settings; ours decide.
        skip_completed=False,
    )
    # Not run(), which forks a manager process for every call.
    executor._run_for_rank(rank)


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Gather documents, so that a step may treat many short ones at once."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= BATCH_CHARS or len(batch) >= BATCH_DOCUMENTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
