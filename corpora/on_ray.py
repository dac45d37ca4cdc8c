"""Ray: a process of its own drives it, so that Ray ends with us, however we end."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from corpora.cluster import Launch, import_paths, launch_of, require_all, watch
from corpora.config import CleanConfig, EngineConfig
from corpora.passes.pipeline import Pass
from thaitok.crew import Told, cores
from thaitok.errors import UserError

BOOT = "from corpora.on_ray import drive; drive()"
STORE_BYTES = 100_000_000
"""Ray's store of shared objects, where it is ours to start: nothing but settings goes there."""
WORKERS = 64
"""For how many workers tasks are dealt out on a cluster where the user does not say."""
LOOK_EVERY = 0.2
"""Seconds between two looks at whether a task's parent is alive."""
SHUTDOWN = 20.0
"""Seconds that Ray is given to end."""
DRIVER_LOG = "driver.out"
"""What the driver says; as long as it lives it holds a lock on it."""
ANSWER = 10.0
"""Seconds that a cluster is given to answer."""


def run_on_ray(job: Pass, left: list[int], config: CleanConfig, told: Told) -> None:
    """Run tasks of a pass on a Ray cluster, or on a Ray of our own on this machine.

    Raises `UserError` when Ray is not installed, cannot be reached, or tasks fail.
    """
    if not find_spec("ray"):
        raise UserError("ray is not installed", do="pip install 'thaitok[ray]'")
    _require_answer(config.engine.address)
    workers = config.workers or (WORKERS if config.engine.address else cores())
    launch = launch_of(job, left, workers, "ray")
    with _driver(launch, config.engine, workers) as driver:
        watch(job, left, told, lambda: driver.poll() is None)
    require_all(launch)


def wait_for_drivers(job: Pass) -> None:
    """Wait for the Ray of a run that was killed: two must not write the same task."""
    for log in job.folder.glob(f"ray-*/{DRIVER_LOG}"):
        waited = 0.0
        while not _is_free(log):
            if waited > 2 * SHUTDOWN:
                raise UserError(
                    "the Ray of an earlier run does not end", where=log, do="end it by hand"
                )
            time.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        if waited:
            time.sleep(5 * LOOK_EVERY)  # for its tasks to see that it is gone


def _is_free(log: Path) -> bool:
    with log.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def _driver(
    launch: Launch, engine: EngineConfig, workers: int
) -> Iterator[subprocess.Popen[bytes]]:
    # Short, since it holds Unix sockets, and removed at the end: Ray leaves megabytes of logs.
    scratch = Path(tempfile.mkdtemp(prefix="ray-", dir=os.environ.get("RAY_TMPDIR", "/tmp")))
    orders = launch.folder / "launch.pik"
    orders.write_bytes(pickle.dumps((launch, engine, workers, scratch)))
    with (launch.folder / DRIVER_LOG).open("wb") as said:
        fcntl.flock(said, fcntl.LOCK_EX)  # which the driver inherits
        driver = subprocess.Popen(
            [sys.executable, "-P", "-c", BOOT, str(orders)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=os.environ | QUIET | {"PYTHONPATH": import_paths()},
            process_group=0,
        )
    assert driver.stdin
    try:
        yield driver
    finally:
        driver.stdin.close()  # which ends it
        with suppress(subprocess.TimeoutExpired):
            driver.wait(SHUTDOWN + 5)
        driver.kill()
        driver.wait()
        shutil.rmtree(scratch, ignore_errors=True)


QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
"""Ray tells nobody of its use, starts its workers as we were started, and does not begin anew
when it is called after its end."""


def drive() -> None:
    """Be the driver: run the launch of the file named, or end before, when stdin closes."""
    launch, engine, workers, scratch = pickle.loads(Path(sys.argv[1]).read_bytes())
    ray: Any = import_module("ray")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_interrupt_at_end_of_stdin, daemon=True).start()
    try:
        ray.init(
            **_where(engine, workers, scratch),
            # datatrove logs to one folder below TMPDIR, on machines where others may own it.
            runtime_env={"env_vars": {"TMPDIR": str(launch.folder), "PYTHONPATH": import_paths()}},
            log_to_driver=False,
            logging_level="ERROR",
        )
        _require_memory(ray.nodes(), engine)
        _execute(launch, engine, workers)
    finally:
        # A Ray of our own that is just left leaves its agents running, and its logs.
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _interrupt_at_end_of_stdin() -> None:
    os.read(0, 1)  # not by sys.stdin, whose lock the interpreter wants at its end
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    time.sleep(SHUTDOWN)  # datatrove takes 2 s for each worker
    os._exit(1)


def _execute(launch: Launch, engine: EngineConfig, workers: int) -> None:
    from datatrove.executor.ray import RayPipelineExecutor

    executor = RayPipelineExecutor(
        [_end_with_parent, *launch.pipeline],
        tasks=len(launch.groups),
        workers=workers,
        mem_per_cpu_gb=engine.memory_gb,
        logging_dir=str(launch.folder),
        skip_completed=False,
    )
    executor.run()


def _where(engine: EngineConfig, workers: int, scratch: Path) -> dict[str, Any]:
    if address := engine.address or os.environ.get("RAY_ADDRESS"):
        return {"address": address}
    return {
        "address": "local",
        "num_cpus": workers,
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
        "_temp_dir": str(scratch),
    }


def _require_memory(nodes: list[dict[str, Any]], engine: EngineConfig) -> None:
    """Raise if a Ray of our own has not the memory for one task: it would wait for ever."""
    most = max(node["Resources"].get("memory", 0) for node in nodes) / 2**30
    if not engine.address and most < engine.memory_gb:
        raise MemoryError(f"engine.memory_gb is {engine.memory_gb}, but {most:.1f} are here")


def _require_answer(address: str) -> None:
    """Raise `UserError` if nobody listens at a cluster's address: Ray would ask for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not (host and port.isdecimal()):
        return  # a word of Ray's, such as auto
    try:
        socket.create_connection((host, int(port)), ANSWER).close()
    except OSError as err:
        raise UserError(f"no Ray answers at engine.address = {address}: {err}") from None


def _end_with_parent(_: object, group: int, world_size: int) -> None:
    """End this process when Ray's worker does, of which it is a fork: it would work on alone."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
