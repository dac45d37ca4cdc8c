"""AdamW whose rate depends on the step and on how far from the output a weight stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pretrain.config import OptimConfig

VOCABULARY = re.compile(r"(word_embeddings\.weight|lm_head\.(decoder\.)?(weight|bias))$")
"""The tensors of RoBERTa's modules that have a row a piece."""


def build_optimizer(model: nn.Module, config: OptimConfig, added: int = 0) -> torch.optim.AdamW:
    """Return AdamW over a model; vectors (biases, layer norms) do not decay.

    `added` is how many rows at the end of the vocabulary are new. A group's `depth` counts from
    the output down, as PhayaThaiBERT's order is (arXiv 2311.12475): the new rows, the head, the
    layers from the last to the first, the embeddings. A tensor that holds new rows and `kept`
    old ones has the depth of the new, and `kept_depth` is the old ones'.
    """
    layers = 1 + max((_layer(name) for name, _ in model.named_parameters()), default=-1)
    groups: dict[tuple[int, int, int, bool], list[nn.Parameter]] = {}
    for name, one in model.named_parameters():
        kept = len(one) - added if added and VOCABULARY.search(name) else 0
        below = _depth(name, layers) + (added > 0)
        key = (0 if kept else below, below, kept, one.ndim > 1)
        groups.setdefault(key, []).append(one)
    return torch.optim.AdamW(
        [
            {
                "params": groups[key],
                "weight_decay": config.weight_decay if key[3] else 0.0,
                "depth": key[0],
                "kept_depth": key[1],
                "kept": key[2],
            }
            for key in sorted(groups, key=lambda key: (*key[:3], not key[3]))
        ],
        config.learning_rate,
        (config.beta1, config.beta2),
        config.eps,
        fused=True,
    )


def learning_rate(step: int, steps: int, config: OptimConfig) -> float:
    """Return the rate of update `step` (from 0): linear up, then linear down to zero."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    return config.learning_rate * (steps - step) / max(1, steps - config.warmup_steps)


def share(depth: int, step: int, config: OptimConfig) -> float:
    """Return which share of the rate the weights of a depth have in update `step`.

    `layer_decay` a depth (discriminative fine-tuning, arXiv 1801.06146 §3.2), and nothing
    before their turn comes (gradual unfreezing, §3.3). AdamW moves nothing at rate 0, decay
    included, and its moments go on adapting: when their turn comes they are no strangers.
    """
    frozen = step < depth * config.unfreeze_every
    return 0.0 if frozen else config.layer_decay**depth


def update(optimizer: torch.optim.AdamW, rate: float, step: int, config: OptimConfig) -> None:
    """Make update `step` at its rate, each group and each old row at its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * share(group["depth"], step, config)
    with _kept_rows_at_their_rate(optimizer.param_groups, step, config):
        optimizer.step()


@contextmanager
def _kept_rows_at_their_rate(
    groups: Iterable[dict[str, Any]], step: int, config: OptimConfig
) -> Iterator[None]:
    """Take old rows back to the share of their way that their own rate would have made.

    AdamW's step, decay included, is linear in the rate, and its moments do not depend on it:
    w = before + r (after - before) is what a tensor of their own at r times the rate would
    become. So old and new rows need no second table, as PhayaThaiBERT has.
    """
    held: list[tuple[Tensor, Tensor, float]] = []
    for group in (one for one in groups if one["kept"]):
        ratio = share(group["kept_depth"], step, config) / share(group["depth"], step, config)
        if ratio != 1:
            old = [one.detach()[: group["kept"]] for one in group["params"]]
            held += [(one, one.clone(), ratio) for one in old]
    yield
    for rows, before, ratio in held:
        rows.copy_(torch.lerp(before, rows, ratio) if ratio else before)


def _layer(name: str) -> int:
    found = re.search(r"\.layer\.(\d+)\.", name)
    return int(found[1]) if found else -1


def _depth(name: str, layers: int) -> int:
    """Return 0 for the head, 1 for the last of the layers, and so on down to the embeddings."""
    return 0 if "lm_head." in name else layers - _layer(name)
