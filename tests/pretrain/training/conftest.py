"""A run that nothing stopped, and what tests ask of run folders and of the command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pretrain.config import PretrainConfig
from pretrain.training.run import pretrain
from thaitok.config import dump_toml
from thaitok.folder import file_facts


def _weights(out: Path) -> str:
    return file_facts(out / "model" / "model.safetensors").sha256


CLOCK = {"seconds", "tokens_per_second", "mfu", "waiting"}
"""What of a line is never the same twice."""


def _metrics(out: Path) -> list[dict[str, float]]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in CLOCK} for line in lines]


def _command(config: PretrainConfig) -> list[str]:
    file = config.out.parent / "run.toml"
    file.write_text(dump_toml(config), encoding="utf-8")
    return [sys.executable, "-m", "thaitok", "pretrain", "--config", str(file)]


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, "ended before it could be stopped"
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def _newest_step(checkpoints: Path) -> int:
    return max((int(path.name[5:]) for path in checkpoints.glob("step-*")), default=0)


@pytest.fixture(scope="session")
def weights() -> Callable[[Path], str]:
    """Return the sha256 of a run's finished weights."""
    return _weights


@pytest.fixture(scope="session")
def metrics() -> Callable[[Path], list[dict[str, float]]]:
    """Return the lines of metrics.jsonl without what a clock says."""
    return _metrics


@pytest.fixture(scope="session")
def command() -> Callable[[PretrainConfig], list[str]]:
    """Write a config beside its run and return the command that runs it."""
    return _command


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Path, subprocess.Popen[bytes]], None]:
    """Wait until a process has made a file."""
    return _wait_for


@pytest.fixture(scope="session")
def newest_step() -> Callable[[Path], int]:
    """Return the step of the newest checkpoint of a folder."""
    return _newest_step


@pytest.fixture(scope="session")
def whole(
    config_of: Callable[..., PretrainConfig], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    pretrain(config_of(out))
    return out
