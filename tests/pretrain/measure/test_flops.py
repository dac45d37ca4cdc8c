from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForMaskedLM, PretrainedConfig, RobertaConfig

from pretrain.config import ModelConfig
from pretrain.data.batch import Size
from pretrain.data.plan import cut_documents
from pretrain.data.shards import SpecialIds
from pretrain.measure.flops import attended_tokens, flops_per_token, masked_share, matmul_peak
from pretrain.model.families import model_config

SPECIAL = SpecialIds(bos=0, pad=1, eos=2, unk=3, mask=4)
ROWS, LENGTH, PIECES = 2, 24, 100


def small(kind: str, **changes: Any) -> PretrainedConfig:
    size = {"layers": 3, "hidden": 32, "heads": 2, "intermediate": 48, "embedding": 16} | changes
    config = model_config(ModelConfig(type=kind, **size), PIECES, SPECIAL, LENGTH)
    config._attn_implementation = "eager"  # whose products the counter sees
    return config


@pytest.mark.parametrize(
    ("pieces", "share", "total"),
    [(25_005, 1, 674.4), (25_005, 0.15, 573.4), (25_005, 0.3, 591.2),
     (249_262, 1, 1707.8), (249_262, 0.15, 728.4), (249_262, 0.3, 901.3)],
)  # fmt: skip
def test_base_model_at_416_tokens(pieces: int, share: float, total: float) -> None:
    flops = flops_per_token(RobertaConfig(), pieces, 416, share)
    assert flops.total / 1e6 == pytest.approx(total, abs=0.05)
    assert flops.encoder / 1e6 == pytest.approx(509.6, abs=0.05)
    assert flops.attention == 12 * 12 * 416 * 768


@pytest.mark.parametrize("kind", ["roberta", "bert", "albert", "modernbert", "electra"])
def test_as_the_profiler_counts_a_real_model(kind: str) -> None:
    config = small(kind)
    model = AutoModelForMaskedLM.from_config(config)
    ids = torch.randint(5, PIECES, (ROWS, LENGTH))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    counted = {str(name): number for name, number in counter.get_flop_counts()["Global"].items()}
    products = counted.pop("aten.bmm")
    flops = flops_per_token(config, PIECES, LENGTH, 1.0)
    tokens = ROWS * LENGTH
    exact = kind != "electra"
    close = 0 if exact else 0.1  # biases and norms are parameters as well
    assert tokens * (flops.encoder + flops.head) == pytest.approx(sum(counted.values()), rel=close)
    assert tokens * flops.attention == pytest.approx(products, rel=0 if exact else 0.02)


def test_the_head_counts_where_it_is_computed() -> None:
    dense = flops_per_token(small("roberta"), PIECES, LENGTH, 1.0)
    sparse = flops_per_token(small("roberta"), PIECES, LENGTH, 0.25)
    assert sparse.head == dense.head / 4
    assert sparse.encoder == dense.encoder


def test_local_layers_see_their_window_at_most() -> None:
    config = small("modernbert", local_window=8)  # layers: global, local, local
    assert flops_per_token(config, PIECES, 20, 1.0).attention == 12 * 32 * (20 + 8 + 8)
    assert flops_per_token(config, PIECES, 5, 1.0).attention == 12 * 32 * 3 * 5


@given(st.lists(st.integers(1, 60), min_size=1, max_size=50), st.integers(8, 40))
def test_tokens_that_a_token_sees(lengths: list[int], most: int) -> None:
    documents = np.asarray(lengths)
    parts = cut_documents(np.arange(len(documents)), documents, most - 2).length + 2
    seen = np.repeat(parts, parts)  # of each token, its part's size
    assert attended_tokens(documents, most) == pytest.approx(seen.mean())


@settings(deadline=None, max_examples=1)
@given(st.sampled_from([torch.float32, torch.bfloat16]))
def test_the_peak_is_measured(dtype: torch.dtype) -> None:
    assert 1e8 < matmul_peak(torch.device("cpu"), dtype, 0.05) < 1e14


def test_a_type_that_is_trained_padded_makes_all_logits() -> None:
    assert masked_share("roberta", Size(tokens=100, places=15)) == 0.15
    assert masked_share("deberta-v2", Size(tokens=100, places=15)) == 1.0
