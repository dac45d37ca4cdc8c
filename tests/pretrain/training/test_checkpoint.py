from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from pretrain.config import OptimConfig
from pretrain.training.checkpoint import (
    gather,
    load_checkpoint,
    newest_checkpoint,
    save_checkpoint,
)
from pretrain.training.optim import build_optimizer
from thaitok.errors import UserError


def trained(steps: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = build_optimizer(model, OptimConfig())
    for _ in range(steps):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    return model, optimizer


def test_a_checkpoint_gives_back_weights_moments_and_state(tmp_path: Path) -> None:
    model, optimizer = trained(3)
    save_checkpoint(
        tmp_path, 3, gather(dict(model.named_parameters()), optimizer), {"tokens": 9}, keep=2
    )
    other, fresh = trained(0)
    path = newest_checkpoint(tmp_path)
    assert path is not None
    assert load_checkpoint(path, dict(other.named_parameters()), fresh) == {"step": 3, "tokens": 9}
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        for key, value in optimizer.state[one].items():
            assert torch.equal(value, fresh.state[two][key])


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    model, optimizer = trained(1)
    for step in (2, 9, 10, 100):
        save_checkpoint(
            tmp_path, step, gather(dict(model.named_parameters()), optimizer), {}, keep=2
        )
    assert {path.name for path in tmp_path.iterdir()} == {"step-10", "step-100"}


@pytest.mark.parametrize("name", ["model.safetensors", "manifest.json", "state.json"])
def test_a_checkpoint_with_a_missing_or_cut_file_is_no_checkpoint(
    tmp_path: Path, name: str
) -> None:
    model, optimizer = trained(1)
    for step in (1, 2, 3):
        save_checkpoint(
            tmp_path, step, gather(dict(model.named_parameters()), optimizer), {}, keep=3
        )
    (tmp_path / "step-3" / name).unlink()
    data = (tmp_path / "step-2" / name).read_bytes()
    (tmp_path / "step-2" / name).write_bytes(data[: len(data) // 2])
    assert newest_checkpoint(tmp_path) == tmp_path / "step-1"


def test_a_damaged_later_checkpoint_does_not_push_out_a_sound_one(tmp_path: Path) -> None:
    model, optimizer = trained(1)
    for step in (90, 100):
        save_checkpoint(
            tmp_path, step, gather(dict(model.named_parameters()), optimizer), {}, keep=2
        )
        (tmp_path / f"step-{step}" / "state.json").unlink()
    save_checkpoint(tmp_path, 10, gather(dict(model.named_parameters()), optimizer), {}, keep=2)
    assert newest_checkpoint(tmp_path) == tmp_path / "step-10"
    save_checkpoint(tmp_path, 20, gather(dict(model.named_parameters()), optimizer), {}, keep=2)
    assert {path.name for path in tmp_path.iterdir()} == {"step-10", "step-20"}


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "none") is None


def test_the_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    model, optimizer = trained(1)
    save_checkpoint(tmp_path, 1, gather(dict(model.named_parameters()), optimizer), {}, keep=2)
    for other in (nn.Sequential(nn.Linear(3, 2)), nn.Linear(3, 4)):
        with pytest.raises(UserError, match="weights of another model"):
            named = dict(other.named_parameters())
            load_checkpoint(tmp_path / "step-1", named, build_optimizer(other, OptimConfig()))
