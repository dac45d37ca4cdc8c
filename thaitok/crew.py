"""The crew: worker processes that run the tasks of a job and end with their parent.

Each is a fresh interpreter, not a fork or multiprocessing's spawn: a fork would hold our lock
after a kill and copy the caller's threads at any moment, and spawn runs the caller's script
again where it lacks `if __name__ == "__main__"`.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from thaitok.errors import UserError
from thaitok.progress import Advance

BOOT = "from thaitok.crew import serve; serve()"
MEGABYTE = 1_000_000
REPORT_BYTES = MEGABYTE
"""How much a worker reads between two reports."""

Told = Callable[[int, int], None]
"""Told how many bytes of text a task has dealt with, and how many documents it dropped."""

Event = tuple[int, int] | Exception | None
"""From a worker: bytes dealt with and documents dropped, an error, or None when a task, or at
last the worker, is done."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker must know to run any task: `run(of, rank, told)`.

    Both must be such as pickle can send: a function of a module, and plain data. A task leaves
    its result on disk.
    """

    run: Callable[[Any, int, Told], None]
    of: Any
    sizes: Sequence[int]
    """The bytes of text of each task, roughly."""


def run_locally(job: Job, ranks: Iterable[int], workers: int, told: Told) -> None:
    """Run the tasks on `workers` processes; raise what the first failing one raised.

    However it ends, no worker outlives it.
    """
    left = iter(list(ranks))
    lock = threading.Lock()
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def next_rank() -> int | None:
        with lock:
            return next(left, None)

    with _hired(job, workers) as crew:
        for worker in crew:
            threading.Thread(target=_lead, args=(worker, next_rank, events), daemon=True).start()
        busy = len(crew)
        while busy:
            match events.get():
                case (size, dropped):
                    told(size, dropped)
                case None:
                    busy -= 1
                case error:
                    raise error


def run_job(job: Job, workers: int | None, told: Told) -> None:
    """Run all tasks of a job on `workers` processes, all cores by default.

    A single task, or all with a single worker, is run in this process.
    """
    workers = min(workers or cores(), len(job.sizes))
    if workers > 1:
        run_locally(job, range(len(job.sizes)), workers, told)
        return
    for task, size in enumerate(job.sizes):
        job.run(job.of, task, lambda *_: None)
        told(size, 0)


def cores() -> int:
    """Return how many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_megabytes(advance: Advance) -> Told:
    """Return a `Told` that advances a bar of megabytes, whose total is rounded up."""
    rest = MEGABYTE - 1  # rounded up, as the total is
    all_dropped = 0

    def told(size: int, dropped: int) -> None:
        nonlocal rest, all_dropped
        steps, rest = divmod(rest + size, MEGABYTE)
        all_dropped += dropped
        advance(steps, f"{all_dropped:,} dropped" if all_dropped else "")

    return told


Crew = list[subprocess.Popen[bytes]]
_waiting: Crew | None = None
"""Workers between two passes of `kept_crew`; None outside of it."""


@contextmanager
def kept_crew() -> Iterator[None]:
    """Keep the workers from one pass to the next: a new one takes over a second to begin."""
    global _waiting
    before, _waiting = _waiting, []
    try:
        yield
    finally:
        _dismiss(_waiting)
        _waiting = before


@contextmanager
def _hired(job: Job, workers: int) -> Iterator[Crew]:
    kept = _waiting if _waiting is not None else []
    crew: Crew = []
    try:
        while kept and len(crew) < workers:
            crew.append(kept.pop())
            if crew[-1].poll() is not None:  # it ended while it waited: memory was short, say
                _dismiss([crew.pop()])
        while len(crew) < workers:
            crew.append(_hire())
        for worker in crew:
            try:
                _send(worker, job)
            except BrokenPipeError:
                raise _lost(worker) from None
        yield crew
    except BaseException:
        _dismiss(crew)
        raise
    if _waiting is None:
        _dismiss(crew)
    else:
        _waiting.extend(crew)


def _dismiss(crew: Crew) -> None:
    for worker in crew:
        worker.kill()
    for worker in crew:
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            _close(pipe)


def _hire() -> subprocess.Popen[bytes]:
    # What this process can import, a worker can; in a list of paths an empty one is no folder.
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", BOOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
        # Out of the terminal's reach, so that Ctrl-C stops this process, which stops the crew.
        process_group=0,
    )


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe:
            pipe.close()
    except BrokenPipeError:  # something unsent was left for a worker that is gone
        pass


def _lead(
    worker: subprocess.Popen[bytes],
    next_rank: Callable[[], int | None],
    events: queue.SimpleQueue[Event],
) -> None:
    """Give a worker one task after another and pass on what it says."""
    assert worker.stdout
    try:
        while (rank := next_rank()) is not None:
            _send(worker, rank)
            while (event := pickle.load(worker.stdout)) is not None:
                events.put(event)
        events.put(None)
    except (EOFError, pickle.UnpicklingError, OSError, ValueError):
        events.put(_lost(worker))


def _lost(worker: subprocess.Popen[bytes]) -> Exception:
    status = worker.wait()
    if status >= 0:
        return RuntimeError(f"a worker ended with status {status}")
    return UserError(
        f"a worker was ended by {signal.Signals(-status).name}, as systems do when memory is short",
        do="run it again with fewer workers: finished files are not read again",
    )


def _send(worker: subprocess.Popen[bytes], value: object) -> None:
    assert worker.stdin
    pickle.dump(value, worker.stdin)
    worker.stdin.flush()


def serve() -> None:
    """Be a worker: take a job, the ranks of its tasks, another job, until stdin closes."""
    # What libraries print must not mix with what we say to the parent.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    orders: queue.SimpleQueue[Job | int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()

    def answer(event: Event) -> None:
        pickle.dump(event, answers)
        answers.flush()

    job: Job | None = None
    while True:
        order = orders.get()
        if not isinstance(order, int):
            job = order
        elif job is not None:
            _work(job, order, answer)


def _listen(stream: IO[bytes], orders: queue.SimpleQueue[Job | int]) -> None:
    try:
        while True:
            orders.put(pickle.load(stream))
    except (EOFError, pickle.UnpicklingError):
        # The parent is gone, perhaps killed: end at once, or two runs would write one folder.
        os._exit(0)


def _work(job: Job, rank: int, answer: Callable[[Event], None]) -> None:
    steps = _Steps(answer)
    try:
        job.run(job.of, rank, steps.told)
    except Exception as err:
        answer(_portable(err))
    else:
        steps.report(job.sizes[rank] - steps.bytes)
        answer(None)


@dataclass(slots=True)
class _Steps:
    """Gathers small steps of a task into few reports."""

    answer: Callable[[Event], None]
    bytes: int = 0
    """Bytes reported."""
    waiting: int = 0
    dropped: int = 0

    def told(self, size: int, dropped: int) -> None:
        self.waiting += size
        self.dropped += dropped
        if self.waiting >= REPORT_BYTES:
            self.report(self.waiting)

    def report(self, size: int) -> None:
        self.answer((size, self.dropped))
        self.bytes += size
        self.waiting = self.dropped = 0


def _portable(error: Exception) -> Exception:
    """Return the error as it can travel: with its traceback in words."""
    error.add_note("in a worker:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
