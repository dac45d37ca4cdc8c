from __future__ import annotations

import pytest
from torch import nn

from pretrain.config import OptimConfig
from pretrain.optim import build_optimizer, learning_rate


def test_the_rate_goes_up_and_then_down_to_zero() -> None:
    config = OptimConfig(learning_rate=1.0, warmup_steps=4)
    rates = [learning_rate(step, 10, config) for step in range(10)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == pytest.approx([1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert learning_rate(10, 10, config) == 0


def test_vectors_do_not_decay() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decaying, plain = build_optimizer(model, OptimConfig(weight_decay=0.3)).param_groups
    assert [one.shape for one in decaying["params"]] == [(4, 3)]
    assert len(plain["params"]) == 3
    assert (decaying["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
