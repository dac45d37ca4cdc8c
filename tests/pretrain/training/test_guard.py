"""Promise: an update that is no number or far off changes nothing, and nobody waits to know."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard

from pretrain.config import GuardConfig, OptimConfig
from pretrain.training.guard import BETA, ENOUGH, Guard
from pretrain.training.optim import build_optimizer, update

NAN, INF = math.nan, math.inf


def judge(guard: Guard, loss: float, norm: float) -> bool:
    found = guard.judge(torch.tensor(loss), torch.tensor(norm))
    assert (found.dtype, found.shape) == (torch.float32, ())
    return bool(found)


def test_what_is_no_number_is_skipped() -> None:
    guard = Guard(GuardConfig(spike=0), "cpu")
    assert not judge(guard, 2.0, 1.0)
    for loss, norm in ((NAN, 1.0), (INF, 1.0), (2.0, NAN), (2.0, INF), (NAN, NAN)):
        assert judge(guard, loss, norm)
    assert guard.state() == pytest.approx({"mean": 0.02, "made": 1, "skipped": 5, "row": 5})
    for _ in range(ENOUGH):
        assert not judge(guard, 2.0, 1.0)
    assert not judge(guard, 2.0, 1e30), "at spike 0 any number is good"


def test_a_spike_is_skipped_once_there_are_fifty_updates_to_compare_with() -> None:
    guard = Guard(GuardConfig(spike=10), "cpu")
    for _ in range(ENOUGH - 1):
        assert not judge(guard, 2.0, 1.0)
        assert judge(guard, 2.0, NAN), "and those that are skipped are none of them"
    early = Guard(GuardConfig(spike=10), "cpu")
    early.load(guard.state())
    assert not judge(early, 2.0, 1000.0)
    assert not judge(guard, 2.0, 1.0)
    assert not judge(guard, 2.0, 9.9)
    for _ in range(3):
        assert judge(guard, 2.0, 20.0), "the mean does not run after what is skipped"
    assert not judge(guard, 2.0, 9.9)


def test_after_enough_in_a_row_the_run_goes_back() -> None:
    guard = Guard(GuardConfig(patience=3), "cpu")
    for norm in (NAN, NAN, 1.0, NAN, NAN):
        judge(guard, 2.0, norm)
        assert not guard.must_go_back()
    judge(guard, NAN, 1.0)
    assert guard.must_go_back()
    guard.load({**guard.state(), "row": 0})
    assert not guard.must_go_back()
    assert (guard.state()["row"], guard.state()["skipped"], guard.state()["made"]) == (0, 5, 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.5, 1.0, 3.0, 80.0, NAN, INF]), max_size=120), st.integers(0, 9))
def test_it_judges_as_a_list_of_all_norms_would_and_a_taken_up_one_goes_on_alike(
    norms: list[float], cut: int
) -> None:
    config = GuardConfig(spike=4.0)
    guard, made, mean = Guard(config, "cpu"), 0, 0.0
    for number, norm in enumerate([1.0] * 45 + norms):
        usual = mean / (1 - BETA**made) if made else 0
        bad = not math.isfinite(norm) or (made >= ENOUGH and norm > 4 * usual)
        if not bad:
            made, mean = made + 1, BETA * mean + (1 - BETA) * norm
        if number % 10 == cut:
            state = guard.state()
            guard = Guard(config, "cpu")
            guard.load(json.loads(json.dumps(state)))
            assert guard.state() == state
        assert judge(guard, 2.0, norm) == bad
    assert guard.state()["mean"] == pytest.approx(mean, rel=1e-5)
    assert guard.state()["made"] == made


class Small(nn.Module):
    """A table with new rows and a matrix, with a weight of -0, whose sign is easily lost."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.word_embeddings = nn.Embedding(7, 4)
        self.dense = nn.Linear(4, 3)
        with torch.no_grad():
            self.word_embeddings.weight[:5, 0] = -0.0
            self.dense.weight[0] = -0.0

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.dense(self.word_embeddings(ids))
        return found


def bits(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    parts = [
        part
        for one in model.parameters()
        for part in (
            one.detach(),
            *map(optimizer.state[one].get, ("step", "exp_avg", "exp_avg_sq")),
        )
    ]
    return [part.clone().view(torch.int32) for part in parts if part is not None]


CONFIGS = (
    OptimConfig(),
    OptimConfig(stable=True, weight_decay=0.1),
    OptimConfig(stable=True, layer_decay=0.3),
    OptimConfig(stable=True, layer_decay=0.3, unfreeze_every=6),
    OptimConfig(layer_decay=0.3, unfreeze_every=6),
)


def train(config: OptimConfig, bad: dict[int, float], *, make_bad: bool) -> list[Tensor]:
    """Make ten updates; those in `bad` have such gradients, or are not made at all."""
    model, guard = Small(), Guard(GuardConfig(), "cpu")
    optimizer = build_optimizer(model, config, added=2)
    draw = torch.Generator().manual_seed(1)
    for step in range(10):
        for one in model.parameters():
            one.grad = torch.randn(one.shape, generator=draw) * bad.get(step, 1.0)
        if step in bad and not make_bad:
            continue
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        before = bits(model, optimizer)
        skip = guard.judge(torch.tensor(2.0), norm)
        update(optimizer, 0.1, step, config, skip)
        assert bool(skip) == (step in bad)
        if step in bad and step > 0:
            assert all(map(torch.equal, before, bits(model, optimizer))), "no bit changes"
    return bits(model, optimizer)


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
@pytest.mark.parametrize("bad", [{0: NAN}, {4: INF}, {2: NAN, 3: NAN, 9: INF}], ids=str)
def test_a_run_with_skipped_updates_equals_one_where_they_were_never_made(
    config: OptimConfig, bad: dict[int, float]
) -> None:
    ours, theirs = train(config, bad, make_bad=True), train(config, bad, make_bad=False)
    assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_a_skipped_number_changes_no_bit_and_one_not_skipped_is_made_as_ever(
    config: OptimConfig, scale: float
) -> None:
    model, twin = Small(), Small()
    optimizers = [build_optimizer(one, config, added=2) for one in (model, twin)]
    for step in range(8):
        for one, other in zip(model.parameters(), twin.parameters(), strict=True):
            one.grad = other.grad = torch.randn_like(one) * (scale if step == 5 else 1.0)
        before = bits(model, optimizers[0])
        update(optimizers[0], 0.1, step, config, torch.ones(()))
        if step:
            assert all(map(torch.equal, before, bits(model, optimizers[0])))
        update(optimizers[0], 0.1, step, config, torch.zeros(()))
        update(optimizers[1], 0.1, step, config)
        after = bits(model, optimizers[0])
        assert all(map(torch.equal, after, bits(twin, optimizers[1])))
        assert not all(map(torch.equal, before, after))
        if step < config.unfreeze_every:
            assert torch.equal(after[0][:5], before[0][:5]), "old rows that do not learn yet"


@pytest.mark.gpu
@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_host_does_not_wait_for_the_device(config: OptimConfig) -> None:
    model, guard = Small().cuda(), Guard(GuardConfig(), "cuda")
    optimizer = build_optimizer(model, config, added=2)
    for step in range(4):
        for one in model.parameters():
            one.grad = torch.randn_like(one)
        if step == 2:
            norm = torch.full((), NAN, device="cuda")
        else:
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        loss = torch.full((), 2.0, device="cuda")
        torch.cuda.set_sync_debug_mode("error")
        try:
            update(optimizer, 0.1, step, config, guard.judge(loss, norm))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert guard.state()["skipped"] == 1


@pytest.mark.slow
def test_two_devices_that_share_the_tensors_learn_and_skip_as_one_does(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, __file__, str(tmp_path / "meet")], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def learn(config: OptimConfig, mesh: Any = None) -> list[Tensor]:
    model: Any = Small()
    if mesh is not None:
        fully_shard(model, mesh=mesh)
    optimizer = build_optimizer(model, config, added=2)
    for step in range(10):
        torch.manual_seed(step)
        scale = NAN if step in (0, 5) else 10 ** float(torch.randn(()))
        (scale * model(torch.randint(0, 7, (16,))).square().mean()).backward()
        update(optimizer, 0.1, step, config, torch.tensor(float(math.isnan(scale))))
        optimizer.zero_grad()
    whole = (one if mesh is None else one.full_tensor() for one in model.parameters())
    return [one.detach() for one in whole]


def work(rank: int, meet: str) -> None:
    at = f"file://{meet}"
    torch.distributed.init_process_group("gloo", init_method=at, rank=rank, world_size=2)
    mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (2,))
    for config in CONFIGS:
        for ours, theirs in zip(learn(config, mesh), learn(config), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.multiprocessing.spawn(work, (sys.argv[1],), 2)
