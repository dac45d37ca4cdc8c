"""Where the tasks of a pass run: on this machine's cores, on Slurm, or on Ray."""

from __future__ import annotations

from collections.abc import Callable

from corpora.config import CleanConfig
from corpora.on_ray import run_on_ray, wait_for_drivers
from corpora.passes.pipeline import Pass, as_job, left_of
from corpora.slurm import run_on_slurm, take_up
from thaitok.crew import MEGABYTE, Told, cores, in_megabytes, run_locally
from thaitok.progress import progress


def run_pass(job: Pass, config: CleanConfig) -> None:
    """Run what no run before has finished of a pass, and return when all of it is.

    Raises `UserError` when tasks failed on a cluster; locally, what the first one raised.
    """
    job.folder.mkdir(exist_ok=True)
    # What a run that was killed left on Ray, and below on Slurm, whichever engine this run has.
    wait_for_drivers(job)
    left = left_of(job)
    sizes = job.sizes()
    with progress(job.title, -(-sum(sizes) // MEGABYTE), "MB") as advance:
        told = in_megabytes(advance)
        told(sum(sizes) - sum(sizes[rank] for rank in left), 0)
        take_up(job, left, told)
        left = left_of(job)
        if left:
            RUNNERS[config.engine.kind](job, left, config, told)
    if left := left_of(job):
        raise RuntimeError(f"tasks {left} of the {job.title} pass are said to be finished")


def _on_cores(job: Pass, left: list[int], config: CleanConfig, told: Told) -> None:
    run_locally(as_job(job), left, min(config.workers or cores(), len(left)), told)


RUNNERS: dict[str, Callable[[Pass, list[int], CleanConfig, Told], None]] = {
    "local": _on_cores,
    "slurm": run_on_slurm,
    "ray": run_on_ray,
}
