from __future__ import annotations

from pathlib import Path

import pytest

from thaitok.errors import UserError
from thaitok.tokenizer import BulkEncoder, decode_lines, load_tokenizer, measure
from thaitok.words import segment


def test_a_forgetful_encoder_gives_the_same_ids(tokenizer: Path) -> None:
    texts = ["แมว นั่ง บน เสื่อ แมว", "ราคา 2.50 บาท"]
    assert [BulkEncoder(tokenizer, keep=1).encode(text) for text in texts] == [
        BulkEncoder(tokenizer).encode(text) for text in texts
    ]


def test_ids_read_from_lines_are_checked(tokenizer: Path) -> None:
    model = load_tokenizer(tokenizer)
    ids = " ".join(map(str, model.encode("แมว นั่ง", add_special_tokens=False).ids))
    assert list(decode_lines(model, [ids, ""], "f")) == ["แมว นั่ง", ""]
    with pytest.raises(UserError, match="f:2: is no line of ids"):
        list(decode_lines(model, [ids, "แมว"], "f"))
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
