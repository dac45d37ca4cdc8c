"""Tasks of a pass on a cluster: dealt out in groups, watched by the files that they leave."""

from __future__ import annotations

import os
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from corpora.passes.pipeline import Pass, Step, as_job, left_of
from thaitok.crew import Told, run_locally
from thaitok.errors import UserError

GROUPS_A_WORKER = 4
"""So that all workers are busy until near the end."""
LEAST_GROUP = 4
"""A group takes 2 to 5 s to begin, and a task some 2 s; but idle workers come first."""
MOST_GROUPS = 1000
"""Slurm takes arrays of 1,000 unless its MaxArraySize says otherwise."""
LOOK_FIRST = 0.5
LOOK_AT_LEAST = 15.0
"""Seconds between two looks at which tasks are finished: soon at first, then ever more rarely,
since each asks the file server and Slurm's controller, which others share."""


@dataclass(frozen=True, slots=True, repr=False)  # datatrove logs it with each group
class Launch:
    """What one run gives a cluster to do: tasks of a pass in groups, and a folder for its logs."""

    job: Pass
    groups: list[list[int]]
    folder: Path

    @property
    def pipeline(self) -> list[Step]:
        """What datatrove runs on the cluster, once for each group."""
        return [partial(_run_group, self)]

    def failure(self, rank: int) -> Path:
        """Return where the traceback of a failed task is."""
        return self.folder / f"task-{rank:05d}.failed"


def launch_of(job: Pass, left: list[int], workers: int, kind: str) -> Launch:
    """Prepare a launch of the tasks that are left, for `workers` that run at the same time."""
    folder = job.folder / f"{kind}-{secrets.token_hex(4)}"
    folder.mkdir()
    return Launch(job, deal(left, workers), folder)


def deal(left: list[int], workers: int) -> list[list[int]]:
    """Deal out tasks in groups, each to run in order by one worker."""
    most = min(MOST_GROUPS, workers * GROUPS_A_WORKER)
    size = max(-(-len(left) // most), min(LEAST_GROUP, -(-len(left) // workers)))
    return [left[at : at + size] for at in range(0, len(left), size)]


def import_paths() -> str:
    """Return the PYTHONPATH with which another process imports what this one can."""
    # In a list of paths an empty one is no folder.
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)


def _run_group(launch: Launch, _: object, group: int, world_size: int) -> None:
    """Run a group's tasks as on one machine; one that fails stops no other."""
    done = launch.job.mark
    # Some are finished if the group runs again, since Ray lost its worker.
    waiting = [rank for rank in launch.groups[group] if not done(rank).is_file()]
    failed = []
    while waiting:
        try:
            # In a process of its own: when one of multiprocess's pool, in which Ray's executor
            # runs us, is killed for want of memory, the pool waits for it for ever.
            run_locally(as_job(launch.job), waiting, 1, _tell_nobody)
            break
        except Exception:
            # They run in order, so it was the first that is not finished.
            at = next((at for at, rank in enumerate(waiting) if not done(rank).is_file()), -1)
            if at < 0:
                raise
            failed.append(waiting[at])
            with suppress(OSError):  # the disk may be full, which is then what failed
                launch.failure(waiting[at]).write_text(traceback.format_exc(), encoding="utf-8")
            waiting = waiting[at + 1 :]
    if failed:
        raise RuntimeError(f"tasks {failed} failed, as told in {launch.folder}/task-*.failed")


def _tell_nobody(size: int, dropped: int) -> None:
    """Do nothing: the driver is elsewhere and looks at marks."""


def watch(job: Pass, left: list[int], told: Told, goes_on: Callable[[], bool]) -> None:
    """Tell how far the tasks are by those that are finished, until nothing runs any more."""
    sizes = job.sizes()
    waiting = set(left)
    pause = LOOK_FIRST
    running = True
    while running:
        running = goes_on()  # asked before the look, or a task finished between would be missed
        finished = waiting - _unfinished(job, waiting)
        told(sum(sizes[rank] for rank in finished), 0)
        waiting -= finished
        if running:
            time.sleep(pause if waiting else LOOK_FIRST)
            pause = min(pause * 1.2, LOOK_AT_LEAST)


def _unfinished(job: Pass, ranks: set[int]) -> set[int]:
    # One listing, not a look at each mark: that is a question to the file server for each, and
    # NFS answers no from memory for up to a minute, unless the folder is opened anew.
    there = {path.name for path in job.folder.iterdir()}
    return {rank for rank in ranks if job.mark(rank).name not in there}


def require_all(launch: Launch) -> None:
    """Raise `UserError` if tasks are left, with the reason that the first one left."""
    left = left_of(launch.job)
    if not left:
        return
    place, reason = next(_reasons(launch, set(left)), (launch.folder, "were they cancelled?"))
    tasks = len(launch.job.sizes())
    raise UserError(
        f"{len(left)} of {tasks} tasks of the {launch.job.title} pass did not finish: {reason}",
        where=place,
        do="mend that and run the same command again: finished tasks stay",
    )


def _reasons(launch: Launch, left: set[int]) -> Iterator[tuple[Path, str]]:
    """Yield what speaks of a failure: a task itself, else what the cluster wrote of its group."""
    for path in map(launch.failure, sorted(left)):
        if path.is_file():
            yield path, _last_line(path) or "no word was left: is the disk full?"
    for number, group in enumerate(launch.groups):
        if left.intersection(group):
            for path in launch.folder.glob(f"*_{number}.out"):
                yield path, _last_line(path)
    for path in launch.folder.glob("driver.out"):
        if said := _last_line(path, "error"):
            yield path, said


def _last_line(path: Path, about: str = "") -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((one.strip() for one in reversed(lines) if one and about in one.casefold()), "")
