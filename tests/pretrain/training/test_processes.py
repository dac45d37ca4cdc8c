"""Promise: any number of processes trains on the same batches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pretrain.config import PretrainConfig
from pretrain.training.run import pretrain

ConfigOf = Callable[..., PretrainConfig]
Metrics = Callable[[Path], list[dict[str, float]]]
Weights = Callable[[Path], str]
Command = Callable[[PretrainConfig], list[str]]


def torchrun(world: int, *argv: str) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(world)]
    return subprocess.run([*launch, *argv], capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(("world", "parallel"), [(2, "ddp"), (4, "ddp"), (2, "fsdp2")])
def test_any_number_of_processes_trains_on_the_same_batches(
    config_of: ConfigOf,
    tmp_path: Path,
    world: int,
    parallel: str,
    metrics: Metrics,
    command: Command,
) -> None:
    """With dropout too: it is drawn for each micro-batch and not for each process."""
    alone = config_of(tmp_path / "alone" / "run", batch_tokens=512)
    pretrain(alone)
    several = config_of(tmp_path / "several" / "run", batch_tokens=512, parallel=parallel)
    several.out.parent.mkdir()
    for _ in range(2):  # the second time it is done, and every process knows it
        done = torchrun(world, "-m", *command(several)[2:], "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["steps"] == 12
    for one, two in zip(metrics(alone.out), metrics(several.out), strict=True):
        assert one == pytest.approx(two, rel=1e-5)
    one, two = (load_file(run.out / "model" / "model.safetensors") for run in (alone, several))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(
    whole: Path, config_of: ConfigOf, tmp_path: Path, metrics: Metrics, command: Command
) -> None:
    """Two processes with a part of the model each begin it, one ends it."""
    (tmp_path / "more").mkdir()
    config = config_of(tmp_path / "more" / "run", parallel="fsdp2")
    stop = "import pretrain.training.run as m\nu = m._Run._update\n" + (
        "def broken(run):\n    assert run.step < 8\n    return u(run)\n"
        "m._Run._update = broken\nimport sys\nfrom thaitok.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    file = tmp_path / "stop.py"
    file.write_text(stop, encoding="utf-8")
    assert torchrun(2, str(file), *command(config)[3:]).returncode != 0
    assert (config.out / "checkpoints" / "step-6").is_dir()
    pretrain(config)
    for one, two in zip(metrics(whole), metrics(config.out), strict=True):
        assert one == pytest.approx(two, rel=1e-4)
