"""Gold files of every known shape, and a clear line for the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaitok.compare.gold import GoldFile, read_gold
from thaitok.errors import UserError

Write = Callable[[Path, list[dict[str, Any]]], Path]


def words_of(gold: GoldFile) -> list[list[str]]:
    return [[one.text[a:b] for a, b in one.words] for one in gold.texts]


def spans_of(gold: GoldFile) -> list[list[str]]:
    return [[one.text[a:b] for a, b in one.spans] for one in gold.texts]


def test_words_with_spaces_among_them(tmp_path: Path, jsonl: Write) -> None:
    path = jsonl(tmp_path / "wise" / "test.jsonl", [{"tokens": ["แมว", " ", "กิน", " น้ำ"]}])
    gold = read_gold(path)
    assert (gold.name, gold.has_words, gold.spans) == ("wise/test", True, None)
    assert gold.texts[0].text == "แมว กิน น้ำ"
    assert words_of(gold) == [["แมว", "กิน", "น้ำ"]]


def test_words_with_space_after(tmp_path: Path, jsonl: Write) -> None:
    record = {"words": ["แมว", "กิน", "น้ำ"], "space_after": [False, True, False],
              "tags": ["NOUN", "VERB", "NOUN"]}  # fmt: skip
    gold = read_gold(jsonl(tmp_path / "ud.jsonl", [record]))
    assert (gold.name, gold.spans, gold.texts[0].text) == ("ud", None, "แมวกิน น้ำ")


def test_bio_tags_are_entities_over_words(tmp_path: Path, jsonl: Write) -> None:
    tokens = ["นาย", "ก", " ", "ข", "ไป", "ไทย", "ลาว", "จีน", "ๆ"]
    tags = ["B-PERSON", "I-PERSON", "I-PERSON", "I-PERSON", "O", "B-LOC", "B-LOC", "I-ORG",
            "ไม่ยืนยัน"]  # fmt: skip
    gold = read_gold(jsonl(tmp_path / "ner.jsonl", [{"tokens": tokens, "tags": tags}]))
    assert gold.spans == "entities"
    assert spans_of(gold) == [["นายก ข", "ไทย", "ลาว", "จีน"]]


def test_nested_entities_whose_underscore_is_a_space(tmp_path: Path, jsonl: Write) -> None:
    tokens = ["ร้าน", "_", "มหาลัย", "พระ", "จอม"]
    entities = [{"span": [2, 5]}, {"span": [3, 5]}, {"span": [4, 9]}]
    gold = read_gold(jsonl(tmp_path / "n.jsonl", [{"tokens": tokens, "entities": entities}]))
    assert gold.texts[0].text == "ร้าน มหาลัยพระจอม"
    assert spans_of(gold) == [["มหาลัยพระจอม", "พระจอม"]]


def test_answers_are_gathered_by_context(tmp_path: Path, jsonl: Write) -> None:
    context = "เกิดวันที่ 3 มกราคม"
    records = [
        {"context": context, "answers": {"text": ["วันที่ 3"], "answer_start": [4]}},
        {"context": context, "answers": {"text": ["มกราคม", "เกิด"], "answer_start": [13, 9]}},
        {"context": context, "answers": {"text": ["วันที่ 3"], "answer_start": [4]}},
    ]
    gold = read_gold(jsonl(tmp_path / "qa.jsonl", records))
    assert (gold.has_words, gold.spans, gold.left_out) == (False, "answers", 1)
    assert spans_of(gold) == [["วันที่ 3", "มกราคม"]]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"premise": "ก", "label": 1}], "x.jsonl:1: has none of the known fields, but premise, l"),
        ([], "holds no record"),
        ([{"tokens": ["ก"]}, {"tokens": None}], "x.jsonl:2: its words, spaces and tags do not go"),
        ([{"tokens": ["ก"]}, {"tokens": ["ก"], "space_after": [True, False]}], "x.jsonl:2: its w"),
        ([{"tokens": ["ก", "ข"], "space_after": [True]}], "together: 2 words, 1 space_after"),
        ([{"tokens": ["ก", "ข"], "tags": ["B-X", "O", "B-Y"]}], "together: 2 words, 3 tags"),
        ([{"tokens": ["ก", "ข"], "tags": ["B-X"]}], "together: 2 words, 1 tags"),
        ([{"tokens": [3]}], "x.jsonl:1: its words"),
        ([{"tokens": ["ก"], "entities": [{"kind": 1}]}], "x.jsonl:1: its words"),
        ([{"context": "ก", "answers": {"text": ["ก"]}}], "x.jsonl:1: its context and answers"),
        ([{"context": "ก", "answers": {"text": ["ก"], "answer_start": []}}], "1 text, 0 answer_s"),
        ([{"context": 3, "answers": {}}], "x.jsonl:1: its context and answers"),
    ],
)
def test_another_shape_is_one_line(
    tmp_path: Path, jsonl: Write, records: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        read_gold(jsonl(tmp_path / "x.jsonl", records))
