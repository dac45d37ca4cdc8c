"""Plain transformers, in a process where nothing of ours can be imported, loads all we write."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from finetune import FinetuneConfig, finetune
from pretrain import PretrainConfig, ShardConfig, pretrain, shard_corpus

pytestmark = pytest.mark.slow  # 20 s: a pretraining, five fine-tunings, all of transformers

Row = Mapping[str, Any]
TEXT = "วันนี้ คุณสมชาย ไปเชียงใหม่ น้ำท่วม 555"
CONTEXT = f"{TEXT} " * 3
PLACES = ("เชียงใหม่", "กรุงเทพ", "ภูเก็ต")


def text(dice: random.Random) -> Row:
    return {"text": f"ร้าน {dice.choice(PLACES)}", "label": dice.choice(["ดี", "แย่", "เฉย"])}


def labels(dice: random.Random) -> Row:
    return {"text": dice.choice(PLACES), "labels": [one for one in "กขค" if dice.random() < 0.5]}


def entities(dice: random.Random) -> Row:
    tags = ["O", "B-PER", "I-PER", "O", "B-LOC"]
    return {"tokens": ["คุณ", "สม", "ชาย", "ไป", dice.choice(PLACES)], "tags": tags}


def parts(dice: random.Random) -> Row:
    return {"tokens": ["เขา", "ไป", dice.choice(PLACES)], "tags": ["PRON", "VERB", "NOUN"]}


def question(dice: random.Random) -> Row:
    place = dice.choice(PLACES)
    answer = {"text": [place], "answer_start": [len("คุณสมชายไป")]}
    return {"context": f"คุณสมชายไป{place}เมื่อวาน", "question": "ไปไหน", "answers": answer}


TASKS: Mapping[str, Callable[[random.Random], Row]] = {
    "sequence": text, "multilabel": labels, "ner": entities, "pos": parts, "qa": question,
}  # fmt: skip

PLAIN = """
import json, sys
for name in ("thaitok", "corpora", "pretrain", "finetune"):
    sys.modules[name] = None
import torch
from transformers import (
    AutoModel, AutoModelForMaskedLM, AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, pipeline,
)
torch.set_num_threads(1)
folders, text, context = json.load(sys.stdin)

def load(auto, kind):
    model, told = auto.from_pretrained(folders[kind], output_loading_info=True)
    wrong = [*told["missing_keys"], *told["unexpected_keys"], *told["mismatched_keys"]]
    return model, [str(one) for one in wrong]

def logits(kind, auto):
    tokenizer, (model, wrong) = AutoTokenizer.from_pretrained(folders[kind]), load(auto, kind)
    with torch.inference_mode():
        shape = model(**tokenizer([text, "ก"], padding=True, return_tensors="pt")).logits.shape
    return {"wrong": wrong, "shape": list(shape), "labels": sorted(model.config.label2id)}

def of_pipeline(task, kind, given=text, **named):
    return pipeline(task, folders[kind], device="cpu", **named)(given)

tokenizer = AutoTokenizer.from_pretrained(folders["mlm"])
encoder = AutoModel.from_pretrained(folders["mlm"])
batch = tokenizer([text, "ก"], padding=True, truncation=True, return_tensors="pt")
asked = AutoTokenizer.from_pretrained(folders["qa"])
answers, wrong = load(AutoModelForQuestionAnswering, "qa")
pair = asked("ไปไหน", context, truncation="only_second", max_length=24, stride=4,
    return_overflowing_tokens=True, return_offsets_mapping=True, padding=True, return_tensors="pt")
windows = {name: pair[name] for name in ("input_ids", "attention_mask")}
with torch.inference_mode():
    hidden = encoder(**batch).last_hidden_state
    spans = answers(**windows)
print(json.dumps({
    "ids": tokenizer(text)["input_ids"],
    "mlm": {**logits("mlm", AutoModelForMaskedLM), "labels": []},
    "hidden": list(hidden.shape), "finite": bool(hidden.isfinite().all()),
    "fill": of_pipeline("fill-mask", "mlm", f"วันนี้{tokenizer.mask_token}ดี"),
    "features": [len(of_pipeline("feature-extraction", "mlm")[0])],
    "sequence": logits("sequence", AutoModelForSequenceClassification),
    "one": of_pipeline("text-classification", "sequence", [text], top_k=None)[0],
    "multilabel": logits("multilabel", AutoModelForSequenceClassification),
    "several": of_pipeline("text-classification", "multilabel", [text], top_k=None)[0],
    "ner": logits("ner", AutoModelForTokenClassification),
    "spans": of_pipeline("token-classification", "ner", aggregation_strategy="simple"),
    "pos": logits("pos", AutoModelForTokenClassification),
    "tags": of_pipeline("token-classification", "pos"),
    "qa": {"wrong": wrong, "windows": len(windows["input_ids"]),
        "start": list(spans.start_logits.shape), "end": list(spans.end_logits.shape)},
}, default=float))
"""


@pytest.fixture(scope="module")
def model_folders(folder_of: Callable[[str], Path], plain_corpus: Path) -> dict[str, str]:
    """A pretrained model, and one fine-tuned from it for each kind of task."""
    root = plain_corpus.parent / "models"
    shards = root / "shards"
    shard_corpus(ShardConfig(corpus=(plain_corpus,), tokenizer=folder_of("mixed"), out=shards))
    sizes = {"layers": 1, "hidden": 16, "heads": 2, "intermediate": 32}
    config = {
        "shards": shards, "out": root / "run", "steps": 2, "sequence_length": 64,
        "batch_tokens": 128, "micro_tokens": 128, "eval_share": 0.1, "eval_tokens": 128,
        "eval_every": 2, "save_every": 2, "precision": "fp32", "model": sizes,
    }  # fmt: skip
    pretrain(PretrainConfig.model_validate(config))
    folders = {"mlm": str(root / "run" / "model")}
    for task, make in TASKS.items():
        data = root / f"{task}-data"
        data.mkdir()
        for split, count in (("train", 24), ("validation", 8), ("test", 8)):
            dice = random.Random(split)
            rows = [json.dumps(make(dice), ensure_ascii=False) + "\n" for _ in range(count)]
            (data / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
        settings = {
            "model": folders["mlm"], "task": task, "data_dir": str(data), "out": root / task,
            "epochs": 1, "batch_size": 8, "device": "cpu", "baselines": False,
        }  # fmt: skip
        finetune(FinetuneConfig.model_validate(settings))
        folders[task] = str(root / task / "model")
    return folders


@pytest.fixture(scope="module")
def plain(model_folders: dict[str, str]) -> dict[str, Any]:
    """What one process of plain transformers makes of them."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], input=json.dumps([model_folders, TEXT, CONTEXT]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for complaint in ("remote", "are not used", "tokenizer class"):
        assert complaint not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", ["mlm", *TASKS])
def test_promise_9_auto_classes_find_each_weight(plain: dict[str, Any], kind: str) -> None:
    assert plain[kind]["wrong"] == []


def test_promise_9_the_auto_classes_of_heads_give_an_output_a_label(plain: dict[str, Any]) -> None:
    pieces = len(plain["ids"])
    assert plain["sequence"]["shape"] == [2, 3] and plain["multilabel"]["shape"] == [2, 3]
    assert plain["ner"]["shape"] == [2, pieces, 5] and plain["pos"]["shape"] == [2, pieces, 3]
    assert plain["mlm"]["shape"][:2] == [2, pieces]
    assert plain["hidden"] == [2, pieces, 16] and plain["finite"]
    assert plain["features"] == [pieces]


def test_promise_9_pipelines_speak_of_our_labels(plain: dict[str, Any]) -> None:
    assert sorted(one["label"] for one in plain["one"]) == ["ดี", "เฉย", "แย่"]
    assert sum(one["score"] for one in plain["one"]) == pytest.approx(1, abs=1e-4)
    assert sorted(one["label"] for one in plain["several"]) == ["ก", "ข", "ค"]
    assert all(0.05 < one["score"] < 0.95 for one in plain["several"]), "sigmoid, not softmax"
    assert sum(one["score"] for one in plain["several"]) != pytest.approx(1, abs=1e-3)
    assert plain["ner"]["labels"] == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    assert {one["entity"] for one in plain["tags"]} <= {"PRON", "VERB", "NOUN"}
    assert {one["entity_group"] for one in plain["spans"]} <= {"PER", "LOC"}


def test_promise_9_what_pipelines_say_of_places_lies_in_the_text(plain: dict[str, Any]) -> None:
    assert plain["tags"]
    for one in (*plain["spans"], *plain["tags"]):
        assert 0 <= one["start"] < one["end"] <= len(TEXT)


def test_promise_9_a_mask_is_filled_with_pieces(plain: dict[str, Any]) -> None:
    assert len(plain["fill"]) == 5
    assert all(one["sequence"].startswith("วันนี้") for one in plain["fill"])
    assert all("mask" not in one["sequence"] for one in plain["fill"])


def test_promise_9_questions_have_a_start_and_an_end_in_each_window(plain: dict[str, Any]) -> None:
    windows = plain["qa"]["windows"]
    assert windows > 1
    assert plain["qa"]["start"] == plain["qa"]["end"] == [windows, 24]
