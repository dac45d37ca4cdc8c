from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import datasets
import pytest

from finetune.data.hub import at_place
from finetune.data.tasks import find_task
from thaitok.errors import UserError

Ask = Callable[[str], list[dict[str, Any]]]
POSTS = {"texts": [f"โพสต์ {n}" for n in range(20)], "category": [n % 4 for n in range(20)]}
SENTENCES = {
    "tokens": [["คุณ", "สม", "ชาย"]] * 10,
    "ner_tags": [[4, 0, 2]] * 10,  # O B-PERSON I-PERSON
}
NER = ["B-PERSON", "B-ไม่ยืนยัน", "I-PERSON", "I-ไม่ยืนยัน", "O"]


def parquet(rows: dict[str, list[Any]], **features: Any) -> bytes:
    table = datasets.Dataset.from_dict(rows)
    for column, feature in features.items():
        table = table.cast_column(column, feature)
    sink = io.BytesIO()
    table.to_parquet(sink)
    return sink.getvalue()


def classes(names: list[str]) -> Any:
    return datasets.ClassLabel(names=names)


def test_sets_of_the_hub_are_read_by_the_real_client(local_hub: Any, ask: Ask) -> None:
    datasets.disable_progress_bars()
    posts = parquet(POSTS, category=classes(["pos", "neu", "neg", "q"]))
    sentiment = local_hub.repo("pythainlp/wisesight_sentiment")
    pin = local_hub.commit(
        sentiment,
        {
            f"data/{split}-00000-of-00001.parquet": posts
            for split in ("train", "validation", "test")
        },
    )
    local_hub.commit(sentiment, {"data/train-00000-of-00001.parquet": b"changed later"})
    thainer = local_hub.repo("wannaphong/thainer")
    local_hub.commit(thainer, {"thainer.py": b"raise SystemExit"})
    converted = parquet(SENTENCES, ner_tags=datasets.List(classes(NER)))
    folders = {"thainer/train/0000.parquet": converted, "other/train/0000.parquet": posts}
    local_hub.commit(thainer, folders, "refs/convert/parquet", fresh=True)
    local_hub.commit(local_hub.repo("me/script"), {"script.py": b"raise SystemExit"})
    own = local_hub.repo("me/own")
    lines = [json.dumps({"post": f"ก {n}", "mood": "ab"[n % 2]}) for n in range(20)]
    local_hub.commit(
        own,
        {"th/dev.jsonl": "\n".join(lines).encode(), "th/train.jsonl": "\n".join(lines).encode()},
    )
    local_hub.commit(
        own,
        {"README.md": b"---\nconfigs:\n- config_name: th\n  data_files:\n"
                      b"  - {split: train, path: th/train.jsonl}\n"
                      b"  - {split: dev, path: th/dev.jsonl}\n---\n"},
    )  # fmt: skip
    read = iter(
        ask(
            f"""
pinned = replace(describe_task("wisesight_sentiment"), revision="{pin}")
read("", own=pinned)
read("thainer_v1.3")
read("ner", "hub:wannaphong/thainer@refs/convert/parquet:thainer")
read("sequence", "hub:me/own:th", text_column="post", label_column="mood")
read("sequence", "hub:me/own:th", text_column="post", label_column="feeling")
read("ner", "hub:me/script")
read("sequence", "hub:me/nowhere")
"""
        )
    )
    wisesight = next(read)
    assert wisesight["rows"] == [20, 20, 20]
    assert wisesight["labels"] == ["negative", "neutral", "positive", "question"]
    assert wisesight["source"] == f"pythainlp/wisesight_sentiment@{pin}"
    assert wisesight["first"][:3] == [
        "โพสต์ 0", ["positive"], "pythainlp/wisesight_sentiment test[0]",
    ]  # fmt: skip
    for found in (next(read), next(read)):
        assert found["rows"] == [8, 1, 1]
        assert found["labels"] == ["O", "B-PERSON", "I-PERSON"]
        assert found["first"][:2] == ["คุณสมชาย", ["O", "B-PERSON", "I-PERSON"]]
    mine = next(read)
    assert mine["rows"] == [18, 2, 20] and mine["labels"] == ["a", "b"]
    wrong = next(read)["error"]
    assert wrong.startswith("me/own train[0]: has no column 'feeling'; its columns are post, mood")
    script = next(read)["error"]
    assert "cannot load me/script from the Hub: Dataset scripts are no longer" in script
    assert script.endswith("give hub:me/script@refs/convert/parquet:CONFIG")
    assert "cannot load me/nowhere from the Hub" in next(read)["error"]


def test_a_place_names_a_repository_a_revision_and_a_config() -> None:
    task = find_task("thainer_v1.3")
    there = at_place(task, "hub:wannaphong/thainer@refs/convert/parquet:thainer")
    assert there == replace(task, hub_folder="thainer")
    other = at_place(task, "hub:me/other@v1:th")
    assert (other.hub, other.revision, other.hub_config) == ("me/other", "v1", "th")
    assert other.hub_folder is None and not other.columns
    for wrong in ("hub:", "hub:me", "hub:me/own#text", "hub:a/b:c:d"):
        with pytest.raises(UserError, match="is no data set of the Hub; give hub:REPO"):
            at_place(task, wrong)
