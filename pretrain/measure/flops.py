"""Work of a training step in floating-point operations, and how many a device does in a second.

A multiplication of matrices (n, k) by (k, m) counts 2nkm, and backward twice its forward, since
each makes two more; all else is left out, as in arXiv 2001.08361 §2.1. FLOPs are the model's:
what is computed twice, or on padding, does not count, and what is saved by a trick still does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PretrainedConfig

from pretrain.data.batch import Size
from pretrain.model.families import FAMILIES

BOTH_WAYS = 3
"""Forward and backward, as a multiple of forward."""


@dataclass(frozen=True, slots=True)
class Flops:
    """Floating-point operations a token of one update, forward and backward."""

    encoder: float
    """Matrices of the layers."""
    attention: float
    """Queries by keys, and weights by values."""
    head: float
    """The masked-LM head, at its share of the tokens."""

    @property
    def total(self) -> float:
        """All of it; times tokens a second, over the peak: the MFU."""
        return self.encoder + self.attention + self.head


def flops_per_token(
    config: PretrainedConfig, pieces: int, attended: float, masked_share: float
) -> Flops:
    """Count the work of a token.

    `attended` is how many tokens a token sees on average (`attended_tokens`, or the sequence
    length where every row is one document), `masked_share` the share of places that the head is
    computed for. Exact for roberta, bert, albert and modernbert; any other counts 6 times its
    parameters that are not embeddings (arXiv 2001.08361 §2.1).
    """
    encoder, head = MATRICES.get(config.model_type, _counted_matrices)(config)
    head += _table_width(config) * pieces
    layers = getattr(config, "num_hidden_layers", 0)
    seen = layers * attended
    if config.model_type == "modernbert":
        sliding = sum(kind == "sliding_attention" for kind in config.layer_types)
        seen += sliding * (min(attended, config.local_attention) - attended)
    both = 2 * BOTH_WAYS
    return Flops(
        float(both * encoder),
        float(both * 2 * config.hidden_size * seen),
        float(both * masked_share * head),
    )


def masked_share(model_type: str, size: Size) -> float:
    """Return for how many of a micro-batch's tokens the head is computed, as a share.

    It is all of a type that is trained padded, whose module makes all logits.
    """
    return size.places / size.tokens if model_type in FAMILIES else 1.0


def attended_tokens(lengths: NDArray[np.int64], sequence_length: int) -> float:
    """Return how many tokens a token sees on average, of documents cut at `sequence_length`.

    `lengths` are without the special tokens, two of which each part gets.
    """
    parts, rest = np.divmod(lengths, sequence_length - 2)
    whole = float(parts.sum())
    rests = rest[rest > 0] + 2.0
    tokens = whole * sequence_length + rests.sum()
    return float((whole * sequence_length**2 + (rests**2).sum()) / max(tokens, 1))


def _roberta_matrices(config: PretrainedConfig) -> tuple[int, int]:
    hidden, wide = config.hidden_size, config.intermediate_size
    return config.num_hidden_layers * (4 * hidden**2 + 2 * hidden * wide), hidden**2


def _albert_matrices(config: PretrainedConfig) -> tuple[int, int]:
    """Layers that share their weights work each; the table's width is mapped up and down."""
    mapping = config.embedding_size * config.hidden_size
    return _roberta_matrices(config)[0] + mapping, mapping


def _modernbert_matrices(config: PretrainedConfig) -> tuple[int, int]:
    """GeGLU (arXiv 2002.05202) has a gate beside each inner value."""
    hidden, wide = config.hidden_size, config.intermediate_size
    return config.num_hidden_layers * (4 * hidden**2 + 3 * hidden * wide), hidden**2


def _counted_matrices(config: PretrainedConfig) -> tuple[int, int]:
    """Parameters of the model but for its tables, body and head apart."""
    from transformers import AutoModelForMaskedLM

    with torch.device("meta"):
        auto: Any = AutoModelForMaskedLM
        model: Any = auto.from_config(config)
    tables = {id(one.weight) for one in model.modules() if isinstance(one, torch.nn.Embedding)} | {
        id(model.get_output_embeddings().weight)
    }
    body = {id(one): one.numel() for one in model.base_model.parameters() if id(one) not in tables}
    rest = {id(one): one.numel() for one in model.parameters() if id(one) not in tables}
    return sum(body.values()), sum(rest.values()) - sum(body.values())


MATRICES: dict[str, Callable[[PretrainedConfig], tuple[int, int]]] = {
    **dict.fromkeys(("roberta", "camembert", "xlm-roberta", "bert"), _roberta_matrices),
    "albert": _albert_matrices,
    "modernbert": _modernbert_matrices,
}
"""Entries of the matrices that a token passes: of the layers, and of the head but its last."""


def _table_width(config: PretrainedConfig) -> int:
    return int(getattr(config, "embedding_size", config.hidden_size))


LARGEST = {"cuda": 8192, "cpu": 2048}
"""Sides of the square matrices that the peak is measured on at most. On two CPU cores 2,048 does
within a tenth of what 4,096 does."""


def matmul_peak(device: torch.device, dtype: torch.dtype, seconds: float = 0.5) -> float:
    """Measure the FLOP a second of one device in a large matrix multiplication; the best counts.

    Takes about `seconds`, and stops at smaller matrices where one takes long: bf16 on a CPU
    without its instructions is a hundred times slower than fp32. MFU is to be told against the
    peak of the same device in the same run: boards differ by power limit and clock.
    """
    best, spent, size = 0.0, 0.0, 256
    while spent < seconds:
        rate, took = _matmul_rate(device, dtype, size, seconds / 5)
        best, spent = max(best, rate), spent + took
        size = min(2 * size, LARGEST.get(device.type, 4096))
    return best


def _matmul_rate(
    device: torch.device, dtype: torch.dtype, size: int, seconds: float
) -> tuple[float, float]:
    """Return (FLOP a second of the best of several rounds, seconds that all of them took)."""
    # Of random numbers: on ones and zeros chips draw less power and run faster than on data.
    left = torch.randn(size, size, device=device).to(dtype)
    out = torch.empty_like(left)
    repeats, best, spent = 1, 0.0, 0.0
    while spent < seconds:
        began = time.perf_counter()
        for _ in range(repeats):
            torch.mm(left, left, out=out)
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        took = time.perf_counter() - began
        spent += took
        best = max(best, 2 * size**3 * repeats / took)
        # So many in a row that waiting for the device is a small part of the time.
        repeats = max(1, min(100, int(repeats * seconds / took / 5)))
    return best, spent
