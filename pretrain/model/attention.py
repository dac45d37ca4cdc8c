"""Attention in which documents that lie in one micro-batch see only themselves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedModel

PACKED = "packed"
"""Name under which transformers' modules find `packed_attention`."""


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend within documents: an attention function as transformers' modules call it.

    Query, key and value have shape (R, heads, S, width). A stream (R = 1) comes with the bounds
    of its documents and runs torch's varlen kernel, on CUDA; rows come with a mask of shape
    (R, 1, S, S). `sliding_window` is one more than the tokens seen to each side, as in
    transformers. Nothing is dropped, whatever the module's dropout: the kernel cannot.

    Returns the context, of shape (R, S, heads, width), and no weights.
    """
    if cu_seq_lens_q is None:
        context = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scaling
        )
        return context.transpose(1, 2), None
    from torch.nn.attention.varlen import varlen_attn

    longest = max_length_q or query.shape[2]
    side = -1 if sliding_window is None else sliding_window - 1
    flat = [one.squeeze(0).transpose(0, 1) for one in (query, key, value)]
    bounds = (cu_seq_lens_q, cu_seq_lens_q, longest, longest)
    context = varlen_attn(*flat, *bounds, scale=scaling, window_size=(side, side))  # type: ignore
    return context.unsqueeze(0), None


def same_document(documents: Tensor, window: int | None = None) -> Tensor:
    """Return the mask of rows: who sees whom, of shape (R, 1, S, S).

    `documents` has shape (R, S). With a window only tokens at most so far apart see each other.
    """
    mask = documents[:, None, :, None] == documents[:, None, None, :]
    if window is not None:
        place = torch.arange(documents.shape[1], device=documents.device)
        mask = mask & ((place[:, None] - place).abs() <= window)
    return mask


def attend_packed(model: PreTrainedModel) -> None:
    """Let a model's modules call `packed_attention`; config.json does not tell of it."""
    AttentionInterface.register(PACKED, packed_attention)
    model.set_attn_implementation(PACKED)
