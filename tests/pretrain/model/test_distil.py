"""Promise: relations are MiniLMv2's, of each document by itself, and the teacher stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

import pretrain.model.distil as distil
from pretrain.config import DistilConfig, ModelConfig
from pretrain.data.batch import Batch
from pretrain.data.shards import SpecialIds
from pretrain.model.distil import Distillation, relation_loss, take_noted
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.families import FAMILIES, first_position, model_config

SPECIAL = SpecialIds(bos=0, pad=1, eos=2, unk=3, mask=4)
ROWS = [[13, 20, 7], [40], [5, 30]]
PACKED = sorted(FAMILIES)

Pack = Callable[..., Batch]


def tiny(kind: str, seed: int = 0, dtype: torch.dtype = torch.float64, **changes: Any) -> Any:
    values = {"type": kind, "layers": 3, "hidden": 32, "heads": 4, "intermediate": 64,
              "dropout": 0.0, "local_window": 8, **changes}  # fmt: skip
    torch.manual_seed(seed)
    build: Any = transformers.AutoModelForMaskedLM
    config = model_config(ModelConfig.model_validate(values), 97, SPECIAL, 40)
    return build.from_config(config).to(dtype)


def distilled(model: PreTrainedModel, teacher: PreTrainedModel, **changes: Any) -> Distillation:
    config = DistilConfig.model_validate({"teacher": ".", "relation_heads": 8, **changes})
    return Distillation(model, teacher, config)


def plain_loss(student: Tensor, teacher: Tensor, documents: Tensor, heads: int) -> Tensor:
    """Return the divergence as the paper writes it, a document, a head and a token at a time."""
    total = torch.zeros((), dtype=student.dtype)
    for number in range(1, int(documents.max()) + 1):
        mine = documents == number
        ours, theirs = (
            one.transpose(1, 2)[mine].flatten(1).unflatten(1, (heads, -1)).transpose(0, 1)
            for one in (student, teacher)
        )
        log_p, log_q = (
            torch.log_softmax(one @ one.mT / one.shape[-1] ** 0.5, -1) for one in (theirs, ours)
        )
        total = total + torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="sum")
    return total / heads


@pytest.mark.parametrize("chunk", [1, 1 << 26])
def test_relations_are_those_of_each_document(
    chunk: int, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of other widths and heads, with a gradient, some rows at once or all."""
    monkeypatch.setattr(distil, "CHUNK_RELATIONS", chunk)
    documents = packed(ROWS, 2).documents
    torch.manual_seed(0)
    student = torch.randn(3, 4, 40, 6, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(3, 2, 40, 24, dtype=torch.float64)
    found = []
    for loss in (relation_loss, plain_loss):
        value = loss(student, teacher, documents, 3)
        (value * 0.7).backward()
        found.append((value.detach(), student.grad))
        student.grad = None
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-13)
    same = relation_loss(student, student.detach(), documents, 3)
    assert abs(same.item()) < 1e-12


@pytest.mark.parametrize("kind", PACKED)
def test_a_model_that_is_its_teacher_has_nothing_to_learn_of_it(kind: str, packed: Pack) -> None:
    """And another one has, with a gradient for all that a masked-LM loss alone gives one."""
    teacher = tiny(kind)
    batch = packed(ROWS, first_position(teacher.config))
    expected = MaskedLanguageModel(copy.deepcopy(teacher)).train()(batch)[0]
    encoder = distilled(copy.deepcopy(teacher), teacher, mlm_weight=0.25).train()
    torch.testing.assert_close(encoder(batch)[0], 0.25 * expected, rtol=1e-10, atol=1e-10)
    other = distilled(tiny(kind, 1), tiny(kind), mlm_weight=0.25).train()
    loss = other(batch)[0]
    own = 0.25 * MaskedLanguageModel(tiny(kind, 1)).train()(batch)[0]
    assert loss - own > 1e-6
    loss.backward()
    assert all(one.grad is not None for one in other.parameters())


@pytest.mark.parametrize("layer", [None, 2])
@pytest.mark.parametrize("kind", ["roberta", "bert"])
def test_the_layer_is_the_one_that_is_meant(kind: str, layer: int | None, packed: Pack) -> None:
    """The loss by hand: of what transformers' own modules make of padded documents."""
    student, teacher = tiny("roberta", 1, hidden=16, layers=2), tiny(kind)
    plain = [copy.deepcopy(one) for one in (student, teacher)]
    batch = packed(ROWS, 2)
    encoder = distilled(student, teacher, layer=layer).train()
    found = encoder(batch)[0] - 0.5 * MaskedLanguageModel(copy.deepcopy(plain[0]))(batch)[0]
    numbers = range(1, 7)
    ids = torch.nn.utils.rnn.pad_sequence(
        [batch.input_ids[batch.documents == n] for n in numbers], batch_first=True, padding_value=1
    )
    seen = (ids != 1).long()
    states = [one(ids, attention_mask=seen, output_hidden_states=True).hidden_states
              for one in plain]  # fmt: skip
    pairs = []
    for which in ("query", "key", "value"):
        heads = []
        for model, hidden, number in zip(plain, states, (2, layer or 3), strict=True):
            attention = model.base_model.encoder.layer[number - 1].attention.self
            heads.append(getattr(attention, which)(hidden[number - 1])[:, None])
        pairs.append(heads)
    rows = seen * torch.arange(1, 7)[:, None]
    away = torch.stack([plain_loss(*pair, rows, 8) for pair in pairs]).sum()
    expected = away / batch.tokens * len(batch.places)
    assert found.item() == pytest.approx(expected.item(), rel=1e-10)


def test_the_teacher_is_neither_trained_nor_saved_nor_in_training(packed: Pack) -> None:
    encoder = distilled(tiny("roberta", 1, layers=1), tiny("bert", dropout=0.5), layer=2)
    (teacher,) = encoder.teacher
    names = [name for name, _ in MaskedLanguageModel(tiny("roberta", layers=1)).named_parameters()]
    assert [name for name, _ in encoder.named_parameters()] == names
    assert len(teacher.layers()) == 2
    encoder.to(torch.float32).train()
    assert not teacher.training
    assert next(teacher.parameters()).dtype == torch.float32
    before = [one.clone() for one in teacher.parameters()]
    loss = encoder(packed(ROWS, 2))[0]
    assert loss == encoder(packed(ROWS, 2))[0]  # its dropout drops nothing
    loss.backward()
    assert all(one.grad is None for one in teacher.parameters())
    assert all(map(torch.equal, before, teacher.parameters()))


def test_evaluation_is_the_masked_lm_loss_alone(packed: Pack) -> None:
    student, batch = tiny("roberta", 1), packed(ROWS, 2)
    expected = MaskedLanguageModel(copy.deepcopy(student)).eval()(batch)
    encoder = distilled(student, tiny("roberta")).eval()
    assert all(map(torch.equal, encoder(batch), expected))
    with pytest.raises(StopIteration):
        take_noted(encoder.layers()[-1])  # nothing is kept


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by the compiler
def test_compiled_it_is_the_same(packed: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda one, **flags: plain(one, backend="aot_eager", **flags)
    )
    torch._dynamo.reset()
    encoder = distilled(
        tiny("roberta", 1, torch.float32, layers=2), tiny("roberta", 0, torch.float32), layer=2
    ).train()
    batch = packed(ROWS, 2)
    expected = encoder(batch)[0]
    encoder.compile_layers()
    torch.testing.assert_close(encoder(batch)[0], expected)
    with torch.compiler.set_stance("fail_on_recompile"):
        encoder(packed(ROWS, 2, seed=5))[0].backward()
    torch._dynamo.reset()
