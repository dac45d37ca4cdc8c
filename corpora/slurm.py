"""Slurm: a pass is one array job, which a driver that was killed finds again by its name."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from corpora.cluster import Launch, import_paths, launch_of, require_all, watch
from corpora.config import CleanConfig
from corpora.passes.pipeline import Pass
from thaitok.crew import Told
from thaitok.errors import UserError

log = logging.getLogger("thaitok")

WORKERS = 64
"""For how many workers tasks are dealt out where the user does not say."""
GONE_EVERY = 0.5
"""Seconds between two looks at whether cancelled jobs are gone."""
QUEUED = "queued"
"""A file beside the logs of a launch from before it is queued until it has left the queue."""
RUN = "-P -m datatrove.tools.launch_pickled_pipeline"


def run_on_slurm(job: Pass, left: list[int], config: CleanConfig, told: Told) -> None:
    """Run tasks of a pass as an array job and wait for it; Ctrl-C cancels it.

    Raises `UserError` when Slurm refuses the job or tasks fail.
    """
    if not shutil.which("sbatch"):
        raise UserError("there is no Slurm here: sbatch is not found", do="run it on a login node")
    _cancel_strangers(job)
    launch = launch_of(job, left, config.workers or WORKERS, "slurm")
    queued = launch.folder / QUEUED
    queued.touch()
    with _cancelled_if_stopped(_name(launch.folder)):
        number = _submit(launch, config)
        log.info("%s: Slurm job %s, %d tasks", job.title, number, len(left))
        watch(job, left, told, _follow(_name(launch.folder)))
    queued.unlink()
    require_all(launch)


def take_up(job: Pass, left: list[int], told: Told) -> None:
    """Wait for the jobs that a killed driver left: two must not write the same task."""
    for queued in sorted(job.folder.glob(f"slurm-*/{QUEUED}")):
        if not shutil.which("squeue"):
            raise UserError(
                "Slurm jobs of an earlier run may be writing here, and squeue is not found",
                where=queued,
                do="run it on a login node, or delete this file once they are gone",
            )
        name = _name(queued.parent)
        if found := _jobs(name):
            log.info("%s: taking up Slurm job %s of a run before", job.title, ", ".join(found))
        with _cancelled_if_stopped(name):
            watch(job, left, told, _follow(name))
        queued.unlink()


def _name(folder: Path) -> str:
    """Return the name of the job that logs to a folder: of its pass, place and launch."""
    return f"{_prefix(folder.parent)}{folder.name.removeprefix('slurm-')}"


def _prefix(folder: Path) -> str:
    """Return what the names of all jobs begin with that write to a pass's folder."""
    place = sha256(os.fsencode(folder.resolve())).hexdigest()
    return f"thaitok-{folder.name}-{place[:8]}-"


def _cancel_strangers(job: Pass) -> None:
    """Cancel what runs for a folder of this name that was deleted since, and wait till it ends."""
    # What this folder knows of was taken up and is gone.
    prefix = _prefix(job.folder)
    if strangers := _jobs(prefix):
        log.warning("cancelling Slurm job %s of a run that was deleted", ", ".join(strangers))
        _cancel(strangers)
    while _jobs(prefix):
        time.sleep(GONE_EVERY)


@contextmanager
def _cancelled_if_stopped(name: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(UserError):
            _cancel(_jobs(name))
        raise


def _cancel(numbers: Iterable[str]) -> None:
    if wanted := list(numbers):
        subprocess.run(["scancel", *wanted], capture_output=True, check=False)


def _follow(name: str) -> Callable[[], bool]:
    """Return what says whether a job is still in the queue."""
    deaf = False

    def goes_on() -> bool:
        nonlocal deaf
        try:
            found = bool(_jobs(name))
        except UserError as err:  # a controller that is busy or restarted; the job goes on
            if not deaf:
                log.warning("%s; asking on", err)
            deaf = True
            return True
        deaf = False
        return found

    return goes_on


def _jobs(prefix: str) -> list[str]:
    """Return the numbers of our jobs in the queue whose names begin so."""
    asked = _run("squeue", "--noheader", f"--user={os.getuid()}", "--format=%F %j")
    lines = (line.partition(" ") for line in asked.splitlines())
    numbers = (number for number, _, name in lines if name.strip().startswith(prefix))
    return list(dict.fromkeys(numbers))  # an array has a line for each that runs


def _submit(launch: Launch, config: CleanConfig) -> str:
    """Queue the array job and return its number."""
    from datatrove.executor.slurm import SlurmPipelineExecutor

    engine = config.engine
    executor = SlurmPipelineExecutor(
        launch.pipeline,
        tasks=len(launch.groups),
        time=engine.time,
        partition=engine.partition,
        mem_per_cpu_gb=engine.memory_gb,
        workers=config.workers or -1,
        qos="",
        env_command=engine.environment or f"export PYTHONPATH={shlex.quote(import_paths())}",
        sbatch_args=dict(engine.sbatch),
        logging_dir=str(launch.folder),
        slurm_logs_folder=str(launch.folder),
        skip_completed=False,
        requeue=False,
        requeue_signals=None,
    )
    # The executor runs the tasks on the nodes, but does not launch itself: it would leave a job
    # that sums up statistics in the queue for ever once a task fails, cannot say why sbatch
    # refuses, and writes paths into its script that a space breaks.
    groups = list(range(len(launch.groups)))
    (launch.folder / "ranks_to_run.json").write_text(json.dumps(groups))
    pickled = launch.folder / "executor.pik"
    pickled.write_bytes(pickle.dumps(executor))
    python = "python" if engine.environment else shlex.quote(sys.executable)
    script = executor.get_launch_file_contents({}, f"{python} {RUN} {shlex.quote(str(pickled))}")
    options = _options(launch, executor.get_sbatch_args(len(groups)))
    return _run("sbatch", "--parsable", *options, said=script).partition(";")[0].strip()


def _options(launch: Launch, options: dict[str, Any]) -> list[str]:
    """Return datatrove's options for sbatch and the user's, but the name and logs are ours."""
    logs = str(launch.folder).replace("%", "%%")
    ours = {"job-name": _name(launch.folder), "output": f"{logs}/%A_%a.out", "no-requeue": ""}
    del options["error"]  # goes where the output goes
    if not options["partition"]:
        del options["partition"]  # the cluster has one by default
    return [f"--{key}={value}" if value else f"--{key}" for key, value in (options | ours).items()]


def _run(command: str, *options: str, said: str | None = None) -> str:
    done = subprocess.run(
        [command, *options], input=said, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = done.stderr.replace(f"{command}: error: ", "").strip().replace("\n", "; ")
        raise UserError(f"{command} failed: {words}", do="see engine.* in the settings")
    return done.stdout
