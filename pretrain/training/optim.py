"""AdamW whose rate depends on the step and on how far from the output a weight stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from pretrain.config import OptimConfig

VOCABULARY = re.compile(
    r"(word|tok)_embeddings\.weight$|(lm_head|predictions|vocab_projector)\.(weight|bias)$"
    r"|\bdecoder\.(weight|bias)$"
)
"""The tensors that have a row a piece, by the names of transformers' masked language models."""
HEAD = re.compile(r"(\b(cls|head|decoder)|vocab_\w+|lm_head|predictions)\.")
"""The modules above the encoder."""
LAYER = re.compile(r"\.(?:layers?|albert_layer_groups)\.(\d+)\.")
"""A layer; the layers of ALBERT share one group of weights, and that counts as one."""


def build_optimizer(model: nn.Module, config: OptimConfig, added: int = 0) -> torch.optim.AdamW:
    """Return AdamW over a model; vectors (biases, layer norms) do not decay.

    `added` is how many rows at the end of the vocabulary are new. A group's `depth` counts from
    the output down, as PhayaThaiBERT's order is (arXiv 2311.12475): the new rows, the head, the
    layers from the last to the first, the embeddings. A tensor that holds new rows and `kept`
    old ones has the depth of the new, and `kept_depth` is the old ones'.
    """
    names: dict[nn.Parameter, list[str]] = {}
    # Every name of a tied table: CamemBERT's comes as its head's first.
    for name, one in model.named_parameters(remove_duplicate=False):
        names.setdefault(one, []).append(name)
    layers = 1 + max((_layer(name) for called in names.values() for name in called), default=-1)
    groups: dict[tuple[int, int, int, bool], list[nn.Parameter]] = {}
    for one, called in names.items():
        kept = len(one) - added if added and any(map(VOCABULARY.search, called)) else 0
        below = max(_depth(name, layers) for name in called) + (added > 0)
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


def share(depth: int, step: int, config: OptimConfig) -> float:
    """Return which share of the rate the weights of a depth have in update `step`.

    `layer_decay` a depth (discriminative fine-tuning, arXiv 1801.06146 §3.2), and nothing
    before their turn comes (gradual unfreezing, §3.3). AdamW moves nothing at rate 0, decay
    included, and its moments go on adapting: when their turn comes they are no strangers.
    """
    frozen = step < depth * config.unfreeze_every
    return 0.0 if frozen else config.layer_decay**depth


def update(
    optimizer: torch.optim.AdamW,
    rate: float,
    step: int,
    config: OptimConfig,
    skip: Tensor | None = None,
) -> None:
    """Make update `step` at its rate, each group and each old row at its share of it.

    Where `skip`, a float32 tensor of shape () on the device, is 1, no bit of weights, moments
    and step counts changes, whatever the gradients hold; where it is 0 it is as if there were
    none. The host does not wait to know which.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * share(group["depth"], step, config)
    # The fused kernel reads it on the device (torch/optim/adam.py), not under a GradScaler only.
    cast(Any, optimizer).found_inf = skip
    clipped = _clipped_updates(optimizer, config, skip) if config.stable else nullcontext()
    with _kept_rows_at_their_rate(optimizer.param_groups, step, config, skip), clipped:
        optimizer.step()


@contextmanager
def _kept_rows_at_their_rate(
    groups: Iterable[dict[str, Any]], step: int, config: OptimConfig, skip: Tensor | None
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
            old = [_kept_rows(one, group["kept"]) for one in group["params"]]
            held += [(one, one.clone(), ratio) for one in old]
    yield
    for rows, before, ratio in held:
        _take_back(rows, before, ratio, skip)


def _take_back(now: Tensor, before: Tensor, ratio: Tensor | float, skip: Tensor | None) -> None:
    """Leave a share of the way from `before`, which is used up, to what a tensor is now."""
    if isinstance(ratio, Tensor) or ratio:  # lerp with 0 would make 0 of -0
        torch.lerp(before, now, ratio, out=before)
    if skip is None:
        now.copy_(before)
    else:  # lerp between equal numbers makes 0 of -0, and a skipped update keeps that bit too
        torch.where(skip > 0, now, before, out=now)


@contextmanager
def _clipped_updates(
    optimizer: torch.optim.AdamW, config: OptimConfig, skip: Tensor | None
) -> Iterator[None]:
    """Take each tensor back to 1 / max(1, RMS) of its way: StableAdamW (arXiv 2304.13013 §3.5).

    It divides the tensor's rate by that, decay included, and the step is linear in the rate (see
    `_kept_rows_at_their_rate`). The fused kernel has one rate a group, hence afterwards; it costs
    a copy of the weights while the update is made.
    """
    weights = [
        one for group in optimizer.param_groups for one in group["params"] if one.grad is not None
    ]
    before = [_local(one).clone() for one in weights]
    yield
    sizes = _update_sizes(weights, optimizer.state, config)
    ratios = torch.where(sizes > 1, 1 / sizes, 1.0)
    for one, held, ratio in zip(weights, before, ratios, strict=True):
        _take_back(_local(one), held, ratio.to(held.dtype), skip)


def _update_sizes(
    weights: list[nn.Parameter], state: Mapping[Tensor, dict[str, Tensor]], config: OptimConfig
) -> Tensor:
    """Return RMS_t = sqrt(mean(g^2 / max(v, eps^2))) of each tensor, of shape (tensors,).

    v is the second moment after this update, debiased.
    """
    steps = torch.stack([state[one]["step"] for one in weights])
    # 1 - beta2^t by expm1: the difference itself loses three digits at 0.999 in 32 bits.
    correction = -torch.expm1(steps * (math.log(config.beta2) if config.beta2 else -math.inf))
    inverse = torch._foreach_div(
        [_local(state[one]["exp_avg_sq"]) for one in weights], list(correction.unbind())
    )
    torch._foreach_clamp_min_(inverse, config.eps**2)
    torch._foreach_rsqrt_(inverse)
    torch._foreach_mul_(inverse, [_local(cast(Tensor, one.grad)) for one in weights])
    norms = torch._foreach_norm(inverse)
    torch._foreach_div_(norms, [math.sqrt(one.numel()) for one in weights])
    sizes = torch.stack([one.float() for one in norms])
    if isinstance(weights[0], DTensor):  # each device has summed over its part alone
        squares = sizes.square()
        torch.distributed.all_reduce(squares, group=weights[0].device_mesh.get_group())
        return squares.sqrt()
    return sizes


def _local(one: Tensor) -> Tensor:
    """Return the part of a tensor that this device holds; all of it, but under FSDP2."""
    return (one.to_local() if isinstance(one, DTensor) else one).detach()


def _kept_rows(one: Tensor, kept: int) -> Tensor:
    """Return those of a tensor's first `kept` rows that this device holds."""
    if isinstance(one, DTensor):  # FSDP2 deals rows out as torch.chunk does
        mesh = one.device_mesh
        kept -= mesh.get_local_rank() * -(-len(one) // mesh.size())
    return _local(one)[: max(0, kept)]


def _layer(name: str) -> int:
    found = LAYER.search(name)
    return int(found[1]) if found else -1


def _depth(name: str, layers: int) -> int:
    """Return 0 for the head, 1 for the last of the layers, and so on down to the embeddings."""
    if HEAD.search(name):
        return 0
    # ModernBERT's norm between the last layer and the head learns with that layer.
    return 1 if ".final_norm." in name else layers - _layer(name)
