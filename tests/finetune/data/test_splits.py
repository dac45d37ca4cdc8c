from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from finetune.data.splits import leaked, load_task
from finetune.data.tasks import find_task
from thaitok.errors import UserError

Write = Callable[..., Path]
GOOD = [{"text": f"ข้อความ {n}", "label": "ab"[n % 2]} for n in range(20)]
TAGGED = [{"tokens": ["ก", "ข"], "tags": ["B-PERSON", "O"], "id": n} for n in range(20)]


def line_with(line: str) -> str:
    return json.dumps(GOOD[0], ensure_ascii=False) + "\n" + line + "\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{not json", "is no JSON"),
        ("[1]", "is no JSON object"),
        ("[" * 100_000, "is no JSON"),
        ('{"text": "ก"}', "has no column 'label'; its columns are text"),
        ('{"text": 5, "label": "a"}', "text is not a string"),
        ('{"text": "ก", "label": null}', "label None is not a name"),
    ],
)
def test_a_bad_line_is_named(write_task: Write, line: str, said: str) -> None:
    folder = write_task("demo_sentiment", train=GOOD)
    file = folder / "demo_sentiment" / "train.jsonl"
    file.write_text(line_with(line), encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_task(find_task("demo_sentiment"), folder)
    assert str(error.value).startswith(f"{file}:2: {said}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"tokens": ["ก", "ข"], "tags": ["O"]}, "2 tokens but 1 tags"),
        ({"tokens": [], "tags": []}, "tokens is empty"),
        ({"tokens": "กข", "tags": ["O"]}, "tokens is not a list of strings"),
        ({"tokens": ["ก"], "tags": ["PERSON"]}, "tag 'PERSON' is not BIO"),
        ({"tokens": ["ก"], "tags": ["O"], "text": "ข"}, "tokens do not rebuild text"),
        ({"tokens": ["ก"], "tags": ["O"], "space_after": [True, False]}, "1 tokens but 2 space"),
    ],
)
def test_a_bad_row_of_words_is_named(write_task: Write, row: dict[str, Any], said: str) -> None:
    folder = write_task("demo_ner", train=[*TAGGED, row])
    with pytest.raises(UserError, match=f"train.jsonl:21: {said}"):
        load_task(find_task("demo_ner"), folder)


def test_invalid_utf8_is_named(write_task: Write) -> None:
    folder = write_task("demo_sentiment", train=GOOD)
    with (folder / "demo_sentiment" / "train.jsonl").open("ab") as stream:
        stream.write(b'{"text": "\xff", "label": "a"}\n')
    with pytest.raises(UserError, match=r"train.jsonl:21: is not UTF-8 text"):
        load_task(find_task("demo_sentiment"), folder)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_label_unseen_in_training_is_named(write_task: Write, split: str) -> None:
    folder = write_task("demo_sentiment", train=GOOD, validation=GOOD, test=GOOD)
    write_task("demo_sentiment", **{split: [*GOOD, {"text": "ก", "label": "sarcasm"}]})
    with pytest.raises(UserError, match=rf"{split}.jsonl:21: label 'sarcasm' does not occur in"):
        load_task(find_task("demo_sentiment"), folder)


def test_a_tag_unseen_in_training_is_named(write_task: Write) -> None:
    rows = [*TAGGED, {"tokens": ["ก"], "tags": ["B-LAW"]}]
    folder = write_task("demo_ner", train=TAGGED, validation=rows)
    with pytest.raises(UserError, match=r"validation.jsonl:21: tag 'B-LAW' does not occur"):
        load_task(find_task("demo_ner"), folder)


def test_an_entity_type_seen_in_one_word_may_have_two(write_task: Write) -> None:
    rows = [{"tokens": ["ก", "ข"], "tags": ["B-PERSON", "I-PERSON"]}]
    folder = write_task("demo_ner", train=TAGGED, validation=rows)
    bench = load_task(find_task("demo_ner"), folder)
    assert bench.labels == ("O", "B-PERSON", "I-PERSON")


def test_given_splits_are_kept(write_task: Write) -> None:
    folder = write_task("demo_sentiment", train=GOOD, validation=GOOD[:5], test=GOOD[:4])
    bench = load_task(find_task("demo_sentiment"), folder)
    assert (len(bench.train), len(bench.validation), len(bench.test)) == (20, 5, 4)
    assert bench.split_rule == "official train, validation and test"
    assert leaked(bench.test, bench.train) == 4


def test_without_test_the_validation_split_is_scored_and_never_chosen_on(write_task: Write) -> None:
    folder = write_task("demo_sentiment", train=GOOD, validation=[{"text": "ง", "label": "a"}])
    bench = load_task(find_task("demo_sentiment"), folder, split_seed=7)
    assert [example.text for example in bench.test] == ["ง"]
    assert (len(bench.train), len(bench.validation)) == (18, 2)
    assert not {row.text for row in bench.train} & {row.text for row in bench.validation}
    assert bench.split_rule == (
        "test is the official validation split, validation is 10% of train (seed 7)"
    )
    assert load_task(find_task("demo_sentiment"), folder, split_seed=7) == bench
    assert load_task(find_task("demo_sentiment"), folder, split_seed=8) != bench


def test_a_lone_training_split_gives_all_three(write_task: Write) -> None:
    bench = load_task(find_task("demo_sentiment"), write_task("demo_sentiment", train=GOOD))
    rows = [row.text for part in (bench.train, bench.validation, bench.test) for row in part]
    assert sorted(rows) == sorted(row["text"] for row in GOOD)
    assert (len(bench.validation), len(bench.test)) == (2, 2)


def test_fewer_training_rows_keep_every_label_and_say_so(write_task: Write) -> None:
    folder = write_task("demo_sentiment", train=GOOD, validation=GOOD[:2], test=GOOD[:2])
    bench = load_task(find_task("demo_sentiment"), folder, max_train_rows=2)
    assert len(bench.train) == 2
    assert bench.labels == ("a", "b")
    assert bench.split_rule.endswith("2 of 20 training rows")


def test_a_folder_may_be_the_task_itself_and_zstd(tmp_path: Path) -> None:
    text = "".join(json.dumps(row) + "\n" for row in GOOD)
    (tmp_path / "train.jsonl.zst").write_bytes(zstandard.compress(text.encode()))
    bench = load_task(find_task("demo_sentiment"), tmp_path)
    assert len(bench.train) + len(bench.validation) + len(bench.test) == 20


def test_a_broken_zstd_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl.zst").write_bytes(b"not zstd")
    with pytest.raises(UserError, match=r"train.jsonl.zst: is no whole zstd file"):
        load_task(find_task("demo_sentiment"), tmp_path)


def test_missing_data_is_one_clear_line(tmp_path: Path, write_task: Write) -> None:
    with pytest.raises(UserError, match="no such data folder"):
        load_task(find_task("demo_ner"), tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no demo_ner; it needs demo_ner/train.jsonl"):
        load_task(find_task("demo_ner"), write_task("demo_pos", train=TAGGED))
    with pytest.raises(UserError, match="demo_ner is not on the Hub; give --data-dir"):
        load_task(find_task("demo_ner"), None)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_an_empty_split_is_refused(write_task: Write, split: str) -> None:
    folder = write_task("demo_sentiment", train=GOOD, validation=GOOD, test=GOOD)
    write_task("demo_sentiment", **{split: []})
    with pytest.raises(UserError, match=rf"{split}.jsonl: .*(empty|no training rows)"):
        load_task(find_task("demo_sentiment"), folder)


def test_labels_and_words_are_read_as_the_row_says(write_task: Write) -> None:
    tokens = ["ก", "<full_stop>"]
    folder = write_task("orchidpp_pos", train=[{"tokens": tokens, "tags": ["PRPE", "PUNC"]}] * 20)
    example = load_task(find_task("orchidpp_pos"), folder).train[0]
    assert (example.text, example.words) == ("ก.", ("ก", "."))
    assert example.gold == ("RPRE", "PUNC")
    write_task("thainer_v1.3", train=[{"tokens": ["ก"], "tags": ["B-ไม่ยืนยัน"]}] * 20)
    assert load_task(find_task("thainer_v1.3"), folder).labels == ("O",)


def test_hub_rows_get_our_columns_and_label_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    names = ["pos", "neu", "neg", "q"]
    features = datasets.Features(
        {"texts": datasets.Value("string"), "category": datasets.ClassLabel(names=names)}
    )

    def load(repo: str, *, revision: str, data_dir: str | None) -> Any:
        assert (repo, data_dir) == ("pythainlp/wisesight_sentiment", None)
        assert len(revision) == 40
        rows = datasets.Dataset.from_dict(
            {"texts": ["ดี", "แย่"] * 10, "category": [0, 2] * 10}, features=features
        )
        return {"train": rows, "validation": rows, "test": rows}

    monkeypatch.setattr(datasets, "load_dataset", load)
    bench = load_task(find_task("wisesight_sentiment"), None)
    assert bench.labels == ("negative", "positive")
    assert bench.source.startswith("pythainlp/wisesight_sentiment@85a79ed")
    assert bench.test[1].where == "pythainlp/wisesight_sentiment test[1]"


def test_the_hub_out_of_reach_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load(*_: Any, **__: Any) -> Any:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(UserError, match=r"cannot load pythainlp/wisesight_sentiment from the Hub"):
        load_task(find_task("wisesight_sentiment"), None)
