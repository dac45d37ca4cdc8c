"""Promise: kills, signals and full disks lose nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pretrain.config import PretrainConfig
from pretrain.training.run import pretrain
from thaitok.errors import UserError

ConfigOf = Callable[..., PretrainConfig]
Metrics = Callable[[Path], list[dict[str, float]]]
Weights = Callable[[Path], str]
Command = Callable[[PretrainConfig], list[str]]


LIMITED = """
import resource, signal, sys
from thaitok.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command where no file may grow beyond a size, as on a disk that runs full."""


def test_promise_4_a_full_disk_is_one_line_and_the_run_goes_on(
    whole: Path, config_of: ConfigOf, tmp_path: Path, weights: Weights, command: Command
) -> None:
    config = config_of(tmp_path / "run")
    limit = (whole / "checkpoints" / "step-12" / "model.safetensors").stat().st_size + 10
    argv = [sys.executable, "-c", LIMITED, str(limit), *command(config)[3:]]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "no space left to write" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list((config.out / "checkpoints").glob("step-*")), "moments did not fit"
    pretrain(config)
    assert weights(config.out) == weights(whole)
    assert not list((config.out / "checkpoints").glob(".*")), "what the full disk left is gone"


@pytest.mark.slow
def test_promise_3_kill_9_and_ctrl_c_lose_nothing(
    config_of: ConfigOf,
    tmp_path: Path,
    weights: Weights,
    command: Command,
    wait_for: Callable[..., None],
) -> None:
    size = {"steps": 300, "save_every": 40, "eval_every": 100, "log_every": 50}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    subprocess.run(command(config_of(tmp_path / "a" / "run", **size)), check=True)
    config = config_of(tmp_path / "b" / "run", **size)
    process = subprocess.Popen(command(config))
    wait_for(config.out / "checkpoints" / "step-80", process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process = subprocess.Popen(command(config), stderr=subprocess.PIPE)
    wait_for(config.out / "checkpoints" / "step-160", process)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"taking up the run after step" in said
    assert b"Traceback" not in said
    assert not (config.out / "manifest.json").exists()
    subprocess.run(command(config), check=True)
    assert weights(config.out) == weights(tmp_path / "a" / "run")


@pytest.mark.slow
def test_promise_3_twenty_kills_at_random(
    config_of: ConfigOf,
    tmp_path: Path,
    weights: Weights,
    metrics: Metrics,
    command: Command,
    newest_step: Callable[[Path], int],
) -> None:
    """kill -9 twenty times: at random moments, and in the middle of a save."""
    size = {"steps": 400, "save_every": 5, "eval_every": 200, "log_every": 50}
    pretrain(config_of(tmp_path / "whole" / "run", **size))
    config = config_of(tmp_path / "killed" / "run", **size)
    config.out.parent.mkdir()
    draw = random.Random(4)
    checkpoints = config.out / "checkpoints"
    saving = 0
    for number in range(20):
        process = subprocess.Popen(command(config), stderr=subprocess.DEVNULL)
        before = newest_step(checkpoints)
        while process.poll() is None and newest_step(checkpoints) < before + 5:
            time.sleep(0.01)
        if number % 2:
            until = time.monotonic() + 5
            while not any(checkpoints.glob(".step-*")) and time.monotonic() < until:
                time.sleep(0.0005)
        else:
            time.sleep(draw.uniform(0, 0.3))
        assert process.poll() is None, "ended before it could be killed"
        process.kill()
        process.wait()
        saving += any(checkpoints.glob(".step-*"))
    assert saving >= 3, "some kills were inside a save"
    assert newest_step(checkpoints) < 400
    pretrain(config)
    assert weights(config.out) == weights(tmp_path / "whole" / "run")
    assert metrics(config.out) == metrics(tmp_path / "whole" / "run")


def test_sigterm_saves_and_ends_well(
    config_of: ConfigOf,
    tmp_path: Path,
    command: Command,
    wait_for: Callable[..., None],
    newest_step: Callable[[Path], int],
) -> None:
    config = config_of(tmp_path / "run", steps=2000, save_every=1000, eval_every=1000)
    process = subprocess.Popen(command(config), stderr=subprocess.PIPE)
    wait_for(config.out / "metrics.jsonl", process)
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 0
    assert b"the same command goes on from it" in said
    assert newest_step(config.out / "checkpoints") > 0
    assert not (config.out / "manifest.json").exists()


def test_two_runs_in_one_folder_are_refused(
    config_of: ConfigOf, tmp_path: Path, command: Command, wait_for: Callable[..., None]
) -> None:
    config = config_of(tmp_path / "run", steps=2000)
    process = subprocess.Popen(command(config), stderr=subprocess.DEVNULL)
    try:
        wait_for(config.out / "metrics.jsonl", process)
        with pytest.raises(UserError, match="another run is writing this folder"):
            pretrain(config)
    finally:
        process.kill()
        process.wait()
