from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedModel

from finetune.export import graph
from finetune.export.config import ExportConfig
from finetune.export.graph import write_graph
from finetune.export.run import FP32
from finetune.export.session import open_graph
from finetune.model import models

Make = Callable[..., Path]
Pair = tuple[PreTrainedModel, PreTrainedModel]


@pytest.fixture(scope="module")
def pair(exported: ExportConfig) -> Pair:
    """The model and its graph."""
    auto = transformers.AutoModelForSequenceClassification
    source = models.open_model(Path(exported.model), auto).eval()
    return source, open_graph(exported.out / FP32, source)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 64), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
)
def test_any_batch_and_length_gives_the_model_s_logits(
    pair: Pair, lengths: list[int], seed: int
) -> None:
    source, ours = pair
    dice = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), max(lengths)), 1)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(5, source.config.vocab_size, (length,), generator=dice)
    mask = (ids != 1).long()
    found = ours(input_ids=ids, attention_mask=mask).logits.numpy()
    with torch.inference_mode():
        for row, length in enumerate(lengths):
            alone = source(input_ids=ids[row : row + 1, :length]).logits.numpy()
            np.testing.assert_allclose(found[row], alone[0], atol=1e-5)


def test_the_same_model_gives_the_same_bytes(
    pair: Pair, exported: ExportConfig, tmp_path: Path
) -> None:
    write_graph(pair[0], tmp_path / "model.onnx", 64)
    assert (tmp_path / "model.onnx").read_bytes() == (exported.out / FP32).read_bytes()
    assert pair[0].config._attn_implementation == "sdpa", "tracing left it as it was"


def test_a_large_model_keeps_its_weights_beside_the_graph(
    model_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BERT's, with types; and every length that its table of positions has."""
    monkeypatch.setattr(graph, "ONE_FILE", 1000)
    folder = model_of(tmp_path / "bert", "Bert", "ForQuestionAnswering")
    source = models.open_model(folder, transformers.AutoModelForQuestionAnswering).eval()
    path = tmp_path / "model.onnx"
    write_graph(source, path, 66)
    beside = tmp_path / f"model.onnx{graph.EXTERNAL}"
    assert beside.stat().st_size > path.stat().st_size // 4
    graph.quantize(path, tmp_path / "int8.onnx")
    assert (tmp_path / "int8.onnx").stat().st_size < beside.stat().st_size + path.stat().st_size
    ours = open_graph(path, source)
    for length in (1, 2, 66):
        inputs = {
            "input_ids": torch.randint(5, source.config.vocab_size, (2, length)),
            "attention_mask": torch.ones(2, length, dtype=torch.long),
            "token_type_ids": torch.randint(0, 2, (2, length)),
        }
        with torch.inference_mode():
            expected = source(**inputs)
        found = ours(**inputs)
        for name in ("start_logits", "end_logits"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
