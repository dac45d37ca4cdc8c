"""The plain path: each document a padded row, all logits, for models that cannot be packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

if TYPE_CHECKING:
    from pretrain.data.batch import Batch


def padded_scores(model: PreTrainedModel, batch: Batch, pad: int) -> Tensor:
    """Return the logits at the places to predict, of shape (K, V).

    The documents of the batch are laid out one a row, with positions of the model's own making.
    """
    documents = batch.documents.flatten()
    sizes = torch.bincount(documents)[1:]
    starts = _starts(documents, len(sizes))
    row = documents - 1
    column = torch.arange(len(documents), device=documents.device) - starts[row.clamp(min=0)]
    real = documents > 0
    shape = (len(sizes), int(sizes.max()))
    ids = torch.full(shape, pad, dtype=torch.int64, device=documents.device)
    ids[row[real], column[real]] = batch.input_ids.flatten()[real]
    seen = torch.zeros(shape, dtype=torch.int64, device=documents.device)
    seen[row[real], column[real]] = 1
    logits: Tensor = model(input_ids=ids, attention_mask=seen).logits
    return logits[row[batch.places], column[batch.places]]


def padded_loss(model: PreTrainedModel, batch: Batch, pad: int) -> tuple[Tensor, Tensor]:
    """Return (sum of the cross-entropies in nats, number of right guesses)."""
    scores = padded_scores(model, batch, pad)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    right = (scores.detach().argmax(-1) == batch.labels).sum()
    return functional.cross_entropy(scores, batch.labels, reduction="sum"), right


def _starts(documents: Tensor, count: int) -> Tensor:
    """Return the place where each document begins."""
    places = torch.arange(len(documents), device=documents.device)
    starts = torch.full((count + 1,), len(documents), device=documents.device)
    return starts.scatter_reduce(0, documents, places, "amin")[1:]
