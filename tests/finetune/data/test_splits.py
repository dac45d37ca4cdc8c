from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from finetune.data.splits import leakage, load_task
from finetune.data.tasks import find_task, own_task
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
        ({"tokens": 5, "tags": ["O"]}, "tokens is not a list of strings"),
        ({"tokens": ["ก"], "tags": [3]}, "tags are numbers without their names"),
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


def test_a_tag_unseen_in_training_is_counted_for_a_benchmark(write_task: Write) -> None:
    rows = [*TAGGED, {"tokens": ["ก", "ข"], "tags": ["B-LAW", "I-LAW"]}]
    folder = write_task("demo_ner", train=TAGGED, validation=rows)
    bench = load_task(find_task("demo_ner"), folder)
    assert bench.test[-1].gold == ("B-LAW", "I-LAW")  # scored as it is
    assert bench.repairs == {"tags that train lacks, kept and scored": 2}
    assert bench.labels == ("O", "B-PERSON", "I-PERSON")


def test_a_tag_unseen_in_training_is_named_in_ones_own_data(write_task: Write) -> None:
    rows = [*TAGGED, {"tokens": ["ก"], "tags": ["B-LAW"]}]
    folder = write_task("ner", train=TAGGED, validation=rows)
    with pytest.raises(UserError, match=r"validation.jsonl:21: tag 'B-LAW' does not occur"):
        load_task(own_task("ner"), folder)


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
    assert leakage(bench.test, bench.train) == {"same": 4, "near": 0}


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
    with pytest.raises(UserError, match=rf"{split}.jsonl: the {split} split is empty"):
        load_task(find_task("demo_sentiment"), folder)


def test_splits_are_those_of_the_predecessors(write_task: Write) -> None:
    """As thai2transformers cut ThaiNER: .8, and the rest in halves, seed 2020 for both."""
    import datasets

    rows = [{"tokens": [f"ก{n}"], "tags": ["O"]} for n in range(6348)]
    ours = load_task(find_task("thainer_v1.3"), write_task("thainer_v1.3", train=rows))
    whole = datasets.Dataset.from_dict({"text": [row["tokens"][0] for row in rows]})
    first = whole.train_test_split(train_size=0.8, test_size=0.2, seed=2020)
    second = first["test"].train_test_split(train_size=0.5, test_size=0.5, seed=2020)
    theirs = (first["train"], second["train"], second["test"])
    assert [len(part) for part in theirs] == [5078, 635, 635]
    for mine, part in zip((ours.train, ours.validation, ours.test), theirs, strict=True):
        assert [row.text for row in mine] == part["text"]


def test_reviews_are_held_out_as_the_predecessors_did(write_task: Write) -> None:
    import datasets

    rows = [{"review_body": f"ร้าน {n}", "star_rating": n % 5} for n in range(400)]
    folder = write_task("wongnai_reviews", train=rows, test=rows[:5])
    ours = load_task(find_task("wongnai_reviews"), folder)
    whole = datasets.Dataset.from_dict({"text": [row["review_body"] for row in rows]})
    theirs = whole.train_test_split(train_size=360, seed=2020)
    assert [row.text for row in ours.train] == theirs["train"]["text"]
    assert [row.text for row in ours.validation] == theirs["test"]["text"]


def test_a_row_of_the_table_may_have_its_own_rule(write_task: Write) -> None:
    rows = [{"text": f"good {n}", "label": n % 5} for n in range(20)]
    folder = write_task("yelp_review_full", train=rows, test=rows[:10])
    task = replace(
        find_task("yelp_review_full"),
        validation=8,
        first={"train": 6, "validation": 4, "test": 9},
    )
    bench = load_task(task, folder)
    assert (len(bench.train), len(bench.validation), len(bench.test)) == (6, 4, 9)
    assert bench.split_rule.endswith("validation is 8 rows of train (seed 2020); "
                                     "of each the first 6, 4, 9 rows")  # fmt: skip
    same = load_task(replace(task, validation=None, first={}), folder)
    assert (len(same.train), len(same.validation)) == (10, 10)


def test_questions_are_held_out_with_their_context(write_task: Write) -> None:
    rows = [{"context": f"เมือง {n // 4}", "question": f"{n}", "answers": "เมือง"} for n in range(80)]
    bench = load_task(find_task("xquad_th"), write_task("xquad_th", validation=rows))
    parts = (bench.train, bench.validation, bench.test)
    contexts = [{row.text for row in part} for part in parts]
    assert [len(part) for part in parts] == [64, 8, 8]
    assert sum(map(len, contexts)) == len(set.union(*contexts)) == 20


def test_a_lone_split_must_be_called_train_in_ones_own_data(write_task: Write) -> None:
    with pytest.raises(UserError, match=r"holds no sequence; it needs sequence/train.jsonl"):
        load_task(own_task("sequence"), write_task("sequence", test=GOOD))


def test_empty_texts_leave_train_and_stay_in_test(write_task: Write) -> None:
    empty = [{"text": text, "label": "a"} for text in ("", " \n", "\u200b", None)]
    folder = write_task(
        "demo_sentiment", train=[*GOOD, *empty], validation=[*GOOD, *empty], test=[*empty, *GOOD]
    )
    bench = load_task(find_task("demo_sentiment"), folder)
    assert (len(bench.train), len(bench.validation), len(bench.test)) == (20, 24, 24)
    assert bench.repairs == {"empty texts, dropped from train": 4}
    assert bench.test[3].text == ""
    write_task("demo_sentiment", train=empty, validation=empty, test=empty)
    with pytest.raises(UserError, match="all training texts of demo_sentiment are empty"):
        load_task(find_task("demo_sentiment"), folder)


def test_misaligned_questions_are_dropped_up_to_a_twentieth(write_task: Write) -> None:
    def question(start: int) -> dict[str, Any]:
        answers = {"text": ["สวย"], "answer_start": [start]}
        return {"context": "สวยและสวยมาก", "question": "?", "answers": answers}

    rows = [{**question(0), "context": f"สวย{n}"} for n in range(38)]
    folder = write_task("qa", train=[*rows, question(4)], validation=rows[:2], test=rows[:2])
    bench = load_task(own_task("qa"), folder)
    assert len(bench.train) == 38 and bench.labels == ()
    assert bench.repairs == {
        "misaligned answers, dropped": 1,
        "questions with misaligned answers alone, dropped": 1,
    }
    write_task("qa", train=[*rows, *[question(4)] * 3])
    with pytest.raises(UserError, match="3 of 45 questions have misaligned answers alone"):
        load_task(own_task("qa"), folder)


def test_labels_and_words_are_read_as_the_row_says(write_task: Write) -> None:
    tokens = ["ก", "<full_stop>"]
    folder = write_task("orchidpp_pos", train=[{"tokens": tokens, "tags": ["PRPE", "PUNC"]}] * 20)
    example = load_task(find_task("orchidpp_pos"), folder).train[0]
    assert (example.text, example.words) == ("ก.", ("ก", "."))
    assert example.gold == ("RPRE", "PUNC")
    write_task("thainer_v1.3", train=[{"tokens": ["ก"], "tags": ["B-ไม่ยืนยัน"]}] * 20)
    assert load_task(find_task("thainer_v1.3"), folder).labels == ("O",)


def test_the_hub_out_of_reach_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load(*_: Any, **__: Any) -> Any:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(UserError, match=r"cannot load pythainlp/wisesight_sentiment from the Hub"):
        load_task(find_task("wisesight_sentiment"), None)
