"""The last matrix of a masked-LM head and its cross-entropy, without all logits at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

CHUNK_LOGITS = 1 << 28
"""Logits that exist at once: a gigabyte of 32-bit floats. At 249,262 pieces the 9,830 places of
65,536 tokens would take 10 GB, several times over."""


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    *,
    multiple: int = 1,
    chunk_logits: int = CHUNK_LOGITS,
    compiled: bool = False,
) -> Tensor:
    """Return the sum of the cross-entropies of `hidden @ weight.T + bias`, in nats.

    Shapes: hidden (K, H), weight (V, H), bias (V,), labels (K,). Gradients are computed on the
    way, a chunk of places after another, as Liger's FusedLinearCrossEntropy does (arXiv
    2410.10989 §3.2), with sums in 32-bit floats or better. `multiple` pads the vocabulary for
    the multiplication alone: rows of 25,005 bf16 numbers are not aligned to 16 bytes, and
    cuBLAS is slow on them; a padded piece has probability 0.
    """
    if bias is None:
        bias = weight.new_zeros(len(weight))
    loss: Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, weight, bias, labels, multiple, chunk_logits, compiled
    )
    return loss


def guesses(hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
    """Return how many labels are the most probable piece; shapes as above."""
    size = max(1, CHUNK_LOGITS // len(weight))
    right = torch.zeros((), dtype=torch.int64, device=hidden.device)
    for first in range(0, len(hidden), size):
        some = slice(first, first + size)
        right += (functional.linear(hidden[some], weight, bias).argmax(-1) == labels[some]).sum()
    return right


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        multiple: int,
        chunk_logits: int,
        compiled: bool,
    ) -> Tensor:
        device = hidden.device.type
        learns = any(ctx.needs_input_grad)
        dtype = hidden.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        sums = torch.promote_types(dtype, torch.float32)
        pieces = len(weight)
        padding = -pieces % multiple
        matrix = functional.pad(weight.to(dtype), (0, 0, 0, padding))
        shift = functional.pad(bias.to(sums), (0, padding), value=-torch.inf)
        states = hidden.to(dtype)
        loss = torch.zeros((), dtype=sums, device=hidden.device)
        to_states = torch.empty_like(states) if learns else None
        to_matrix = torch.zeros(matrix.shape, dtype=sums, device=hidden.device) if learns else None
        to_shift = torch.zeros_like(shift) if learns else None
        score = _compiled_scores() if compiled else _scores
        parts = max(1, -(-len(states) * len(matrix) // chunk_logits))
        size = max(1, -(-len(states) // parts))
        with torch.autocast(device, enabled=False):
            for first in range(0, len(states), size):
                some = states[first : first + size]
                entropy, error = score(some @ matrix.T, shift, labels[first : first + size])
                loss += entropy
                if to_states is not None and to_matrix is not None and to_shift is not None:
                    error = error.to(dtype)
                    torch.mm(error, matrix, out=to_states[first : first + size])
                    to_matrix += error.T @ some
                    to_shift += error.sum(0, dtype=sums)
        if to_states is not None and to_matrix is not None and to_shift is not None:
            ctx.save_for_backward(
                to_states.to(hidden.dtype),
                to_matrix[:pieces].to(weight.dtype),
                to_shift[:pieces].to(bias.dtype),
            )
        return loss

    @staticmethod
    def backward(ctx: Any, *of: Tensor) -> tuple[Tensor | None, ...]:
        return (*(one * of[0].to(one.dtype) for one in ctx.saved_tensors), *(None,) * 4)


def _scores(logits: Tensor, shift: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of the cross-entropies and its gradient by the logits."""
    scores = logits.to(shift.dtype) + shift
    normed = scores - scores.logsumexp(-1, keepdim=True)
    chosen = torch.arange(len(shift), device=labels.device) == labels[:, None]
    entropy = -torch.where(chosen, normed, 0.0).sum()
    return entropy, (normed.exp() - chosen.to(normed.dtype)).to(logits.dtype)


_COMPILED: list[Any] = []


def _compiled_scores() -> Any:
    # Compiled it reads the logits twice and writes once; eager it passes over them eight times.
    if not _COMPILED:
        _COMPILED.append(torch.compile(_scores, fullgraph=True))
    return _COMPILED[0]
