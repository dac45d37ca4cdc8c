from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES
from thaitok.tokenizer import BulkEncoder, decode_lines, encode_lines, load_tokenizer, measure
from thaitok.words import segment

Trained = Callable[..., Path]


def test_a_forgetful_encoder_gives_the_same_ids(tokenizer: Path) -> None:
    texts = ["แมว นั่ง บน เสื่อ แมว", "ราคา 2.50 บาท"]
    assert [BulkEncoder(tokenizer, keep=1).encode(text) for text in texts] == [
        BulkEncoder(tokenizer).encode(text) for text in texts
    ]


def test_batches_and_single_texts_give_the_same_ids(tokenizer: Path) -> None:
    texts = ["แมว <_> นั่ง", "", " ", "ราคา 2.50 บาท", "<<"]
    bulk = BulkEncoder(tokenizer)
    assert bulk.encode_many(texts) == [BulkEncoder(tokenizer).encode(text) for text in texts]
    assert bulk.encode_many([]) == []
    assert bulk.encode_phrase("แมวนั่ง") == bulk.encode("แมวนั่ง")


@pytest.mark.parametrize("unit", ["ก", "5", "!", "ab", "aba"])
def test_a_long_phrase_has_the_exact_ids(trained: Trained, unit: str) -> None:
    # SentencePiece adds scores in 32 bits, which no longer tell equal cuts apart up there.
    text = unit * 40_001
    exact = load_tokenizer(trained()).encode(text, add_special_tokens=False).ids
    assert BulkEncoder(trained()).encode(text) == exact


def test_an_uncased_tokenizer_reads_capitals_as_small_letters(trained: Trained) -> None:
    bulk = BulkEncoder(trained(lower=True))
    assert bulk.encode("IPHONE แมว") == bulk.encode("iphone แมว")
    assert BulkEncoder(trained()).encode("IPHONE") != BulkEncoder(trained()).encode("iphone")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("spm.model", "is no SentencePiece model"),
        ("tokenizer_config.json", "is no JSON object"),
        ("tokenizer.json", "is no tokenizer"),
    ],
)
def test_a_broken_file_is_named(tokenizer: Path, tmp_path: Path, name: str, said: str) -> None:
    for one in TOKENIZER_FILES:
        (tmp_path / one).write_bytes((tokenizer / one).read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(UserError, match=f"{name}: {said}"):
        load_tokenizer(tmp_path)
        BulkEncoder(tmp_path)


def test_lines_are_encoded_with_special_tokens_and_without(trained: Trained) -> None:
    model, text = load_tokenizer(trained()), "ก <mask>เเ"
    (plain,) = encode_lines(model, [text])
    (special,) = encode_lines(model, [text], special_tokens=True)
    assert "<mask>" not in plain.pieces and "".join(plain.pieces[2:]) == "<mask>แ"
    assert special.pieces[0] == "<s>" and special.pieces[-1] == "</s>"
    assert special.pieces[3] == "<mask>" and special.offsets[3:5] == ((2, 8), (8, 10))
    assert plain.offsets[-1][1] == len(text)


def test_ids_read_from_lines_are_checked(tokenizer: Path) -> None:
    model = load_tokenizer(tokenizer)
    ids = " ".join(map(str, model.encode("แมว นั่ง", add_special_tokens=False).ids))
    assert list(decode_lines(model, [ids, ""], "f")) == ["แมว นั่ง", ""]
    with pytest.raises(UserError, match="f:2: is no line of ids"):
        list(decode_lines(model, [ids, "แมว"], "f"))
    with pytest.raises(UserError, match="f:1: is no line of ids"):
        list(decode_lines(model, ["1_0 ๑"], "f"))
    with pytest.raises(UserError, match="f:1: id 999 is outside the vocabulary of 500"):
        list(decode_lines(model, ["999"], "f"))


def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no tokenizer\.json here"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="is no tokenizer"):
        load_tokenizer(tmp_path)


def test_measures_are_the_arithmetic_they_claim(tokenizer: Path) -> None:
    found = measure(tokenizer, ["แมว แมว", "龘"])
    tokens = len(BulkEncoder(tokenizer).encode("แมว แมว")) + 1
    assert found["documents_measured"] == 2
    assert found["tokens_per_character"] == round(tokens / 8, 4)
    assert found["bytes_per_token"] == round((6 * 3 + 1 + 3) / tokens, 3)
    assert found["unknown_share"] == round(1 / tokens, 6)


@pytest.mark.parametrize("text", ["ตากลม" * 200, "abcไทย123😀", "กกกกก", "\u0e48\u0e34"])
def test_words_join_to_the_phrase(text: str) -> None:
    assert "".join(segment(text)) == text
