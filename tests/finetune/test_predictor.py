from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import (
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)

from finetune import predict
from finetune.predictor import Found, _entities, _segment
from thaitok.errors import UserError

TEXT = "คุณสมชาย ไปเชียงใหม่เมื่อวานนี้ "


def save(kind: type, labels: list[str], model_folder: Path, out: Path) -> str:
    import shutil

    shutil.copytree(model_folder, out)
    torch.manual_seed(1)
    config = RobertaConfig.from_pretrained(
        out, id2label=dict(enumerate(labels)), label2id={label: n for n, label in enumerate(labels)}
    )
    kind(config).save_pretrained(out)
    return str(out)


@pytest.fixture
def tagger(model_folder: Path, tmp_path: Path) -> str:
    labels = ["O", "B-PER", "I-PER"]
    return save(RobertaForTokenClassification, labels, model_folder, tmp_path / "tagger")


def test_a_sequence_head_gives_one_label_and_says_once_that_it_cuts(
    model_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = save(RobertaForSequenceClassification, ["bad", "good"], model_folder, tmp_path / "m")
    with caplog.at_level(logging.WARNING, "thaitok"):
        found = list(
            predict(model, ["ดี", TEXT * 50, "", TEXT * 60] * 20, batch_size=2, device="cpu")
        )
    assert len(found) == 80
    assert {one.label for one in found} <= {"bad", "good"}
    assert all(one.score is not None and 0.5 <= one.score <= 1 for one in found)
    assert [record.getMessage() for record in caplog.records] == [
        "texts longer than 64 pieces are cut there"
    ]


def test_entities_stand_where_they_say_in_texts_of_any_length(tagger: str) -> None:
    texts = ["", TEXT, TEXT * 40, "\u200b", "ก"]
    found = list(predict(tagger, texts, device="cpu"))
    assert [one.text for one in found] == texts
    assert {one.head for one in found} == {"entities"}
    entities = [entity for one in found for entity in one.found]
    assert any(entity.start > 500 for entity in entities)
    for one in found:
        for entity in one.found:
            assert entity.text == one.text[entity.start : entity.end]
            assert entity.text.strip() and entity.label == "PER" and 0 < entity.score <= 1


def test_what_a_text_is_told_does_not_hang_on_its_batch(tagger: str) -> None:
    texts = [TEXT, "ดี", TEXT * 12, "ราคา 1,250 บาท", "สมหญิงทำงาน"]
    together = list(predict(tagger, texts, batch_size=5, device="cpu"))
    for text, found in zip(texts, together, strict=True):
        (alone,) = predict(tagger, [text], batch_size=1, device="cpu")
        assert [(e.start, e.end) for e in alone.found] == [(e.start, e.end) for e in found.found]


def test_other_tags_come_word_by_word(model_folder: Path, tmp_path: Path) -> None:
    model = save(RobertaForTokenClassification, ["NOUN", "VERB"], model_folder, tmp_path / "pos")
    (found,) = predict(model, [TEXT * 20], device="cpu")
    assert found.head == "tags"
    assert "".join(word.text for word in found.found) == (TEXT * 20).replace(" ", "")
    assert {word.label for word in found.found} <= {"NOUN", "VERB"}


def test_a_mask_is_filled_wherever_it_stands(model_folder: Path) -> None:
    texts = ["<mask>ดี", TEXT * 20 + "<mask>มาก<mask>"]
    found = list(predict(str(model_folder), texts, device="cpu"))
    assert [len(one.found) for one in found] == [5, 10]
    assert {one.text[piece.start : piece.end] for one in found for piece in one.found} == {"<mask>"}
    scores = [piece.score for piece in found[0].found]
    assert scores == sorted(scores, reverse=True)


def test_a_text_without_a_mask_is_the_user_s(model_folder: Path) -> None:
    with pytest.raises(UserError, match=r"no <mask> in 'ดี'; write <mask>"):
        list(predict(str(model_folder), ["ดี"], device="cpu"))


def test_a_folder_that_is_no_model_is_the_user_s(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no config\.json"):
        list(predict(str(tmp_path), ["ดี"]))


def test_an_endless_stream_is_read_as_it_comes(tagger: str) -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "ดี"

    stream = predict(tagger, endless(), batch_size=1, device="cpu")
    assert [next(stream).text for _ in range(40)] == ["ดี"] * 40


def test_words_are_joined_to_entities() -> None:
    text = "นาย ก ข ค"
    tags = [("B-P", 0, 3), ("I-P", 4, 5), ("B-P", 6, 7), ("O", 8, 9)]
    words = [
        Found(start=a, end=z, text=text[a:z], label=tag, score=0.9 - a / 10) for tag, a, z in tags
    ]
    first, second = _entities(text, words)
    assert (first.text, first.label, first.score) == ("นาย ก", "P", 0.5)
    assert second.text == "ข"


def test_segmented_words_leave_out_white_space_only() -> None:
    spans = _segment(TEXT)
    assert "".join(TEXT[start:end] for start, end in spans) == TEXT.replace(" ", "")
