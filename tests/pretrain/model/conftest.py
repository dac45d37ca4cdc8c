"""Micro-batches of random documents, and torch's varlen attention on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import varlen

from pretrain.data.batch import Batch
from pretrain.data.shards import SpecialIds

SPECIAL = SpecialIds(bos=0, pad=1, eos=2, unk=3, mask=4)
PIECES = 97
LENGTH = 40
"""Tokens of the longest document."""

Rows = Sequence[Sequence[int]]


def pack(rows: Rows, first: int, *, stream: bool = False, seed: int = 0) -> Batch:
    """Return a batch of documents of the given lengths, a fifth of their tokens masked."""
    draw = torch.Generator().manual_seed(seed)
    size = max(LENGTH, max(map(sum, rows)))
    ids = torch.full((len(rows), size), SPECIAL.pad)
    positions = torch.full_like(ids, max(first - 1, 0))
    documents = torch.zeros_like(ids)
    bounds, places, labels = [0], [], []
    for row, lengths in enumerate(rows):
        for length in lengths:
            begin = int((documents[row] > 0).sum())
            span = slice(begin, begin + length)
            ids[row, span] = torch.randint(5, PIECES, (length,), generator=draw)
            ids[row, begin], ids[row, begin + length - 1] = SPECIAL.bos, SPECIAL.eos
            positions[row, span] = torch.arange(length) + first
            documents[row, span] = len(bounds)
            bounds.append(row * size + begin + length)
            for one in torch.randperm(length - 2, generator=draw)[: max(1, length // 5)].sort()[0]:
                labels.append(int(ids[row, begin + 1 + one]))
                ids[row, begin + 1 + one] = SPECIAL.mask
                places.append(row * size + begin + 1 + int(one))
    bounds += [ids.numel()] * (12 - len(bounds))
    return Batch(
        tokens=int((documents > 0).sum()),
        input_ids=ids,
        position_ids=positions,
        documents=documents,
        cu_seqlens=torch.tensor(bounds, dtype=torch.int32) if stream else None,
        longest=LENGTH,
        places=torch.tensor(places),
        labels=torch.tensor(labels),
    )


@pytest.fixture
def packed() -> Callable[..., Batch]:
    return pack


def unpacked(batch: Batch) -> dict[str, Tensor]:
    """Return the same documents as transformers wants them: each in a row of its own, padded."""
    labels = torch.full_like(batch.input_ids, -100)
    labels.view(-1)[batch.places] = batch.labels
    numbers = range(1, int(batch.documents.max()) + 1)
    pad = torch.nn.utils.rnn.pad_sequence
    ids, marks = (
        pad([one[batch.documents == n] for n in numbers], batch_first=True, padding_value=value)
        for one, value in ((batch.input_ids, SPECIAL.pad), (labels, -100))
    )
    return {"input_ids": ids, "attention_mask": (ids != SPECIAL.pad).long(), "labels": marks}


@pytest.fixture
def padded() -> Callable[[Batch], dict[str, Tensor]]:
    return unpacked


def _attention(q: Tensor, k: Tensor, bounds: Tensor, side: int) -> Tensor:
    """Return who looks at whom: (heads, T, T), zero across documents and beyond the window."""
    place = torch.arange(len(q))
    document = torch.searchsorted(bounds, place, right=True)
    seen = document[:, None] == document
    if side >= 0:
        seen &= (place[:, None] - place).abs() <= side
    scores = torch.einsum("qhd,khd->hqk", q, k) * q.shape[-1] ** -0.5
    return scores.masked_fill(~seen, -torch.inf).softmax(-1)


@pytest.fixture(scope="session")
def varlen_on_cpu() -> Iterator[None]:
    """Give torch's varlen attention, which runs on CUDA alone, a slow kernel for the CPU."""
    forward: Any = varlen._varlen_attn
    backward: Any = varlen._varlen_attn_backward

    def kernel(q: Tensor, k: Tensor, v: Tensor, bounds: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        assert bounds.dtype == torch.int32
        out = torch.einsum("hqk,khd->qhd", _attention(q, k, bounds, rest[5][0]), v)
        sums = q.new_zeros(q.shape[1], len(q)).float()
        return out.contiguous(), sums, torch.zeros(2, dtype=torch.uint64)

    def gradient(of: Tensor, q: Tensor, k: Tensor, v: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        seen = _attention(q, k, rest[2], rest[9][0])
        to_seen = torch.einsum("qhd,khd->hqk", of, v)
        to_scores = seen * (to_seen - (seen * to_seen).sum(-1, keepdim=True)) * q.shape[-1] ** -0.5
        gradients = (
            torch.einsum("hqk,khd->qhd", to_scores, k),
            torch.einsum("hqk,qhd->khd", to_scores, q),
            torch.einsum("hqk,qhd->khd", seen, of),
        )
        return tuple(one.contiguous() for one in gradients)

    forward.register_kernel("cpu")(kernel)
    backward.register_kernel("cpu")(gradient)
    yield
