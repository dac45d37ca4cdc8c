"""From rows of spans to the tensors of a micro-batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pretrain.config import MaskConfig, PretrainConfig
from pretrain.data.masking import mask_row
from pretrain.data.plan import Row, RowPlan, cut_documents, generator
from pretrain.data.shards import TokenShards
from thaitok.errors import UserError


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of packed documents.

    Shapes: R rows of S places; K places to predict.
    """

    tokens: int
    """Tokens in all rows, special ones included, padding not."""
    input_ids: Tensor
    """(R, S) what the model sees."""
    position_ids: Tensor
    """(R, S) from padding_idx + 1 in each document, as RoBERTa counts."""
    documents: Tensor
    """(R, S) number of the document in its row from 1; 0 where the row is empty."""
    places: Tensor
    """(K,) places to predict, counted over the flattened rows."""
    labels: Tensor
    """(K,) the ids that stood there."""

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        tensors = (self.input_ids, self.position_ids, self.documents, self.places, self.labels)
        return Batch(self.tokens, *(one.to(device, non_blocking=True) for one in tensors))


class Batches:
    """Build any micro-batch of a run from its number alone."""

    def __init__(
        self, shards: TokenShards, plan: RowPlan, mask: MaskConfig, seed: int, length: int
    ) -> None:
        self.shards = shards
        self.plan = plan
        self.mask = mask
        self.seed = seed
        self.length = length
        self.special = shards.special
        self.replacements = np.setdiff1d(np.arange(shards.pieces), astuple(self.special))

    def rows(self, first: int, count: int) -> Batch:
        """Return rows `first` to `first + count` of the run, masked.

        A row's mask is drawn from (seed, number of the row): the same on any device, in any
        micro-batch, and another one each time its documents come round.
        """
        columns = [
            self._row(row, first + number)
            for number, row in enumerate(self.plan.rows(first, count))
        ]
        ids, positions, documents, places, labels = zip(*columns, strict=True)
        offset = [number * self.length + where for number, where in enumerate(places)]
        tokens = sum(int((row > 0).sum()) for row in documents)
        return Batch(
            tokens,
            *(torch.from_numpy(np.stack(one)) for one in (ids, positions, documents)),
            *(torch.from_numpy(np.concatenate(one)) for one in (offset, labels)),
        )

    def _row(self, row: Row, number: int) -> Sequence[NDArray[np.int64]]:
        ids, positions, documents = self._fill(row)
        draw = generator(self.seed, number, 1)
        special = np.isin(ids, (self.special.bos, self.special.pad, self.special.eos))
        seen, places = mask_row(ids, special, draw, self.mask, self.special.mask, self.replacements)
        return seen, positions, documents, places, ids[places]

    def _fill(self, row: Row) -> tuple[NDArray[np.int64], ...]:
        pad = self.special.pad
        ids = np.full(self.length, pad, np.int64)
        positions = np.full(self.length, pad, np.int64)
        documents = np.zeros(self.length, np.int64)
        end = 0
        for number, span in enumerate(row, 1):
            begin, size = end, int(self.plan.spans.length[span]) + 2
            end = begin + size
            source = self.shards.document(int(self.plan.spans.document[span]))
            start = int(self.plan.spans.start[span])
            ids[begin], ids[end - 1] = self.special.bos, self.special.eos
            ids[begin + 1 : end - 1] = source[start : start + size - 2]
            positions[begin:end] = np.arange(pad + 1, pad + 1 + size)
            documents[begin:end] = number
        return ids, positions, documents


def split_documents(config: PretrainConfig, shards: TokenShards) -> tuple[Batches, Batches, int]:
    """Hold documents out by seed; return both kinds of batches and the rows to evaluate on."""
    held_out = max(1, round(config.eval_share * len(shards)))
    if held_out >= len(shards):
        raise UserError(
            f"{len(shards)} documents are too few to hold some out",
            where=config.shards,
            do="make shards from more text",
        )
    order = generator(config.seed, 0, 3).permutation(len(shards))
    lengths = shards.lengths
    batches = []
    for documents in (np.sort(order[held_out:]), np.sort(order[:held_out])):
        spans = cut_documents(documents, lengths[documents], config.sequence_length - 2)
        if not len(spans):
            raise UserError("holds too little text", where=config.shards, do="make it from more")
        plan = RowPlan(spans, config.sequence_length, config.seed)
        batches.append(Batches(shards, plan, config.mask, config.seed, config.sequence_length))
    rows = min(config.eval_rows, batches[1].plan.epoch_rows(0))
    return batches[0], batches[1], rows
