"""Promise: a model keeps its old rows and all else to the bit, and its special ids go along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from thaitok.errors import UserError
from thaitok.extend.model import fit_model, vocabulary_tensors
from thaitok.extend.vectors import NewPiece, choose_vectors, new_rows, sparsemax

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
WORDS = ["แมว", "หมา", "com", "pu", "ter", "soft", "ware", "hard", "net", "work"]
PIECES = [*SPECIAL, *WORDS, *(chr(0x0E01 + number) for number in range(20))]
SCORES = [0.0] * 5 + [-3.0 - number / 4 for number in range(len(PIECES) - 5)]
NEW = [
    NewPiece("computer", (7, 8, 9), -6.0),
    NewPiece("software", (10, 11), -7.0),
    NewPiece("hardware", (12, 11), -8.0),
]
SIZE = {
    "vocab_size": len(PIECES),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "type_vocab_size": 1,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}
MODELS = [
    ("RobertaForMaskedLM", {}),
    ("RobertaForMaskedLM", {"tie_word_embeddings": False}),
    ("CamembertModel", {}),
    ("XLMRobertaForTokenClassification", {"num_labels": 5}),
    ("BertForSequenceClassification", {}),
    ("BertForMaskedLM", {}),
    ("ModernBertForMaskedLM", {"cls_token_id": 0, "sep_token_id": 2}),
    ("DebertaV2ForMaskedLM", {}),
    ("DebertaV2ForMaskedLM", {"legacy": False}),
    ("ElectraForMaskedLM", {"embedding_size": 8}),
]


def make_model(folder: Path, kind: str = "RobertaForMaskedLM", **changes: Any) -> PreTrainedModel:
    """Write a small model whose every weight is drawn, biases and norms too."""
    torch.manual_seed(3)
    cls = getattr(transformers, kind)
    model = cls(cls.config_class(**{**SIZE, **changes}))
    with torch.no_grad():
        for one in model.parameters():
            one.copy_(torch.randn_like(one))
    model.save_pretrained(folder)
    return model


def weights_of(folder: Path) -> dict[str, Tensor]:
    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    model = getattr(transformers, kind).from_pretrained(folder, dtype="auto")
    return dict(model.named_parameters(remove_duplicate=False))


def fit(source: Path, target: Path, **changes: Any) -> dict[str, int]:
    values = {"pieces": PIECES, "scores": SCORES, "kept": range(len(PIECES)), "new": NEW}
    target.mkdir(exist_ok=True)
    return fit_model(source, target, **{**values, **changes})


@pytest.mark.parametrize(("kind", "changes"), MODELS, ids=lambda one: str(one))
def test_old_rows_and_all_else_are_kept_to_the_bit(
    tmp_path: Path, kind: str, changes: dict[str, Any]
) -> None:
    make_model(tmp_path / "old", kind, **changes)
    config = AutoConfig.from_pretrained(tmp_path / "old")
    tables = vocabulary_tensors(getattr(transformers, kind), config)
    assert tables
    counts = fit(tmp_path / "old", tmp_path / "new")
    assert (counts["kept"], counts["added"], counts["dropped"]) == (len(PIECES), 3, 0)
    before, after = weights_of(tmp_path / "old"), weights_of(tmp_path / "new")
    assert before.keys() == after.keys()
    for name, one in before.items():
        assert torch.equal(after[name][: len(one)] if name in tables else after[name], one), name
        assert len(after[name]) == len(one) + 3 * (name in tables), name
        assert after[name].isfinite().all()


def test_untied_tables_and_the_bias_all_grow(tmp_path: Path) -> None:
    make_model(tmp_path / "old", tie_word_embeddings=False)
    config = AutoConfig.from_pretrained(tmp_path / "old")
    assert {name.split(".", 1)[1] for name in vocabulary_tensors(
        transformers.RobertaForMaskedLM, config
    )} >= {"embeddings.word_embeddings.weight", "decoder.weight", "bias"}  # fmt: skip
    fit(tmp_path / "old", tmp_path / "new")
    after = weights_of(tmp_path / "new")
    one, two = after["roberta.embeddings.word_embeddings.weight"], after["lm_head.decoder.weight"]
    assert one.data_ptr() != two.data_ptr()
    assert not torch.equal(one[-3:], two[-3:])


def test_tied_tables_stay_tied_and_the_model_runs(tmp_path: Path) -> None:
    make_model(tmp_path / "old")
    fit(tmp_path / "old", tmp_path / "new")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "new")
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert model(torch.tensor([[0, 5, len(PIECES) + 2, 2]])).logits.shape == (1, 4, len(PIECES) + 3)


@settings(max_examples=8, deadline=None)
@given(kept=st.permutations(range(5, len(PIECES))).flatmap(
    lambda order: st.integers(1, len(order)).map(lambda size: [*range(5), *order[:size]])
))  # fmt: skip
def test_any_choice_of_old_pieces_takes_their_rows(
    tmp_path_factory: pytest.TempPathFactory, kept: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder / "old", num_hidden_layers=1)
    counts = fit(folder / "old", folder / "new", kept=kept, new=())
    assert counts["dropped"] == len(PIECES) - len(kept)
    before, after = weights_of(folder / "old"), weights_of(folder / "new")
    for name in ("roberta.embeddings.word_embeddings.weight", "lm_head.bias"):
        assert torch.equal(after[name], before[name][kept])
    assert AutoConfig.from_pretrained(folder / "new").vocab_size == len(kept)


def test_special_ids_go_with_their_pieces(tmp_path: Path) -> None:
    make_model(tmp_path / "old", eos_token_id=9, sep_token_id=9, cls_token_id=500)
    fit(tmp_path / "old", tmp_path / "new", kept=[0, 1, 3, 4, 9, 5])
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    assert (config["bos_token_id"], config["pad_token_id"], config["eos_token_id"]) == (0, 1, 4)
    assert config["sep_token_id"] == 4
    assert config.get("cls_token_id") is None, "an id of no piece must not become one"
    with pytest.raises(UserError, match="eos_token_id 9 is a piece that is not kept"):
        fit(tmp_path / "old", tmp_path / "other", kept=[0, 1, 2])
    with pytest.raises(UserError, match="the padding's id must stay"):
        fit(tmp_path / "old", tmp_path / "other", kept=[1, 0, 9])
    assert not list((tmp_path / "other").iterdir())


def test_the_type_is_kept_and_other_files_are_left_alone(tmp_path: Path) -> None:
    make_model(tmp_path / "old").to(torch.bfloat16).save_pretrained(tmp_path / "old")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "tokenizer.json").write_text("{}")
    fit(tmp_path / "old", tmp_path / "new")
    assert {one.dtype for one in weights_of(tmp_path / "new").values()} == {torch.bfloat16}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_random_rows_are_those_of_phayathaibert(tmp_path: Path) -> None:
    make_model(tmp_path / "old", hidden_size=64)
    new = NEW * 100
    for seed, name in ((1, "a"), (1, "b"), (2, "c")):
        fit(tmp_path / "old", tmp_path / name, new=new, init="random", seed=seed)
    rows = [
        weights_of(tmp_path / name)["roberta.embeddings.word_embeddings.weight"][-len(new) :]
        for name in "abc"
    ]
    assert rows[0].std().item() == pytest.approx(0.02, rel=0.02)
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    assert not weights_of(tmp_path / "a")["lm_head.bias"][-len(new) :].any()


@pytest.mark.parametrize("init", ["mean", "similar"])
def test_informed_rows_point_where_their_old_pieces_do(tmp_path: Path, init: str) -> None:
    make_model(tmp_path / "old", hidden_size=64)
    fit(tmp_path / "old", tmp_path / "new", init=init)
    rows = weights_of(tmp_path / "new")["roberta.embeddings.word_embeddings.weight"]
    software = rows[-2]
    likeness = torch.cosine_similarity(software, rows[:-3], dim=1)
    assert set(likeness.argsort(descending=True)[:2].tolist()) == {10, 11}


@pytest.mark.parametrize("init", ["mean", "similar"])
def test_rows_and_bias_are_typical_of_the_score(tmp_path: Path, init: str) -> None:
    model = make_model(tmp_path / "old")
    shift, slope = torch.randn(2, 16)
    with torch.no_grad():
        for place, score in enumerate(SCORES):
            model.roberta.embeddings.word_embeddings.weight[place] = shift + score * slope
            model.lm_head.bias[place] = 2 + score / 2
    model.save_pretrained(tmp_path / "old")
    fit(tmp_path / "old", tmp_path / "new", init=init)
    after = weights_of(tmp_path / "new")
    rows = after["roberta.embeddings.word_embeddings.weight"][-3:]
    for row, one in zip(rows, NEW, strict=True):
        torch.testing.assert_close(row, shift + one.score * slope)
    torch.testing.assert_close(after["lm_head.bias"][-3:], torch.tensor([-1.0, -1.5, -2.0]))


def test_what_is_typical_is_so_of_the_pieces_they_are_made_of() -> None:
    scores = [-5 - number / 100 for number in range(400)]
    bias = torch.tensor([1.0 + score / 2 if n < 104 else 9.0 for n, score in enumerate(scores)])
    new = [NewPiece(str(n), (n, n + 1, n + 2, n + 3), -5.5) for n in range(100)]
    vectors = choose_vectors("mean", ["x"] * 400, scores, new, 0)
    torch.testing.assert_close(new_rows(vectors, bias, 0.02), torch.full((100,), 1.0 - 5.5 / 2))


def test_offsets_are_between_their_own_length_and_that_of_old_pieces() -> None:
    rows = torch.randn(400, 32, generator=torch.Generator().manual_seed(0)) + 5
    scores = [-5 - number / 100 for number in range(400)]
    new = [NewPiece(str(n), (n, n + 1, n + 2, n + 3), -5.5) for n in range(100)]
    vectors = choose_vectors("mean", ["x"] * 400, scores, new, 0)
    made = new_rows(vectors, rows, 0.02)
    plain = torch.stack([rows[list(one.parts)].mean(0) for one in new])
    found, before, short = ((one - 5).norm(dim=1).mean().item() for one in (made, rows, plain))
    assert found == pytest.approx((before * short) ** 0.5, rel=0.05)
    assert short < 0.6 * before
    assert new_rows(vectors, torch.zeros(400), 0.02).shape == (100,)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_sparsemax_is_the_nearest_point_of_the_simplex(scores: list[float]) -> None:
    found = sparsemax(np.array(scores))
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    shifts = np.array(scores)[found > 0] - found[found > 0]
    assert shifts == pytest.approx(shifts[0])
    assert (np.array(scores)[found == 0] <= shifts[0] + 1e-9).all()


def test_a_model_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    make_model(tmp_path / "old")
    with pytest.raises(UserError, match="has 35 rows where the tokenizer has 34 pieces"):
        fit(tmp_path / "old", tmp_path / "new", pieces=PIECES[:-1], scores=SCORES[:-1])


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it has no config"):
        fit(tmp_path / "none", tmp_path / "new")
    old = tmp_path / "old"
    make_model(old)
    edit(old, architectures=["RobertaForRemoteCode"])
    with pytest.raises(UserError, match="names 'RobertaForRemoteCode', no model that"):
        fit(old, tmp_path / "new")
    edit(old, architectures=["RobertaForMaskedLM"], model_type="strange")
    with pytest.raises(UserError, match="is no config that transformers knows"):
        fit(old, tmp_path / "new")
    edit(old, model_type="roberta", num_hidden_layers=3)
    with pytest.raises(UserError, match="has no weights for roberta"):
        fit(old, tmp_path / "new")
    edit(old, num_hidden_layers=2, hidden_size=32)
    with pytest.raises(UserError, match="cannot be loaded"):
        fit(old, tmp_path / "new")
    edit(old, hidden_size=16)
    (old / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights as safetensors; give a model's folder"):
        fit(old, tmp_path / "new")
    (old / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match="bring it over with `thaitok convert` first"):
        fit(old, tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())
