"""Every kind of task from its file to a folder that is read again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoModelForQuestionAnswering

from finetune import FinetuneConfig, Predictor, Scores, finetune

Row = Mapping[str, Any]
PLACES = ["เชียงใหม่", "กรุงเทพมหานคร", "สุขุมวิท"]


def multilabel(dice: random.Random) -> Row:
    said = {"food": "อาหาร", "price": "ราคา", "staff": "พนักงาน"}
    held = [label for label in said if dice.random() < 0.5]
    return {"text": " ".join(said[label] for label in held) or "ดีมาก", "labels": held}


def pair(dice: random.Random) -> Row:
    one, two = dice.choice(PLACES), dice.choice(PLACES)
    return {"premise": f"ไป{one}", "hypothesis": f"อยู่{two}", "label": str(one == two)}


def words(dice: random.Random) -> Row:
    return {"tokens": [dice.choice(["คุณ", "นาย"]), "ไป", dice.choice(PLACES), "มาก"]}


def nested(dice: random.Random) -> Row:
    tokens = ["คุณ", dice.choice(["สมชาย", "สมหญิง"]), "ไป", dice.choice(PLACES)]
    spans = [[0, 2, "person"], [1, 2, "name"], [3, 4, "place"]]
    return {
        "tokens": tokens,
        "entities": [{"span": [first, end], "entity_type": kind} for first, end, kind in spans],
    }


def question(dice: random.Random) -> Row:
    place = dice.choice(PLACES)
    context = f"{'อาหารร้านนี้อร่อยมาก ' * dice.randint(0, 6)}คุณสมชายไป{place}เมื่อวานนี้"
    start = context.index(place)
    return {
        "context": context, "question": "ไปไหน",
        "answers": {"text": [place], "answer_start": [start]},
    }  # fmt: skip


def write(folder: Path, make: Callable[[random.Random], Row], rows: int = 60) -> str:
    folder.mkdir()
    for split, count in (("train", rows), ("validation", 12), ("test", 12)):
        dice = random.Random(split)
        lines = [json.dumps(make(dice), ensure_ascii=False) for _ in range(count)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder)


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Callable[..., Scores]:
    def tune(task: str, data: str, **fields: Any) -> Scores:
        chosen = {
            "model": str(model_folder), "task": task, "data_dir": data, "out": tmp_path / "result",
            "epochs": 12, "learning_rate": 5e-3, "batch_size": 16, "device": "cpu",
            "baselines": False,
        }  # fmt: skip
        return finetune(FinetuneConfig.model_validate({**chosen, **fields}))

    return tune


Run = Callable[..., Scores]


def test_labels_that_hold(run: Run, tmp_path: Path) -> None:
    scores = run("multilabel", write(tmp_path / "data", multilabel))
    assert scores.labels == ("food", "price", "staff")
    assert scores.test["micro_f1"].mean > 0.9
    config = AutoConfig.from_pretrained(tmp_path / "result/model")
    assert config.problem_type == "multi_label_classification"
    assert config.thaitok["thresholds"] == scores.thresholds and set(scores.thresholds.values())
    predictor = Predictor(str(tmp_path / "result"), device="cpu")
    both, none = predictor(["อาหาร ราคา", "ดีมาก"])
    assert list(both.labels or {}) == ["food", "price"] and none.labels == {}
    rows = map(json.loads, (tmp_path / "result/predictions.jsonl").read_text().splitlines())
    for row in rows:
        (again,) = predictor([row["text"]])
        assert list(again.labels or {}) == row["predicted"]


def test_pairs_of_texts(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "data", pair, rows=200)
    scores = run("sequence", data, text_column="premise", pair_column="hypothesis", epochs=15)
    assert scores.test["accuracy"].mean > 0.9, "one text alone gives two thirds"
    predictor = Predictor(str(tmp_path / "result"), device="cpu")
    same, other = predictor([("ไปเชียงใหม่", "อยู่เชียงใหม่"), ("ไปเชียงใหม่", "อยู่สุขุมวิท")])
    assert (same.label, other.label) == ("True", "False")


def test_where_words_begin(run: Run, tmp_path: Path) -> None:
    scores = run("words", write(tmp_path / "data", words))
    assert scores.test["word_f1"].mean > 0.8
    (found,) = Predictor(str(tmp_path / "result"), device="cpu")(["คุณไปเชียงใหม่"])
    assert "".join(word.text for word in found.found) == found.text
    assert {word.label for word in found.found} == {"word"}


def test_entities_within_entities(run: Run, tmp_path: Path) -> None:
    scores = run("nested", write(tmp_path / "data", nested))
    assert scores.test["entity_f1"].mean > 0.9
    (found,) = Predictor(str(tmp_path / "result"), device="cpu")(["คุณสมชายไปเชียงใหม่"])
    assert [(one.text, one.label) for one in found.found] == [
        ("คุณสมชาย", "person"), ("สมชาย", "name"), ("เชียงใหม่", "place"),
    ]  # fmt: skip


def test_answers_in_contexts_longer_than_the_model_reads(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "data", question)
    scores = run("qa", data, max_length=32, learning_rate=2e-3, epochs=15)
    assert scores.test["exact_match"].mean > 0.8
    assert scores.settings["max_length"] == 32
    AutoModelForQuestionAnswering.from_pretrained(tmp_path / "result/model")
    predictor = Predictor(str(tmp_path / "result"), device="cpu")
    context = "อาหารร้านนี้อร่อยมาก " * 9 + "คุณสมชายไปเชียงใหม่เมื่อวานนี้"
    (found,) = predictor([("ไปไหน", context)])
    (answer,) = found.found
    assert answer.text == context[answer.start : answer.end] == "เชียงใหม่"


@pytest.mark.parametrize(
    "chosen", [{"crf": True}, {"scheme": "bioes"}, {"crf": True, "scheme": "bioes"}]
)
def test_tags_under_another_scheme_or_with_a_crf(
    run: Run, tmp_path: Path, demo_data: Path, chosen: Mapping[str, Any]
) -> None:
    scores = run("demo_ner", str(demo_data), epochs=8, **chosen)
    assert scores.test["entity_f1"].mean > 0.9
    config = AutoConfig.from_pretrained(tmp_path / "result/model")
    assert ("transitions" in config.thaitok) == bool(chosen.get("crf"))
    (found,) = Predictor(str(tmp_path / "result"), device="cpu")(["คุณสมชายไปเชียงใหม่"])
    assert [(one.text, one.label) for one in found.found] == [
        ("สมชาย", "PERSON"), ("เชียงใหม่", "LOCATION"),
    ]  # fmt: skip


def test_lora_leaves_a_plain_model(run: Run, tmp_path: Path, demo_data: Path) -> None:
    scores = run("demo_ner", str(demo_data), lora=True, epochs=12, learning_rate=2e-2)
    assert scores.test["entity_f1"].mean > 0.8
    names = _weights(tmp_path / "result/model")
    assert not [name for name in names if "lora" in name or "base_layer" in name]


def test_a_probe_leaves_the_body_as_it_was(
    run: Run, tmp_path: Path, demo_data: Path, model_folder: Path
) -> None:
    run("demo_ner", str(demo_data), probe=True, epochs=1)
    before, after = _weights(model_folder), _weights(tmp_path / "result/model")
    shared = [name for name in after if name in before]
    assert len(shared) > 20
    assert all(before[name].equal(after[name]) for name in shared)


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_data_of_one_s_own_by_its_columns(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows: Sequence[tuple[str, str]] = [("อาหารอร่อย", "5"), ("รอนานมาก", "1")] * 20
    lines = ["review,stars", *(f"{text},{label}" for text, label in rows)]
    (folder / "train.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    scores = run("sequence", str(folder), text_column="review", label_column="stars", epochs=12)
    assert scores.labels == ("1", "5") and scores.test["accuracy"].mean == 1.0
    assert "seed 2020" in scores.split_rule


def test_random_weights_take_no_weights(
    run: Run, tmp_path: Path, demo_data: Path, model_folder: Path
) -> None:
    scores = run("demo_sentiment", str(demo_data), model=f"random:{model_folder}", epochs=1)
    assert scores.model.startswith("random:")
    manifest = json.loads((tmp_path / "result/manifest.json").read_text())
    assert not [one for one in manifest["inputs"] if "safetensors" in one["name"]]
