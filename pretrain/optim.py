"""AdamW's parameter groups and the learning rate as a function of the step."""

from __future__ import annotations

import torch
from torch import nn

from pretrain.config import OptimConfig


def build_optimizer(model: nn.Module, config: OptimConfig) -> torch.optim.AdamW:
    """Return AdamW over a model; vectors (biases, layer norms) do not decay."""
    parameters = [one for one in model.parameters() if one.requires_grad]
    groups = [
        {
            "params": [one for one in parameters if one.ndim > 1],
            "weight_decay": config.weight_decay,
        },
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, config.learning_rate, betas, config.eps, fused=True)


def learning_rate(step: int, steps: int, config: OptimConfig) -> float:
    """Return the rate of update `step` (from 0): linear up, then linear down to zero."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    return config.learning_rate * (steps - step) / max(1, steps - config.warmup_steps)
