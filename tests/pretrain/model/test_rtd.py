"""Promise: replaced-token detection is ELECTRA's loss, of packed documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.nn import functional

import pretrain.model.rtd as rtd
from pretrain.config import ModelConfig, RtdConfig
from pretrain.data.batch import Batch
from pretrain.data.shards import SpecialIds
from pretrain.model.families import FAMILIES, first_position, model_config
from pretrain.model.rtd import ReplacedTokenDetection, generator_config, sample

SPECIAL = SpecialIds(bos=0, pad=1, eos=2, unk=3, mask=4)
ROWS = [[13, 20, 7], [40], [5, 30]]
PACKED = sorted(FAMILIES)

Pack = Callable[..., Batch]
Unpack = Callable[[Batch], dict[str, Tensor]]


def size_of(kind: str, **changes: Any) -> transformers.PretrainedConfig:
    values = {"type": kind, "layers": 2, "hidden": 32, "heads": 4, "intermediate": 64,
              "dropout": 0.0, "local_window": 8, "embedding": 16, **changes}  # fmt: skip
    return model_config(ModelConfig.model_validate(values), 97, SPECIAL, 40)


def tiny(kind: str, dtype: torch.dtype = torch.float64, **changes: Any) -> ReplacedTokenDetection:
    torch.manual_seed(0)
    build: Any = transformers.AutoModelForMaskedLM
    model = build.from_config(size_of(kind, **changes))
    return ReplacedTokenDetection(model, RtdConfig(generator=0.5), SPECIAL).to(dtype)


def written(pieces: Tensor) -> pytest.MonkeyPatch:
    """Let the generator write these pieces."""
    patch = pytest.MonkeyPatch()
    patch.setattr(rtd, "sample", lambda *_: pieces)
    return patch


def others(labels: Tensor) -> Tensor:
    """Return a wrong piece for two places of three."""
    wrong = torch.arange(len(labels)) % 3 > 0
    return torch.where(wrong, 5 + (labels - 4) % 92, labels)


def rows(batch: Batch, values: Tensor, fill: int) -> Tensor:
    """Return values of all places, each document a row of its own."""
    numbers = range(1, int(batch.documents.max()) + 1)
    found = [values[batch.documents == number] for number in numbers]
    return torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=fill)


def reference(encoder: ReplacedTokenDetection, batch: Batch, pieces: Tensor) -> Tensor:
    """Return the mean masked-LM loss + 50 x the mean of the verdicts, by padded documents."""
    ids, labels = batch.input_ids.clone(), torch.full_like(batch.input_ids, -100)
    labels.view(-1)[batch.places] = batch.labels
    truth = torch.zeros_like(ids)
    ids.view(-1)[batch.places] = pieces
    truth.view(-1)[batch.places] = (pieces != batch.labels).long()
    seen = rows(batch, torch.ones_like(ids), 0)
    positions = rows(batch, batch.position_ids, 1)
    for model in (encoder.model, encoder.generator.model):
        model.set_attn_implementation("sdpa")
    generator: Any = encoder.generator.model
    masked = generator(
        input_ids=rows(batch, batch.input_ids, 1), attention_mask=seen, position_ids=positions,
        labels=rows(batch, labels, -100),
    ).loss  # fmt: skip
    body: Any = encoder.model.base_model
    states = body(input_ids=rows(batch, ids, 1), attention_mask=seen, position_ids=positions)[0]
    lengths = seen.sum(1, keepdim=True)
    place = torch.arange(seen.shape[1])
    text = (place > 0) & (place < lengths - 1)
    scores = encoder.head(states)[text]
    verdicts = functional.binary_cross_entropy_with_logits(
        scores, rows(batch, truth, 0)[text].to(scores.dtype)
    )
    total: Tensor = masked + 50 * verdicts
    return total


@pytest.mark.parametrize("kind", PACKED)
def test_loss_and_gradients_are_those_of_padded_documents(kind: str, packed: Pack) -> None:
    encoder = tiny(kind).train()
    batch = packed(ROWS, first_position(encoder.model.config))
    pieces = others(batch.labels)
    patch = written(pieces)
    ours = encoder(batch)[0] / len(batch.places)
    patch.undo()
    ours.backward()
    found = {name: one.grad.clone() for name, one in encoder.named_parameters()}
    encoder.zero_grad()
    theirs = reference(encoder, batch, pieces)
    theirs.backward()
    # ModernBERT's rotations are taken in 32 bits, ours and theirs in another order.
    least = 1e-6 if kind == "modernbert" else 1e-12
    assert abs(1 - (ours / theirs).item()) < least
    for name, one in encoder.named_parameters():
        assert one.grad is not None
        torch.testing.assert_close(found[name], one.grad, rtol=least * 100, atol=least)


def test_a_stream_has_the_loss_of_rows(packed: Pack, varlen_on_cpu: None) -> None:
    encoder = tiny("roberta").train()
    found = []
    for stream, lengths in (
        (False, [[13, 20, 7], [40], [5, 30]]),
        (True, [[13, 20, 7, 40, 5, 30]]),
    ):
        batch = packed(lengths, 2, stream=stream)
        patch = written(others(batch.labels))
        found.append(encoder(batch)[0].item())
        patch.undo()
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
def test_changing_a_document_changes_no_verdict_on_another(kind: str, packed: Pack) -> None:
    encoder = tiny(kind, torch.float32).eval()
    batch = packed(ROWS, first_position(encoder.model.config))
    mine = batch.documents == 2

    def verdicts(one: Batch) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            _, ids, replaced = encoder._replace(one)
            return ids, encoder._verdicts(one, ids, replaced)[0]

    ids, before = verdicts(batch)
    text = batch.input_ids.clone()
    changed = (batch.documents != 2) & (text > 4)
    text[changed] = 96 - text[changed] // 2
    same, after = verdicts(dataclasses.replace(batch, input_ids=text))
    assert torch.equal(ids[mine], same[mine])
    assert torch.equal(before[mine], after[mine])
    assert not torch.equal(before[~mine], after[~mine])


def test_the_right_piece_is_no_replacement_and_only_text_counts(packed: Pack) -> None:
    encoder = tiny("roberta").eval()
    batch = packed(ROWS, 2)
    head: Any = encoder.head
    with torch.no_grad():
        head.dense_prediction.weight.zero_()
        head.dense_prediction.bias.fill_(-3.0)  # "nothing was replaced"
    tokens = batch.tokens - 2 * 6  # of six documents
    for pieces, wrong in ((batch.labels, 0), (batch.labels % 90 + 5, len(batch.labels))):
        assert int((pieces != batch.labels).sum()) == wrong
        patch = written(pieces)
        loss, right = encoder(batch)
        patch.undo()
        assert right == tokens - wrong
        assert loss.item() == pytest.approx(
            (tokens - wrong) * functional.softplus(torch.tensor(-3.0)).item()
            + wrong * functional.softplus(torch.tensor(3.0)).item(), rel=1e-6
        )  # fmt: skip


def test_evaluation_draws_the_same_and_training_by_the_seed_of_the_loop(packed: Pack) -> None:
    encoder, batch = tiny("roberta", torch.float32), packed(ROWS, 2)
    torch.manual_seed(1)
    first = encoder.eval()(batch)
    torch.manual_seed(2)
    assert all(map(torch.equal, first, encoder(batch)))
    drawn = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        drawn.append(encoder.train()(batch)[0])
    assert drawn[0] == drawn[2] != drawn[1]


def test_samples_have_the_generators_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtd, "CHUNK_LOGITS", 5000)
    bias = torch.tensor([0.0, 1.0, 2.0, -1.0, -torch.inf])
    torch.manual_seed(0)
    drawn = sample(torch.zeros(40_000, 3), torch.zeros(5, 3), bias)
    shares = torch.bincount(drawn, minlength=5) / len(drawn)
    torch.testing.assert_close(shares, bias.softmax(0), atol=0.01, rtol=0)  # 4 sigma: 0.0098
    lost = sample(torch.full((2, 3), torch.nan), torch.zeros(5, 3), bias)
    assert lost.max() < 5  # the guard skips the update; nothing may raise


def test_the_generator_is_narrow_and_shares_the_table() -> None:
    small = generator_config(size_of("roberta", hidden=768, heads=12, intermediate=3072), 0.33)
    assert (small.hidden_size, small.num_attention_heads, small.intermediate_size) == (256, 4, 1024)
    assert small.embedding_size == 768
    assert generator_config(size_of("albert"), 0.5).embedding_size == 16
    encoder = tiny("roberta")
    table = encoder.model.get_input_embeddings().weight
    generator = encoder.generator.model
    assert generator.get_input_embeddings().weight is table
    assert generator.get_output_embeddings().weight is table
    assert encoder.model.get_output_embeddings() is None
    names = [name for name, _ in encoder.named_parameters()]
    assert sum("word_embeddings" in name or "lm_head.weight" in name for name in names) == 1
    assert len(encoder.layers()) == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by the compiler
def test_layers_compile_as_whole_graphs_and_once(
    packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda one, **flags: plain(one, backend="aot_eager", **flags)
    )
    torch._dynamo.reset()
    encoder, batch = tiny("electra", torch.float32, layers=1), packed(ROWS, 0)
    expected = encoder.eval()(batch)[0]
    encoder.compile_layers()
    torch.testing.assert_close(encoder(batch)[0], expected)
    encoder.train()(batch)[0].backward()
    with torch.compiler.set_stance("fail_on_recompile"):
        encoder(packed(ROWS, 0, seed=5))[0].backward()
    torch._dynamo.reset()
