"""The synthetic corpus is the same for the same seed, and holds what planted.json says."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpora.synthetic import Planted, SyntheticConfig, write_synthetic
from corpora.synthetic.dirt import near_duplicate
from corpora.synthetic.grammar import Grammar, expand, text_of
from corpora.synthetic.patterns import ENTITIES, rules
from corpora.synthetic.raw import add_unwanted
from corpora.synthetic.words import build_grammar, own_lists
from thaitok.errors import UserError
from thaitok.rules import clean_text

SIZES = {"train": 400, "validation": 60, "test": 120}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    out = tmp_path_factory.mktemp("synthetic") / "demo"
    return out, write_synthetic(SyntheticConfig(out=out, megabytes=0.4, **SIZES))


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return build_grammar(1, rules(), ENTITIES)


def lines(out: Path) -> Iterator[tuple[str, bytes]]:
    """Every record of raw/ as bytes; a row of csv as its text."""
    for file in sorted((out / "raw").iterdir()):
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", newline="") as stream:
                yield from (("csv", row["text"].encode()) for row in csv.DictReader(stream))
            continue
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        yield from ((file.suffix, line) for line in raw.split(b"\n")[:-1])


def read(out: Path) -> tuple[list[str], Counter[str]]:
    """The documents of raw/, and the bad lines by kind."""
    texts, bad = [], Counter[str]()
    for kind, line in lines(out):
        if kind in ("csv", ".txt"):
            texts.append(line.decode())
            continue
        try:
            record = json.loads(line.decode())
        except UnicodeDecodeError:
            bad["invalid_utf8"] += 1
        except ValueError:
            bad["broken_json"] += 1
        else:
            if "text" in record:
                texts.append(record["text"])
            else:
                bad["missing_text"] += 1
    return texts, bad


def bench(out: Path, task: str, split: str) -> list[dict[str, Any]]:
    file = out / "bench" / task / f"{split}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_same_seed_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from corpora.synthetic import *;"
        "write_synthetic(SyntheticConfig(out=Path(sys.argv[1]), megabytes=0.05,"
        "train=20, validation=5, test=5))"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    assert snapshot(tmp_path / "1") == snapshot(tmp_path / "2")


def test_another_seed_gives_another_corpus(tmp_path: Path, made: tuple[Path, Planted]) -> None:
    other = write_synthetic(SyntheticConfig(out=tmp_path / "x", seed=2, megabytes=0.4, **SIZES))
    theirs = {file.sha256 for file in other.files}
    assert theirs.isdisjoint(file.sha256 for file in made[1].files)


def test_planted_tells_the_records_and_their_faults(made: tuple[Path, Planted]) -> None:
    out, planted = made
    texts, bad = read(out)
    assert Planted.model_validate_json((out / "planted.json").read_bytes()) == planted
    assert len(texts) == planted.documents == sum(planted.sources.values())
    assert len(list(lines(out))) == planted.records
    assert bad == planted.bad_lines
    assert 0.4e6 < sum(len(text.encode()) for text in texts) < 0.5e6


def test_planted_tells_what_cleaning_should_drop(made: tuple[Path, Planted]) -> None:
    out, planted = made
    clean = [clean_text(text) for text in read(out)[0]]
    assert len(clean) - len(set(clean)) == planted.exact_duplicates
    assert sum(text.isascii() for text in clean) == planted.english_only
    assert sum(len(text) <= 12 for text in clean) == planted.too_short
    assert planted.near_duplicates > 0


def test_planted_tells_the_dirt(made: tuple[Path, Planted]) -> None:
    out, planted = made
    texts = read(out)[0]
    signs = {
        "nbsp": ("\u00a0",),
        "zero_width": ("\u200b", "\u200c", "\ufeff"),
        "html_entity": ("&nbsp;", "&ldquo;", "&#8221;", "&ndash;"),
        "double_sara_e": ("เเ",),
        "split_sara_am": ("\u0e4d",),
    }
    for kind, marks in signs.items():
        found = [sum(text.count(mark) for mark in marks) for text in texts]
        assert sum(found) == planted.dirt[kind].characters, kind
        assert sum(map(bool, found)) == planted.dirt[kind].documents, kind


def test_dirt_on_letters_can_all_be_cleaned_off(
    made: tuple[Path, Planted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same corpus without its dirt is the cleaned one, letter for letter."""
    monkeypatch.setattr("corpora.synthetic.folder.plant_dirt", lambda texts, rng: (list(texts), {}))
    write_synthetic(SyntheticConfig(out=tmp_path / "x", megabytes=0.4, **SIZES))
    plain = read(tmp_path / "x")[0]
    assert sorted(clean_text(text) for text in read(made[0])[0]) == sorted(plain)
    assert plain != read(made[0])[0]


def test_a_near_duplicate_is_near() -> None:
    text = "ราคาข้าวในสัปดาห์นี้เฉลี่ยกิโลกรัมละ 46 บาท"
    near = near_duplicate(text, random.Random(1))
    assert near != text
    assert near.startswith("ราคาข้าวในสัปดาห์นี้เฉลี่ยกิโลกรัมละ ")


def test_no_document_made_too_short_stands_twice(grammar: Grammar) -> None:
    """Else it would be dropped as a duplicate, and the counts of both would be wrong."""
    few = replace(grammar, words={**grammar.words, "vocab": ("แมว", "ปลา", "นก")})
    texts = [f"เอกสาร {number}" for number in range(150)]
    assert add_unwanted(texts, few, random.Random(1), set(texts))["short"] == 3
    assert {"แมว", "ปลา", "นก"} <= set(texts)


@pytest.mark.parametrize("task", ["demo_sentiment", "demo_ner", "demo_pos"])
def test_no_sentence_stands_twice(made: tuple[Path, Planted], task: str) -> None:
    texts = []
    for split, size in SIZES.items():
        examples = bench(made[0], task, split)
        assert len(examples) == size
        texts += [example.get("text") or "".join(example["tokens"]) for example in examples]
    assert len(set(texts)) == len(texts)


def test_sentiment_cannot_be_told_from_its_words_alone(made: tuple[Path, Planted]) -> None:
    examples = [example for split in SIZES for example in bench(made[0], "demo_sentiment", split)]
    labels = Counter(example["label"] for example in examples)
    assert set(labels) == {"positive", "negative", "neutral", "question"}
    assert min(labels.values()) > 0.08 * len(examples)
    for mark in ("ไม่", "แต่"):
        by_label = Counter(example["label"] for example in examples if mark in example["text"])
        assert min(by_label["positive"], by_label["negative"]) > 0.2 * sum(by_label.values())


def test_sentiment_labels_have_the_stated_noise(
    made: tuple[Path, Planted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("corpora.synthetic.tasks._mislabel", lambda examples, rng: None)
    write_synthetic(SyntheticConfig(out=tmp_path / "x", megabytes=0.02, **SIZES))
    for split, size in SIZES.items():
        pairs = zip(
            bench(made[0], "demo_sentiment", split),
            bench(tmp_path / "x", "demo_sentiment", split),
            strict=True,
        )
        assert sum(noisy != clean for noisy, clean in pairs) == round(0.05 * size)


def test_ner_tags_are_strict_bio(made: tuple[Path, Planted]) -> None:
    for split in SIZES:
        for example in bench(made[0], "demo_ner", split):
            before = "O"
            for tag in example["tags"]:
                assert not tag.startswith("I-") or before[1:] == tag[1:], example
                before = tag
            spaces = [at for at, token in enumerate(example["tokens"]) if token == " "]
            assert not any(example["tags"][at].startswith("B-") for at in spaces)


def names(examples: list[dict[str, Any]]) -> set[str]:
    """The words of people's names, without titles and nicknames."""
    ordinary = {*own_lists()[0]["nickname"], "นาย", "นาง", "นางสาว", "คุณ", "น้อง", "พี่", " "}
    pairs = [pair for row in examples for pair in zip(row["tokens"], row["tags"], strict=True)]
    return {token for token, tag in pairs if tag[2:] in ("PERSON",)} - ordinary


def test_names_of_the_test_are_new(made: tuple[Path, Planted]) -> None:
    train, test = (names(bench(made[0], "demo_ner", split)) for split in ("train", "test"))
    assert len(test) > 20
    assert train.isdisjoint(test)


def test_names_look_like_ordinary_words(made: tuple[Path, Planted]) -> None:
    tags: dict[str, set[str]] = {}
    for example in bench(made[0], "demo_ner", "train"):
        for token, tag in zip(example["tokens"], example["tags"], strict=True):
            tags.setdefault(token, set()).add(tag[2:] or "O")
    assert {"O", "PERSON"} <= tags["ปลา"]
    assert {"O", "LOCATION"} <= tags["เลย"]
    assert {"O", "ORGANIZATION"} <= tags["บริษัท"]


def test_pos_has_words_of_two_parts_of_speech(made: tuple[Path, Planted]) -> None:
    tags: dict[str, set[str]] = {}
    for example in bench(made[0], "demo_pos", "train"):
        assert len(example["tokens"]) == len(example["tags"]) == len(example["space_after"])
        assert not example["space_after"][-1]
        assert "X" not in example["tags"]
        for token, tag in zip(example["tokens"], example["tags"], strict=True):
            assert token == token.strip()
            tags.setdefault(token, set()).add(tag)
    for word in ("ขัน", "ตัก", "คน", "พัด", "ผม", "สี", "ที่", "ว่า"):
        assert {"NOUN", "PRON", "ADP", "SCONJ", "VERB"} >= tags[word]
        assert len(tags[word]) > 1, word


def test_every_pattern_can_be_filled(grammar: Grammar) -> None:
    rng = random.Random(1)
    for patterns in grammar.rules.values():
        for pattern in patterns:
            text = text_of(expand(pattern, grammar, rng, "food"))
            assert text
            assert not set(text) & set("{}|@"), pattern
            assert text == clean_text(text), pattern


def test_every_word_is_clean(grammar: Grammar) -> None:
    for slot, words in grammar.words.items():
        assert all(word == clean_text(word) for word in words), slot


def test_there_are_many_patterns_and_words(grammar: Grammar) -> None:
    assert sum(map(len, grammar.rules.values())) >= 200
    assert sum(map(len, grammar.words.values())) >= 20_000


def test_a_finished_folder_is_not_made_again(made: tuple[Path, Planted]) -> None:
    out, planted = made
    before = (out / "planted.json").stat().st_mtime_ns
    assert write_synthetic(SyntheticConfig(out=out, megabytes=0.4, **SIZES)) == planted
    assert (out / "planted.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="in the way"):
        write_synthetic(SyntheticConfig(out=out, seed=7, megabytes=0.4, **SIZES))


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for out in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UserError, match="in the way"):
            write_synthetic(SyntheticConfig(out=out, megabytes=0.02))
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_nothing_half_made_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    config = SyntheticConfig(out=tmp_path / "x", megabytes=0.02, train=5, validation=5, test=5)
    with monkeypatch.context() as patch:
        patch.setattr("corpora.synthetic.folder._write_bench", full)
        with pytest.raises(OSError, match="No space"):
            write_synthetic(config)
    assert not (tmp_path / "x").exists()
    assert write_synthetic(config).documents > 0
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
