"""Promises: old ids stay, text without the script stays, words of it take fewer tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForMaskedLM, AutoTokenizer, RobertaConfig, RobertaForMaskedLM

from thaitok.errors import UserError
from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.extend.vocabulary import read_vocabulary, words_in
from thaitok.folder import read_manifest
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.tokenizer_json import SCORE_STEP
from thaitok.trainer import TokenizerConfig, train_tokenizer

Sentences = Callable[[int, int, float], list[str]]
WriteCorpus = Callable[..., Path]


def extend(tokenizer: Path, corpus: Path, out: Path, **settings: Any) -> ExtendConfig:
    config = ExtendConfig(tokenizer=tokenizer, corpus=(corpus,), out=out, **settings)
    extend_tokenizer(config)
    return config


def ids(folder: Path, lines: list[str]) -> list[list[int]]:
    found = load_tokenizer(folder).encode_batch(lines, add_special_tokens=False)
    return [one.ids for one in found]


def latin_words(lines: list[str]) -> list[str]:
    return [word for line in lines for word in words_in("latin").findall(line)]


def test_old_pieces_keep_their_ids_and_new_ones_come_after(base: Path, extended: Path) -> None:
    old, new = read_vocabulary(base), read_vocabulary(extended)
    assert new.pieces[: len(old)] == old.pieces
    assert len(new) == len(old) + 60
    assert len(set(new.pieces)) == len(new)
    assert new.pipeline["added_tokens"] == old.pipeline["added_tokens"]


def test_only_pieces_of_the_script_get_other_scores(base: Path, extended: Path) -> None:
    old, new = read_vocabulary(base), read_vocabulary(extended)
    latin = words_in("latin").fullmatch
    others = [one for one in range(len(old)) if not latin(old.pieces[one])]
    assert [new.scores[one] for one in others] == [old.scores[one] for one in others]
    assert [new.scores[one] for one in range(len(old))] != list(old.scores)
    assert new.range[0] == old.range[0]
    assert all(score / SCORE_STEP == round(score / SCORE_STEP) for score in new.scores)


def test_the_script_keeps_its_mass(base: Path, extended: Path) -> None:
    latin = words_in("latin").fullmatch
    old, new = (
        sum(math.exp(score) for piece, score in read_vocabulary(one).scored.items() if latin(piece))
        for one in (base, extended)
    )
    assert new == pytest.approx(old, rel=0.02)


PLAIN = st.text(st.sampled_from("กขคงจฉชซญดตถทนบปผพฟมยรลวสหอะาิีุูเแโใไ็่้๊๋ๆ 0123456789.,!<>/_🙂é"))


@given(PLAIN)
@settings(max_examples=300, deadline=None)
def test_text_without_the_script_is_cut_as_before(base: Path, extended: Path, text: str) -> None:
    if not words_in("latin").search(text):
        assert ids(extended, [text]) == ids(base, [text])


@given(st.text(st.sampled_from("กขคเาี้่ ABCcomputersoftware0<é🙂")))
@settings(max_examples=300, deadline=None)
def test_both_encoders_agree_and_text_comes_back(extended: Path, text: str) -> None:
    bulk, fast = BulkEncoder(extended), load_tokenizer(extended)
    fast.encode_special_tokens = True
    found = fast.encode(text, add_special_tokens=False)
    assert bulk.encode(text) == found.ids


def test_held_out_words_take_fewer_tokens(base: Path, extended: Path, sentences: Sentences) -> None:
    held_out = sentences(300, 9, 0.4)
    words = latin_words(held_out)
    before, after = (sum(map(len, ids(one, words))) / len(words) for one in (base, extended))
    assert after < 0.75 * before
    assert sum(map(len, ids(extended, held_out))) < sum(map(len, ids(base, held_out)))


def test_real_thai_lines_are_cut_as_before(
    base: Path, extended: Path, real_lines: Callable[[str, int], list[str]]
) -> None:
    lines = [line for line in real_lines("thaigov_v2", 4000) if line.strip()]
    plain = [line for line in lines if not words_in("latin").search(line)]
    assert len(plain) > 2000
    assert ids(extended, plain) == ids(base, plain)


def test_plain_auto_tokenizer_loads_it(base: Path, extended: Path) -> None:
    text = "ซื้อ computer online"
    auto = AutoTokenizer.from_pretrained(extended)
    assert auto(text, add_special_tokens=False).input_ids == ids(extended, [text])[0]
    assert auto.decode(auto(text).input_ids, skip_special_tokens=True) == text
    assert len(auto) == len(read_vocabulary(extended))
    assert auto.model_max_length == AutoTokenizer.from_pretrained(base).model_max_length


def test_the_result_does_not_depend_on_the_workers(
    base: Path, mixed: Path, extended: Path, tmp_path: Path
) -> None:
    extend(base, mixed, tmp_path / "one", add=60, workers=1)
    for name in ("tokenizer.json", "spm.model"):
        assert (tmp_path / "one" / name).read_bytes() == (extended / name).read_bytes()


def test_the_manifest_and_the_report_say_what_changed(base: Path, extended: Path) -> None:
    counts = read_manifest(extended, "tokenizer").counts
    assert (counts["pieces_before"], counts["added"], counts["pieces"]) == (400, 60, 460)
    report = json.loads((extended / "report.json").read_text("utf-8"))
    assert report["changes"]["plain"] > 0
    assert report["changes"]["plain_changed"] == 0
    assert 0 < report["changes"]["changed"] <= report["changes"]["lines"]
    old = set(read_vocabulary(base).pieces)
    for piece, *parts in report["added"]:
        assert "".join(parts) == piece
        assert set(parts) <= old


def test_a_finished_folder_is_not_made_again(base: Path, mixed: Path, extended: Path) -> None:
    before = (extended / "manifest.json").stat().st_mtime_ns
    extend(base, mixed, extended, add=60)
    assert (extended / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="is finished with add = 60, not 61"):
        extend(base, mixed, extended, add=61)


def test_an_extension_can_be_extended(mixed: Path, extended: Path, tmp_path: Path) -> None:
    extend(extended, mixed, tmp_path / "more", add=20)
    assert len(read_vocabulary(tmp_path / "more")) == 480


def test_terms_become_one_token_wherever_their_pieces_stood(
    base: Path, mixed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    words = tmp_path / "terms.txt"
    words.write_text("ปัญญาประดิษฐ์\nปัญญาประดิษฐ์เชิงสร้าง\n\nNetWorkXL9\n", encoding="utf-8")
    extend(base, mixed, tmp_path / "t", words=words)
    fast = load_tokenizer(tmp_path / "t")
    for term in ("ปัญญาประดิษฐ์", "ปัญญาประดิษฐ์เชิงสร้าง", "NetWorkXL9"):
        assert fast.encode(term, add_special_tokens=False).tokens == [term]
    assert "lines change" in caplog.text
    assert len(read_vocabulary(tmp_path / "t")) == 403
    old, new = read_vocabulary(base), read_vocabulary(tmp_path / "t")
    assert new.scores[:400] == old.scores


def test_an_uncased_tokenizer_gets_lower_case_terms(
    mixed: Path, tmp_path: Path, sentences: Sentences, write_corpus: WriteCorpus
) -> None:
    corpus = write_corpus(tmp_path / "c", (("web", one) for one in sentences(300, 1, 0.3)))
    train_tokenizer(
        TokenizerConfig(corpus=(corpus,), out=tmp_path / "low", vocab_size=160, lower=True)
    )
    (tmp_path / "terms").write_text("BANGKOK\n", encoding="utf-8")
    extend(tmp_path / "low", mixed, tmp_path / "t", words=tmp_path / "terms", add=5)
    new = read_vocabulary(tmp_path / "t").pieces[160:]
    assert new[-1] == "bangkok"
    assert all(piece == piece.lower() for piece in new)


def test_pieces_of_another_tokenizer_are_the_only_candidates(
    base: Path, mixed: Path, extended: Path, tmp_path: Path
) -> None:
    config = ExtendConfig(
        tokenizer=base, corpus=(mixed,), out=tmp_path / "t", source=str(extended), add=10
    )
    extend_tokenizer(config)
    old, other = read_vocabulary(base), read_vocabulary(extended)
    new = read_vocabulary(tmp_path / "t").pieces[400:]
    assert len(new) == 10
    assert set(new) <= set(other.pieces) - set(old.pieces)


def test_a_tokenizer_without_a_new_piece_is_refused(
    base: Path, mixed: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="holds 0 candidates"):
        extend(base, mixed, tmp_path / "t", source=str(base))


@pytest.fixture
def model(base: Path, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = RobertaConfig(
        vocab_size=400, intermediate_size=32, bos_token_id=0, pad_token_id=1, eos_token_id=2, **size
    )
    RobertaForMaskedLM(config).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_grows_with_its_tokenizer(
    base: Path, mixed: Path, model: Path, tmp_path: Path
) -> None:
    extend(base, mixed, tmp_path / "grown", add=30, model=model)
    old = AutoModelForMaskedLM.from_pretrained(model)
    new = AutoModelForMaskedLM.from_pretrained(tmp_path / "grown")
    rows = new.get_input_embeddings().weight
    assert rows.shape == (430, 16)
    assert torch.equal(rows[:400], old.get_input_embeddings().weight)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "grown")
    assert new(**tokenizer("computer", return_tensors="pt")).logits.shape[-1] == 430
    counts = read_manifest(tmp_path / "grown", "tokenizer").counts
    assert counts["parameters"] == sum(one.numel() for one in new.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"add": 100_000}, "candidates for more pieces of the script 'latin'; give --add"),
        ({"add": 10, "script": "klingon"}, "no script called 'klingon'"),
        ({"add": 10, "script": "greek"}, "has no piece of the script 'greek'"),
        ({"add": 10, "source_weights": {"sozial": 2.0}}, "the sources are manuals, social"),
        ({"add": 10, "source": "/nowhere/tokenizer"}, "no such file or folder"),
        ({}, "nothing to do"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    base: Path, mixed: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        extend(base, mixed, tmp_path / "t", **settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("ดี\nสอง คำ\n", r"terms:2: 'สอง คำ' holds a space"),
        ("<b>\n", r"terms:1: '<b>' holds <"),
        ("ก" * 65, "longer than 64 characters"),
        ("iPhone\n", "every term is a piece already"),
        ("\n \n", "holds no term"),
        ("\u200b\n", "is nothing once it is normalised"),
    ],
)
def test_a_term_that_can_be_no_piece_is_named(
    base: Path, mixed: Path, tmp_path: Path, terms: str, message: str
) -> None:
    (tmp_path / "terms").write_text(terms, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        extend(base, mixed, tmp_path / "t", words=tmp_path / "terms")
    assert not (tmp_path / "t").exists()


def test_terms_that_are_not_text_are_refused(base: Path, mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "terms").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        extend(base, mixed, tmp_path / "t", words=tmp_path / "terms")
    with pytest.raises(UserError, match="no such file"):
        extend(base, mixed, tmp_path / "t", words=tmp_path / "none")


def test_a_model_of_another_vocabulary_is_refused(
    extended: Path, mixed: Path, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="400 rows where the tokenizer has 460 pieces"):
        extend(extended, mixed, tmp_path / "t", add=10, model=model)
    assert not (tmp_path / "t").exists()


def test_a_model_that_cannot_be_loaded_leaves_nothing(
    base: Path, mixed: Path, model: Path, tmp_path: Path
) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    with pytest.raises(UserError, match="has no weights for roberta"):
        extend(base, mixed, tmp_path / "t", add=10, model=model)
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


def test_a_model_beside_another_tokenizer_is_refused(
    base: Path, mixed: Path, model: Path, tmp_path: Path
) -> None:
    pipeline = json.loads((base / "tokenizer.json").read_text("utf-8"))
    pipeline["model"]["vocab"][200][0] = "another"
    (model / "tokenizer.json").write_text(json.dumps(pipeline), "utf-8")
    with pytest.raises(UserError, match=r"tokenizer\.json: is not the tokenizer that is to be"):
        extend(base, mixed, tmp_path / "t", add=10, model=model)


@pytest.mark.parametrize("script", ["thai", " Thai", "THAI", "thai character"])
def test_thai_is_no_script_to_extend(script: str) -> None:
    with pytest.raises(ValueError, match="pieces of Thai keep their scores"):
        ExtendConfig(tokenizer=Path("t"), corpus=(Path("c"),), add=1, script=script)


def test_a_script_may_be_written_in_any_case() -> None:
    config = ExtendConfig(tokenizer=Path("t"), corpus=(Path("c"),), add=1, script=" LATIN ")
    assert config.script == "latin"


def test_a_folder_that_was_not_converted_is_told_to_be(
    base: Path, mixed: Path, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sentencepiece.bpe.model").write_bytes((base / "spm.model").read_bytes())
    with pytest.raises(UserError, match=r"make one of it with `thaitok convert .*old`"):
        extend(tmp_path / "old", mixed, tmp_path / "t", add=10)


def test_a_corpus_without_a_word_is_refused(
    base: Path, tmp_path: Path, write_corpus: WriteCorpus
) -> None:
    corpus = write_corpus(tmp_path / "c", [("web", "ภาษาไทยล้วน " + "a" * 600)])
    with pytest.raises(UserError, match="has no word of the script 'latin'"):
        extend(base, corpus, tmp_path / "t", add=10)
