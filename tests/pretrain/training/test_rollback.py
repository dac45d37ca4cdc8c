"""Promise: updates that go wrong are skipped, and a run goes back and past what they came of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pretrain.config import PretrainConfig
from pretrain.data.batch import Batch, Batches, split_documents
from pretrain.data.shards import open_shards
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.training.run import _Run, pretrain
from thaitok.errors import UserError

ConfigOf = Callable[..., PretrainConfig]
Metrics = Callable[[Path], list[dict[str, float]]]
Weights = Callable[[Path], str]


def test_a_diverging_run_is_one_line(config_of: ConfigOf, tmp_path: Path) -> None:
    optim = {"learning_rate": 1e30, "clip": 1e30, "warmup_steps": 0}
    with pytest.raises(UserError, match=r"the loss or its gradient is no number.*lower optim"):
        pretrain(config_of(tmp_path / "run", optim=optim, save_every=100))


POISONED = -1


def poison(patch: pytest.MonkeyPatch, bad: range) -> None:
    """Let the loss of some micro-batches be no number."""
    inner = Batches.micro

    def micro(batches: Batches, number: int, step: int) -> Batch:
        batch = inner(batches, number, step)
        held_out = batches.plan.epoch_micros(0) < 4
        return batch if held_out or number not in bad else replace(batch, longest=POISONED)

    forward = MaskedLanguageModel.forward

    def lost(encoder: MaskedLanguageModel, batch: Batch) -> tuple[torch.Tensor, object]:
        loss, right = forward(encoder, batch)
        return (loss * torch.nan if batch.longest == POISONED else loss), right

    patch.setattr(Batches, "micro", micro)
    patch.setattr(MaskedLanguageModel, "forward", lost)


def test_a_run_goes_back_three_times_and_no_more(config_of: ConfigOf, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(20, 10**6))
        with pytest.raises(UserError, match=r"up to step \d+ \(3 times back\)"):
            pretrain(config_of(tmp_path / "run", steps=60, guard={"patience": 2}))


def test_promise_3_a_stop_among_bad_updates_changes_nothing(
    config_of: ConfigOf, tmp_path: Path, weights: Weights, metrics: Metrics
) -> None:
    """What a signal saves there is gone on from, but is none to go back to."""
    one, two = (config_of(tmp_path / name, guard={"patience": 4}) for name in ("one", "two"))
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(8, 16))
        pretrain(one)
        update, stops = _Run._update, [7]

        def stopped(run: _Run) -> object:
            if run.step in stops:
                stops.clear()
                run.save()
                raise RuntimeError("stopped")
            return update(run)

        patch.setattr(_Run, "_update", stopped)
        with pytest.raises(RuntimeError, match="stopped"):
            pretrain(two)
        pretrain(two)
    assert weights(one.out) == weights(two.out)
    assert metrics(one.out) == metrics(two.out)


def test_an_update_that_goes_wrong_is_skipped_and_counted(
    config_of: ConfigOf, tmp_path: Path, metrics: Metrics
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(8, 9))  # one of the micro-batches of step 5
        counts = pretrain(config_of(out)).counts
    assert counts["skipped"] == 1
    losses = {line["step"]: line["loss"] for line in metrics(out) if "loss" in line}
    assert [step for step, loss in losses.items() if loss is None] == [5]
    assert losses[12] < losses[1] - 0.3


def test_after_many_bad_updates_the_run_goes_back_and_passes_them_over(
    config_of: ConfigOf, tmp_path: Path, caplog: pytest.LogCaptureFixture, metrics: Metrics
) -> None:
    """The batches of the steps 5 to 8 are bad: the run goes on after the save of step 3."""
    config = config_of(tmp_path / "run", guard={"patience": 4})
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(8, 16))
        pretrain(config)
    assert "updates went wrong: going on after step 3 with later documents" in caplog.text
    state = json.loads((config.out / "checkpoints" / "step-12" / "state.json").read_text("utf-8"))
    assert (state["rollbacks"], state["left_out"]) == (1, 10)
    losses = {line["step"]: line["loss"] for line in metrics(config.out) if "loss" in line}
    assert list(losses) == list(range(1, 13))


def test_a_run_goes_back_over_the_border_of_an_epoch(config_of: ConfigOf, tmp_path: Path) -> None:
    """The epochs laid since the checkpoint are the same ones when they come again."""
    config = config_of(tmp_path / "run", guard={"patience": 4}, save_every=2)
    shards = open_shards(config.shards)
    epoch = split_documents(config, shards, "rows", 2)[0].plan.epoch_micros(0)
    step = epoch // 2 // 4 * 4  # the last that is a multiple of 4 in the first epoch
    config = config.model_copy(update={"steps": step + 12})
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(2 * step, 2 * step + 8))
        assert pretrain(config).counts["skipped"] == 4
    folder = config.out / "checkpoints" / f"step-{config.steps}"
    state = json.loads((folder / "state.json").read_text("utf-8"))
    assert (state["rollbacks"], state["left_out"], len(state["epochs"])) == (1, 8, 2)
