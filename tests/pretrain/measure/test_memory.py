from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForMaskedLM, PretrainedConfig

from pretrain.config import ModelConfig
from pretrain.data.shards import SpecialIds
from pretrain.measure.memory import LAYER, activation_bytes, head_bytes, step_memory
from pretrain.model.cross_entropy import CHUNK_LOGITS
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.families import FAMILIES, first_position, model_config
from pretrain.model.rtd import generator_config

ROWS, LENGTH, PLACES, PIECES = 5, 64, 38, 300


def rows_of_two(first: int) -> Any:
    """Return a micro-batch: rows of two documents each."""
    draw = torch.Generator().manual_seed(0)
    place = torch.arange(LENGTH)
    return SimpleNamespace(
        tokens=ROWS * LENGTH,
        longest=LENGTH,
        input_ids=torch.randint(10, PIECES, (ROWS, LENGTH), generator=draw),
        position_ids=(place % (LENGTH // 2) + first).repeat(ROWS, 1),
        documents=(place // (LENGTH // 2) + 1).repeat(ROWS, 1),
        cu_seqlens=None,
        places=torch.randperm(ROWS * LENGTH, generator=draw)[:PLACES].sort()[0],
        labels=torch.randint(10, PIECES, (PLACES,), generator=draw),
    )


def kept_bytes(config: PretrainedConfig, *, bf16: bool) -> int:
    """Return the bytes that autograd keeps of a micro-batch, weights and their copies aside."""
    model = MaskedLanguageModel(AutoModelForMaskedLM.from_config(config)).train()
    weights = {one.untyped_storage().data_ptr() for one in model.parameters()}
    copies = {tuple(one.shape) for one in model.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def pack(one: torch.Tensor) -> torch.Tensor:
        kept[one.untyped_storage().data_ptr()] = one  # held, so that no address comes twice
        return one

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
    ):
        model(rows_of_two(first_position(config)))
    return sum(
        one.untyped_storage().nbytes()
        for address, one in kept.items()
        if address not in weights and not {tuple(one.shape), tuple(one.shape)[::-1]} & copies
    )


@pytest.mark.parametrize(
    ("kind", "bf16", "dropout"),
    [("roberta", False, 0.1), ("roberta", True, 0.0), ("bert", True, 0.1), ("albert", False, 0.0),
     ("albert", True, 0.1), ("modernbert", False, 0.1), ("modernbert", True, 0.0)],
)  # fmt: skip
def test_activations_are_what_autograd_keeps(kind: str, bf16: bool, dropout: float) -> None:
    size = ModelConfig(
        type=kind, layers=3, hidden=96, heads=2, intermediate=256, embedding=64, dropout=dropout
    )
    config = model_config(size, PIECES, SpecialIds(0, 1, 2, 3, 4), LENGTH)
    estimate = activation_bytes(config, ROWS * LENGTH, PLACES, bf16=bf16, cuda=False)
    assert estimate == pytest.approx(kept_bytes(config, bf16=bf16), rel=0.25)


def test_a_layer_of_base_in_bf16_keeps_30_kb_a_token() -> None:
    (before, _), (after, wide) = LAYER["bert", True]
    assert 768 * (before + after) + 3072 * wide == 30_720


def test_logits_exist_a_chunk_at_a_time() -> None:
    config = model_config(ModelConfig(hidden=8, heads=1), 249_262, SpecialIds(0, 1, 2, 3, 4), 64)
    few, many = (head_bytes(config, places, bf16=True, fused=True) for places in (2000, 9830))
    assert few == many == 249_262 * 8 * 6 + CHUNK_LOGITS * 4


def test_the_parts_add_up() -> None:
    config = model_config(ModelConfig(), 25_005, SpecialIds(0, 1, 2, 3, 4), 416)
    memory = step_memory(config, 10**8, 65_536, 9_830, bf16=True, cuda=True)
    assert memory.gradients == 4 * 10**8
    assert memory.moments == 8 * 10**8
    parts = memory.model_dump()
    assert parts.pop("total") == sum(parts.values())


def test_a_last_layer_that_is_not_sparse_keeps_all_places() -> None:
    size = ModelConfig(type="electra", layers=3, hidden=96, heads=2, intermediate=256, dropout=0)
    config = model_config(size, PIECES, SpecialIds(0, 1, 2, 3, 4), LENGTH)
    assert not FAMILIES["electra"].sparse_last
    few, many = (activation_bytes(config, 320, at, bf16=False, cuda=False) for at in (0, 10))
    assert many - few == 10 * 16 * 96


def test_a_generator_and_a_teacher_take_memory_too() -> None:
    config = model_config(ModelConfig(), 25_005, SpecialIds(0, 1, 2, 3, 4), 416)
    small = generator_config(config, 0.33)
    plain = step_memory(config, 10**8, 65_536, 9_830, bf16=True, cuda=True)
    both = step_memory(config, 10**8, 65_536, 9_830, bf16=True, cuda=True, generator=small)
    dense = activation_bytes(config, 65_536, 65_536, bf16=True, cuda=True)
    beside = activation_bytes(small, 65_536, 9_830, bf16=True, cuda=True)
    assert both.activations == dense + beside > plain.activations
    taught = step_memory(config, 10**8, 65_536, 9_830, bf16=True, cuda=True, teacher=10**7)
    assert taught.total - plain.total == taught.weights - plain.weights == 4 * 10**7
