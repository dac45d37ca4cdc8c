"""From the parts of a plan to the tensors of a micro-batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pretrain.config import MaskConfig, PretrainConfig
from pretrain.data.masking import Flags, mask_tokens, masked_count, masking_rate
from pretrain.data.packing import Ints
from pretrain.data.plan import (
    Layout,
    Micro,
    Plan,
    StreamPlan,
    cut_documents,
    generator,
    make_plan,
)
from pretrain.data.shards import TokenShards, special_ids
from thaitok.errors import UserError


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch of packed documents.

    Shapes: R rows of S places, a stream being one row; K places to predict.
    """

    tokens: int
    """Tokens in it, special ones included, padding not."""
    longest: int
    """Tokens of a document at most, as the config has it and not as these documents are."""
    input_ids: Tensor
    """(R, S) int64, what the model sees."""
    position_ids: Tensor
    """(R, S) int64, counted anew in each document."""
    documents: Tensor
    """(R, S) int64, number of the part of a document from 1; 0 where there is padding."""
    places: Tensor
    """(K,) int64, places to predict, counted over the flattened rows."""
    labels: Tensor
    """(K,) int64, the ids that stood there."""
    cu_seqlens: Tensor | None
    """(C,) int32 for a stream: where each part begins, padding being parts of `longest` places
    at most, then T up to a length that all micro-batches of the run have."""

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return self._each(lambda one: one.to(device, non_blocking=True))

    def pin(self) -> Batch:
        """Return the batch in memory that a CUDA device copies from by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        changed: dict[str, Any] = {name: change(one) for name, one in tensors(self).items()}
        return replace(self, **changed)


def tensors(batch: Batch) -> dict[str, Tensor]:
    """Return a batch's tensors by name."""
    columns = {one.name: getattr(batch, one.name) for one in fields(batch)}
    return {name: one for name, one in columns.items() if isinstance(one, Tensor)}


def digest(batch: Batch) -> str:
    """Return the sha256 of a batch's tensors, to compare batches between processes."""
    found = hashlib.sha256()
    for name, one in tensors(batch).items():
        found.update(f"{name} {one.dtype} {tuple(one.shape)}\n".encode())
        found.update(one.cpu().numpy().tobytes())
    return found.hexdigest()


class Size(NamedTuple):
    """How much a micro-batch holds."""

    tokens: int
    """Special ones included, padding not."""
    places: int
    """Places to predict."""


class Batches:
    """Build any micro-batch of a run from its number and the step that it is for."""

    def __init__(
        self,
        shards: TokenShards,
        plan: Plan,
        mask: MaskConfig,
        seed: int,
        first_position: int,
        longest: int,
        steps: int = 1,
    ) -> None:
        self.shards = shards
        self.plan = plan
        self.mask = mask
        self.seed = seed
        self.first_position = first_position
        """Position of a document's first token: padding_idx + 1 for RoBERTa, 0 for BERT."""
        self.longest = longest
        self.steps = steps
        """Steps over which the share of masked tokens moves."""
        self.special = shards.special
        special = astuple(self.special)
        # A converted tokenizer has more special tokens than these five.
        self.replacements = np.setdiff1d(np.arange(shards.pieces), [*special, *special_ids(shards)])
        self._special = np.zeros(max(shards.pieces, *special) + 1, np.bool_)
        self._special[list(special)] = True
        lengths = shards.lengths
        begins = np.cumsum(lengths) - lengths
        self._begins = begins[plan.spans.document] + plan.spans.start
        self._tokens = [np.asarray(one).data for one in shards.tokens]
        self._words = [np.asarray(one).data for one in shards.words]
        self._shard_begins = np.cumsum([0, *map(len, self._tokens)])[:-1]
        self._content = _mean_content(plan)
        self._flat = isinstance(plan, StreamPlan)  # one row may be one of rows too

    def micro(self, number: int, step: int) -> Batch:
        """Return a micro-batch of the run, masked at the rate of a step.

        The mask is drawn from (seed, number): the same on any device and in any process, and
        another one each time a document comes round.
        """
        micro = self.plan.micro(number)
        ids, positions, documents = self._fill(micro)
        seen, places = self._mask(micro, ids, generator(self.seed, number, 1), step)
        shape = self.plan.shape
        return Batch(
            tokens=int((micro.length + 2).sum()),
            longest=self.longest,
            input_ids=torch.from_numpy(seen).view(shape),
            position_ids=torch.from_numpy(positions).view(shape),
            documents=torch.from_numpy(documents).view(shape),
            places=torch.from_numpy(places),
            labels=torch.from_numpy(ids[places]),
            cu_seqlens=torch.from_numpy(self._bounds(micro)) if self._flat else None,
        )

    def size(self, number: int, step: int) -> Size:
        """Return how much a micro-batch holds, without building it.

        So each process knows what all others have, and none waits for the others' counts.
        """
        micro = self.plan.micro(number)
        tokens = int((micro.length + 2).sum())
        return Size(tokens, self._masked(micro, step))

    def _masked(self, micro: Micro, step: int) -> int:
        # All micro-batches have one count, so that shapes stay; only one that holds much less,
        # as the last one of an epoch does, has its own.
        content = int(micro.length.sum())
        full = 8 * content >= 7 * self._content
        rate = masking_rate(self.mask, step, self.steps)
        return min(masked_count(rate, self._content if full else content), content)

    def _fill(self, micro: Micro) -> tuple[Ints, Ints, Ints]:
        """Return ids, positions and documents of the flat T places."""
        count, special = len(micro.span), self.special
        size = micro.length + 2
        stretch = np.diff(micro.place, append=self.plan.tokens)  # with the padding after it
        documents = np.repeat(np.arange(1, count + 1), stretch)
        positions = np.arange(self.plan.tokens) - np.repeat(micro.place, stretch)
        padding = positions >= np.repeat(size, stretch)
        content = ~padding
        content[micro.place] = content[micro.place + size - 1] = False
        ids = np.full(self.plan.tokens, special.pad)
        ids[micro.place], ids[micro.place + size - 1] = special.bos, special.eos
        ids[content] = self._read(micro)
        positions += self.first_position
        positions[padding], documents[padding] = max(self.first_position - 1, 0), 0
        return ids, positions, documents

    def _read(self, micro: Micro) -> NDArray[np.unsignedinteger]:
        """Return the tokens of all parts, one after another."""
        shard, begins = self._place(micro)
        columns = (shard.tolist(), begins.tolist(), (begins + micro.length).tolist())
        # 1,200 slices of views are joined in half the time that arrays take.
        parts = [self._tokens[one][begin:end] for one, begin, end in zip(*columns, strict=True)]
        return np.frombuffer(b"".join(parts), self.shards.tokens[0].dtype)

    def _mask(
        self, micro: Micro, ids: Ints, draw: np.random.Generator, step: int
    ) -> tuple[Ints, Ints]:
        return mask_tokens(
            ids,
            self._special.take(ids),
            draw,
            self.mask,
            self._masked(micro, step),
            self.special.mask,
            self.replacements,
            self._word_starts(micro) if self.mask.unit == "word" else None,
        )

    def _word_starts(self, micro: Micro) -> Flags:
        """Say of the flat T places which start a word."""
        shard, begins = self._place(micro)
        first, last = begins // 8, -(-(begins + micro.length) // 8)
        columns = (shard.tolist(), first.tolist(), last.tolist())
        parts = [self._words[one][begin:end] for one, begin, end in zip(*columns, strict=True)]
        bits = np.unpackbits(np.frombuffer(b"".join(parts), np.uint8)).view(np.bool_)
        # Of the bits of each part's bytes, which lie one after another, those of its tokens.
        size = last - first
        before = 8 * (np.cumsum(size) - size) + begins % 8
        along = np.arange(micro.length.sum())
        content = np.cumsum(micro.length) - micro.length
        starts = np.zeros(self.plan.tokens, np.bool_)
        starts[along + np.repeat(micro.place + 1 - content, micro.length)] = bits[
            along + np.repeat(before - content, micro.length)
        ]
        return starts

    def _place(self, micro: Micro) -> tuple[Ints, Ints]:
        """Return the shard of each part, and the token of it that the part begins with."""
        begins = self._begins[micro.span] + micro.skip
        shard = np.searchsorted(self._shard_begins, begins, side="right") - 1
        return shard, begins - self._shard_begins[shard]

    def _bounds(self, micro: Micro) -> NDArray[np.int32]:
        tokens = self.plan.tokens
        used = int(micro.place[-1] + micro.length[-1]) + 2
        bounds = np.full(self.plan.most_documents - (-tokens // self.longest) + 1, tokens, np.int32)
        bounds[: len(micro.place)] = micro.place
        padding = np.arange(used, tokens, self.longest)
        bounds[len(micro.place) :][: len(padding)] = padding
        return bounds


def _mean_content(plan: Plan) -> float:
    """Return the mean tokens, special ones apart, of an epoch's micro-batches but the last."""
    last = plan.epoch_micros(0) - 1
    content = int(plan.spans.length.sum())
    return (content - int(plan.micro(last).length.sum())) / last if last else float(content)


def split_documents(
    config: PretrainConfig, shards: TokenShards, layout: Layout, first_position: int
) -> tuple[Batches, Batches, int]:
    """Hold documents out by seed; return both kinds of batches and the micro-batches to evaluate.

    Those are micro-batches 0 to n of the held-out batches at step 0: the same at each
    evaluation. Raises `UserError` when there is too little text.
    """
    held_out = max(1, round(config.eval_share * len(shards)))
    if held_out >= len(shards):
        raise UserError(
            f"{len(shards)} documents are too few to hold some out",
            where=config.shards,
            do="make shards from more text",
        )
    order = generator(config.seed, 0, 3).permutation(len(shards))
    lengths, longest = shards.lengths, config.sequence_length
    batches: list[Batches] = []
    for documents in (np.sort(order[held_out:]), np.sort(order[:held_out])):
        spans = cut_documents(documents, lengths[documents], longest - 2)
        if not len(spans):
            raise UserError("holds too little text", where=config.shards, do="make it from more")
        # The held-out batches have the shapes of the others.
        most = batches[0].plan.most_documents if batches else None
        plan = make_plan(layout, spans, config.micro_tokens, longest, config.seed, most)
        batches.append(
            Batches(shards, plan, config.mask, config.seed, first_position, longest, config.steps)
        )
    training, evaluation = batches
    micros = max(1, config.eval_tokens // evaluation.plan.tokens)
    return training, evaluation, min(micros, evaluation.plan.epoch_micros(0))
