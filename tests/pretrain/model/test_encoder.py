"""Promise: packed loss and gradients are those of Hugging Face's padded ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

from pretrain.config import ModelConfig
from pretrain.data.batch import Batch
from pretrain.data.shards import SpecialIds
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.families import FAMILIES, first_position, model_config

SPECIAL = SpecialIds(bos=0, pad=1, eos=2, unk=3, mask=4)
ROWS = [[13, 20, 7], [40], [5, 30]]
PACKED = sorted(FAMILIES)
PADDED = ["distilbert", "deberta-v2", "mpnet"]

Pack = Callable[..., Batch]
Unpack = Callable[[Batch], dict[str, Tensor]]


def tiny(kind: str, dtype: torch.dtype = torch.float64, **changes: Any) -> PreTrainedModel:
    values = {"type": kind, "layers": 4, "hidden": 32, "heads": 4, "intermediate": 64,
              "dropout": 0.0, "local_window": 8, **changes}  # fmt: skip
    torch.manual_seed(0)
    config = model_config(ModelConfig.model_validate(values), 97, SPECIAL, 40)
    kind_of_model: Any = transformers.AutoModelForMaskedLM
    model: PreTrainedModel = kind_of_model.from_config(config)
    return model.to(dtype)


def gradients(model: PreTrainedModel) -> dict[str, Tensor]:
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


def differences(model: PreTrainedModel, batch: Batch, padded: Unpack) -> tuple[float, float]:
    """Return how far our loss and gradients are from transformers' own, relatively."""
    plain = copy.deepcopy(model)  # with its own config, which says how it attends
    theirs = plain.train()(**padded(batch)).loss
    theirs.backward()
    loss, _ = MaskedLanguageModel(model).train()(batch)
    ours = loss / len(batch.labels)
    ours.backward()
    one, two = gradients(model), gradients(plain)
    assert one.keys() == two.keys()
    away = sum(((one[name] - two[name]) ** 2).sum() for name in one)
    size = sum((two[name] ** 2).sum() for name in two)
    return abs(1 - (ours / theirs).item()), float((away / size) ** 0.5)


@pytest.mark.parametrize("kind", PACKED + PADDED)
def test_promise_7_loss_and_gradients_are_the_padded_ones(
    kind: str, packed: Pack, padded: Unpack
) -> None:
    model = tiny(kind)
    loss, gradient = differences(model, packed(ROWS, first_position(model.config)), padded)
    # ModernBERT's rotations are taken in 32 bits, ours and theirs in another order.
    least = 1e-6 if kind == "modernbert" else 1e-12
    assert loss < least
    assert gradient < least
    model = tiny(kind, torch.float32)
    loss, gradient = differences(model, packed(ROWS, first_position(model.config)), padded)
    assert loss < 1e-6
    assert gradient < 1e-6


@pytest.mark.parametrize("kind", PACKED)
def test_promise_7_holds_for_a_stream(
    kind: str, packed: Pack, padded: Unpack, varlen_on_cpu: None
) -> None:
    model = tiny(kind)
    batch = packed([[13, 20, 7, 40, 5, 30]], first_position(model.config), stream=True)
    least = 1e-6 if kind == "modernbert" else 1e-12
    assert max(differences(model, batch, padded)) < least


@pytest.mark.parametrize("trap", ["positions from 0", "no mask", "a neighbour's mask"])
def test_what_is_wrong_is_seen(trap: str, packed: Pack, padded: Unpack) -> None:
    """The known ways to pack wrongly change the gradients by a hundred times more."""
    batch = packed(ROWS, 0 if trap == "positions from 0" else 2)
    model = tiny("roberta")
    if trap != "positions from 0":
        documents = torch.ones_like(batch.documents) if trap == "no mask" else batch.documents // 2
        inner = MaskedLanguageModel.hidden

        def leaky(self: MaskedLanguageModel, batch: Batch) -> Tensor:
            return inner(self, replace(batch, documents=documents))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MaskedLanguageModel, "hidden", leaky)
            assert differences(model, batch, padded)[1] > 1e-4
    else:
        assert differences(model, batch, padded)[1] > 1e-2


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("stream", [False, True])
def test_changing_a_document_changes_no_bit_of_another(
    kind: str, stream: bool, packed: Pack, varlen_on_cpu: None
) -> None:
    model = tiny(kind, torch.float32)
    encoder = MaskedLanguageModel(model).eval()
    rows = [[13, 20, 7, 40, 5, 30]] if stream else ROWS
    batch = packed(rows, first_position(model.config), stream=stream)
    mine = batch.documents.flatten()[batch.places] == 2
    before = encoder.hidden(batch)[mine]
    others = (batch.documents != 2) & (batch.input_ids > 4)
    batch.input_ids[others] = 96 - batch.input_ids[others] // 2
    after = encoder.hidden(batch)
    assert torch.equal(after[mine], before)
    with torch.no_grad():
        assert not torch.equal(after[~mine], encoder.hidden(packed(
            rows, first_position(model.config), stream=stream))[~mine])  # fmt: skip


def test_documents_without_a_masked_token_are_no_nan(packed: Pack, padded: Unpack) -> None:
    """A mean over each row would be nothing divided by nothing."""
    batch = packed(ROWS, 2)
    first = batch.places < batch.input_ids.shape[1]  # nothing is asked of the other rows
    some = replace(batch, places=batch.places[first], labels=batch.labels[first])
    assert max(differences(tiny("roberta"), some, padded)) < 1e-12
    none = replace(batch, places=batch.places[:0], labels=batch.labels[:0])
    loss, _ = MaskedLanguageModel(tiny("roberta")).train()(none)
    loss.backward()
    assert loss == 0


def test_the_sparse_last_layer_is_the_whole_one_at_its_places(packed: Pack) -> None:
    model = tiny("roberta")
    batch = packed(ROWS, 2)
    sparse, whole = (MaskedLanguageModel(model, sparse_last=last) for last in (True, False))
    torch.testing.assert_close(sparse.hidden(batch), whole.hidden(batch), rtol=1e-14, atol=1e-14)


def test_right_guesses_are_counted_in_evaluation_alone(packed: Pack, padded: Unpack) -> None:
    model = tiny("roberta")
    plain, batch = copy.deepcopy(model).eval(), packed(ROWS, 2)
    same = padded(batch)
    right = (plain(**same).logits.argmax(-1) == same["labels"]).sum()
    encoder = MaskedLanguageModel(model)
    assert encoder.train()(batch)[1] is None
    assert encoder.eval()(batch)[1] == right


def test_nothing_is_dropped_in_attention(packed: Pack) -> None:
    """The kernel of a stream cannot, so rows do not either; config.json keeps the value."""
    model = tiny("roberta", dropout=0.3)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout) and module.p == 0.3:
            module.p = 0.0  # of hidden states and of attention, as the modules know it
    for layer in model.base_model.encoder.layer:
        layer.attention.self.dropout.p = 0.3
    encoder = MaskedLanguageModel(model).train()
    batch = packed(ROWS, 2)
    assert torch.equal(encoder(batch)[0], encoder(batch)[0])
    assert model.config.attention_probs_dropout_prob == 0.3


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by the compiler
@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
@pytest.mark.parametrize("stream", [False, True])
def test_layers_compile_as_whole_graphs_and_once(
    kind: str, stream: bool, packed: Pack, varlen_on_cpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a graph break, which `fullgraph` refuses, and again for no other documents."""
    plain = torch.compile

    def traced(one: Any, **flags: Any) -> Any:
        assert flags.get("fullgraph")
        return plain(one, backend="aot_eager", **flags)

    monkeypatch.setattr(torch, "compile", traced)
    torch._dynamo.reset()
    model = tiny(kind, torch.float32, dropout=0.1)
    first = first_position(model.config)
    rows, others = ([[13, 20, 7, 40, 5]], [[8, 25, 7, 40, 5]]) if stream else (ROWS, [[40]] * 3)
    batch, other = (packed(one, first, stream=stream) for one in (rows, others))
    expected = MaskedLanguageModel(copy.deepcopy(model)).eval()(batch)[0]
    encoder = MaskedLanguageModel(model)
    encoder.compile_layers()
    torch.testing.assert_close(encoder.eval()(batch)[0], expected)
    for one in (batch, other):  # the second has another number of places to predict
        encoder.train()(one)[0].backward()
        encoder.eval()(one)
    with torch.compiler.set_stance("fail_on_recompile"):
        encoder.train()(batch)[0].backward()
        encoder(packed(rows, first, stream=stream, seed=5))[0].backward()
    torch._dynamo.reset()


def test_in_bf16_the_loss_is_nearly_the_same(packed: Pack) -> None:
    model, batch = tiny("roberta", torch.float32), packed(ROWS, 2)
    encoder = MaskedLanguageModel(model)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = encoder(batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(encoder(batch)[0].item(), rel=5e-3)
    assert all(one.dtype == torch.float32 for one in gradients(model).values())
