from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    pipeline,
)

from finetune import FinetuneConfig, Predictor, finetune, predict
from finetune.data.entities import entities_of
from finetune.data.splits import TaskData, load_task
from finetune.data.tasks import find_task
from finetune.model.tags import TagHead
from finetune.model.windows import Window
from finetune.predictor import read_entities
from finetune.words import word_spans
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


def test_a_sequence_head_reads_the_whole_of_a_text(model_folder: Path, tmp_path: Path) -> None:
    model = save(RobertaForSequenceClassification, ["bad", "good"], model_folder, tmp_path / "m")
    texts = ["ดี", TEXT * 50, "", TEXT * 40 + "แพง" * 40]
    found = list(Predictor(model, batch_size=2, device="cpu")(texts * 5))
    assert len(found) == 20
    assert {one.label for one in found} <= {"bad", "good"}
    assert all(one.score is not None and 0.5 <= one.score <= 1 for one in found)
    assert found[1].score != found[3].score, "its end counts"


def test_entities_stand_where_they_say_in_texts_of_any_length(tagger: str) -> None:
    texts = ["", TEXT, TEXT * 40, "\u200b", "ก"]
    found = list(predict(tagger, texts, device="cpu"))
    assert [one.text for one in found] == texts
    assert {one.head for one in found} == {"ner"}
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
    assert found.head == "pos"
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


def test_segmented_words_leave_out_white_space_only() -> None:
    spans = word_spans(TEXT)
    assert "".join(TEXT[start:end] for start, end in spans) == TEXT.replace(" ", "")


def plain(model: str, text: str) -> list[tuple[int, int, str]]:
    """What plain transformers says are the entities."""
    tag = pipeline("token-classification", model, aggregation_strategy="simple", device="cpu")
    return [
        (*trimmed(text, one["start"], one["end"]), one["entity_group"])
        for one in tag(text)
        if one["entity_group"] != "O"
    ]


def own(model: str, text: str) -> list[tuple[int, int, str]]:
    (found,) = Predictor(model, device="cpu")([text])
    return [(one.start, one.end, one.label) for one in found.found]


@pytest.fixture(scope="module")
def trained(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tagger that has learned the demo's names."""
    folder = tmp_path_factory.mktemp("trained")
    data = folder / "data" / "demo_ner"
    data.mkdir(parents=True)
    dice = random.Random(1)
    for split, count in (("train", 60), ("validation", 12), ("test", 12)):
        rows = []
        for _ in range(count):
            tokens, tags, spaces = [], [], []
            for _ in range(dice.randint(1, 5)):
                place = dice.choice(["เชียงใหม่", "กรุงเทพมหานคร"])
                tokens += ["คุณ", "สม", "ชาย", "ไป", place]
                tags += ["O", "B-PERSON", "I-PERSON", "O", "B-LOCATION"]
                spaces += [False, False, False, False, True]
            rows.append(json.dumps({"tokens": tokens, "tags": tags, "space_after": spaces}))
        (data / f"{split}.jsonl").write_text("\n".join(rows))
    config = FinetuneConfig.model_validate({
        "model": str(model_folder), "task": "demo_ner", "data_dir": str(folder / "data"),
        "out": folder / "result", "epochs": 30, "learning_rate": 5e-3, "device": "cpu",
        "baselines": False,
    })  # fmt: skip
    assert finetune(config).test["entity_f1"].mean == 1.0
    return str(folder / "result" / "model")


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_plain_pipeline_finds_the_same_entities(trained: str, times: int) -> None:
    text = " ".join(["คุณสมชายไปเชียงใหม่", "คุณสมชายไปกรุงเทพมหานคร", "คุณสมชายไปเชียงใหม่"][:times])
    found = own(trained, text)
    assert len(found) == 2 * times
    assert found == (plain(trained, text) if text else [])


def test_where_the_best_tags_are_no_valid_sequence_the_best_valid_one_is_read() -> None:
    text = "สมชาย"
    windows = [Window((0, 5, 6, 2), ((0, 0), (0, 2), (2, 5), (0, 0)))]
    logits = np.log(np.float32([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7],
                                [0.98, 0.01, 0.01]]))  # fmt: skip
    (one,) = read_entities(text, windows, [logits], ("O", "B-PER", "I-PER"))
    assert (one.text, one.label) == (text, "PER")
    assert one.score == pytest.approx(0.3)


def test_entities_are_found_in_texts_of_any_length(trained: str) -> None:
    sentence = "คุณสมชายไปเชียงใหม่ "
    found = own(trained, sentence * 30)
    expected = [
        (start + at, end + at, kind)
        for at in range(0, 30 * len(sentence), len(sentence))
        for start, end, kind in ((3, 8, "PERSON"), (10, 19, "LOCATION"))
    ]
    assert found == expected


def test_gold_entities_come_back_at_their_characters(tokenizer: PreTrainedTokenizerFast) -> None:
    """Of real text, through a tokenizer that normalises: gold to pieces and back to characters.

    An entity that begins or ends inside a piece cannot: with these pieces 7 % of them.
    """
    data = real_task("thainer_v1.3", "validation")
    head = TagHead(data.labels)
    encoded = head.encode(tokenizer, data.validation, 10_000)
    marks = head.training_rows(encoded, data.validation)
    readable = 0
    for row, (window,), made in zip(data.validation, encoded.windows, marks, strict=True):
        sure = np.zeros((len(window.ids), len(head.outputs)), np.float32)
        for piece, (tag, _) in enumerate(made["labels"]):
            sure[piece, max(tag, 0)] = 20.0
        found = list(read_entities(row.text, [window], [sure], head.labels))
        assert all(one.text == row.text[one.start : one.end] for one in found)
        starts = {start for start, end in window.spans if start < end}
        ends = {end for start, end in window.spans if start < end}
        gold = {
            (*trimmed(row.text, row.spans[first][0], row.spans[end - 1][1]), kind)
            for first, end, kind in entities_of(row.gold)
        }
        gold = {one for one in gold if one[0] in starts and one[1] in ends}
        assert gold <= {(one.start, one.end, one.label) for one in found}
        readable += len(gold)
    assert readable > 1500


@pytest.mark.parametrize(
    ("name", "split"), [("thainer_v1.3", "test"), ("ud_thai_tud_pos", "validation")]
)
def test_every_gold_word_of_real_text_is_read(
    tokenizer: PreTrainedTokenizerFast, name: str, split: str
) -> None:
    rows = getattr(real_task(name, split), split)
    head = TagHead(("O", "B-PER", "I-PER"))
    encoded = head.encode(tokenizer, rows, 64)
    assert max(map(len, encoded.windows)) > 3, "texts are longer than a window"
    zeros = [
        [np.zeros((len(window.ids), len(head.outputs)), np.float32) for window in windows]
        for windows in encoded.windows
    ]
    found = head.read(encoded, zeros)
    assert [len(tags) for tags in found] == [len(row.words) for row in rows]
    unread = sum(place is None for places in encoded.places for place in places)
    assert unread < 0.001 * sum(map(len, found)), "next to every word has a piece to read it at"


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    unseen = " \n\t\u200b\ufeff"
    left = len(inside) - len(inside.lstrip(unseen))
    return start + left, end - len(inside) + len(inside.rstrip(unseen))


def real_task(name: str, split: str) -> TaskData:
    folder = Path(__file__).parents[3] / "shared" / "data" / "bench"
    if not (folder / name).is_dir():
        pytest.skip(f"no {name} under {folder}")
    return load_task(find_task(name), folder)
