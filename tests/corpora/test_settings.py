"""Each setting of `thaitok clean`, from the input to the folder."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora import CleanConfig, clean_corpus, read_documents
from thaitok.rules import SPACE_TOKEN

Files = Callable[..., Path]
Make = Callable[..., CleanConfig]

WORDS = ["แมว", "ปลา", "บ้าน", "ตลาด", "โรงเรียน", "ฝน", "ทะเล", "ภูเขา", "ข้าว", "น้ำ", "รถไฟ"]
WORDS += ["หนังสือ", "ครู", "เพื่อน", "ดอกไม้", "ถนน"]


def story(seed: int, words: int = 60) -> str:
    """Return words in an order of the seed's own."""
    state, told = seed * 7919 + 1, []
    for _ in range(words):
        state = (state * 1103515245 + 12345) % 2**31
        told.append(WORDS[(state >> 16) % len(WORDS)] + str(state % 97))
    return " ".join(told)


def texts(folder: Path) -> list[str]:
    return [document.text for document in read_documents(folder)]


def report(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return read


def test_near_duplicates_are_dropped_and_shown_beside_the_first(jsonl: Files, config: Make) -> None:
    again = story(1) + " จบข่าว"
    jsonl("a.jsonl", [{"text": story(1)}, {"text": story(2)}, {"text": again}])
    assert clean_corpus(config()).counts["dropped"] == {"near_duplicate": 1}
    assert texts(config().out) == [story(1), story(2)]
    (pair,) = report(config().out)["examples"]["duplicates"]["near_duplicate"]
    assert (pair["place"], pair["of"]) == ("a.jsonl:3", "a.jsonl:1")
    assert report(config().out)["clusters"] == {"near_duplicate": {"2": 1}}


def test_the_threshold_of_near_duplicates(tmp_path: Path, jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [{"text": story(1)}, {"text": story(1) + " " + story(2, 12)}])
    strict = config(dedup={"jaccard": 0.95}, out=tmp_path / "strict")
    loose = config(dedup={"jaccard": 0.7}, out=tmp_path / "loose")
    off = config(dedup={"near": False}, out=tmp_path / "off")
    assert [clean_corpus(one).counts["kept"] for one in (strict, loose, off)] == [2, 1, 2]


def test_boilerplate_is_cut_and_what_is_left_is_judged_again(jsonl: Files, config: Make) -> None:
    footer = "ติดต่อกองบรรณาธิการได้ที่หมายเลข 02-123-4567 ทุกวัน"
    records = [{"text": f"{story(n)}\n{footer}", "source": "news"} for n in range(5)]
    jsonl("a.jsonl", [*records, {"text": f"{footer}\nสั้น", "source": "news"}, {"text": footer}])
    made = config(boilerplate={"min_documents": 5}, filters={"min_chars": 10})
    manifest = clean_corpus(made)
    assert texts(made.out) == [*map(story, range(5)), footer]  # of another source, it stays
    assert manifest.counts["dropped"] == {"too_short": 1}
    assert manifest.counts["documents_cut"] == {"repeated_lines": 6}


def test_lines_are_deduplicated_over_all_sources(jsonl: Files, config: Make) -> None:
    line = "บรรทัดนี้มีอยู่ในหลายเอกสารของหลายแหล่ง"
    records = [{"text": f"{story(n)}\n{line}", "source": f"s{n}"} for n in range(3)]
    jsonl("a.jsonl", records)
    clean_corpus(config(dedup={"lines": True}))
    assert texts(config().out) == [f"{story(0)}\n{line}", story(1), story(2)]


@pytest.mark.parametrize("action", ["drop", "cut"])
def test_benchmark_items_are_found(tmp_path: Path, jsonl: Files, config: Make, action: str) -> None:
    item = story(9, 20)
    bench = tmp_path / "bench" / "quiz"
    bench.mkdir(parents=True)
    (bench / "test.jsonl").write_text(
        json.dumps({"text": item, "label": "x"}) + '\n{"text": "สั้น"}\n', encoding="utf-8"
    )
    jsonl("a.jsonl", [{"text": f"{story(1)}\n{item}"}, {"text": story(2)}])
    made = config(decontaminate={"benchmarks": [str(tmp_path / "bench")], "action": action})
    manifest = clean_corpus(made)
    kept = [story(2)] if action == "drop" else [story(1), story(2)]
    assert texts(made.out) == kept
    assert manifest.counts["dropped"] == ({"benchmark": 1} if action == "drop" else {})
    found = report(made.out)["benchmarks"]["quiz/test"]
    assert (found["items"], found["too_short"], found["documents"]) == (2, 1, 1)
    assert "benchmark quiz/test" in [one.name for one in manifest.inputs]


def test_sources_are_mixed_by_weight_and_cap(jsonl: Files, config: Make) -> None:
    records = [{"text": story(n), "source": f"s{n % 2}"} for n in range(400)]
    jsonl("a.jsonl", [*records, {"text": story(401), "source": "s2"}])
    made = config(source_weights={"s0": 0.25}, source_caps={"s1": 10 * len(story(1))})
    clean_corpus(made)
    sources = report(made.out)["sources"]
    assert 30 < sources["s0"]["kept"] < 70
    assert sources["s0"]["kept"] + sources["s0"]["dropped"]["thinned"] == 200
    assert 9 <= sources["s1"]["kept"] <= 12
    assert sources["s1"]["dropped"].keys() == {"source_full"}
    assert sources["s2"]["kept"] == 1


def test_documents_are_divided_into_segments(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [{"text": f"{story(1)}\n{story(2)}\nสั้น", "id": "x"}, {"text": "แมว"}])
    manifest = clean_corpus(config(segment={"unit": "paragraph"}, filters={"min_thai_share": 0}))
    assert [(one.id, one.text) for one in read_documents(config().out)] == [
        ("x#1", story(1)), ("x#2", story(2))
    ]  # fmt: skip
    counts = manifest.counts
    assert (counts["documents"], counts["pieces_added"], counts["kept"]) == (2, 1, 2)
    assert counts["dropped"] == {"too_few_words": 1}


def test_personal_data_is_masked_on_request(tmp_path: Path, jsonl: Files, config: Make) -> None:
    text = f"{story(1)} โทร 081-234-5678 หรือ cat@example.com"
    jsonl("a.jsonl", [{"text": text}])
    clean_corpus(config())
    assert texts(config().out) == [text]
    masked = config(mask_pii=["phone", "email"], out=tmp_path / "masked")
    assert clean_corpus(masked).counts["masks"] == {"email": 1, "phone": 1}
    assert texts(masked.out) == [f"{story(1)} โทร [phone] หรือ [email]"]


def test_the_rules_of_wangchanberta_leave_natural_text(
    tmp_path: Path, jsonl: Files, config: Make
) -> None:
    jsonl("a.jsonl", [{"text": "แมว  กินปลา 10000 ตัว\nมากๆๆๆๆๆ (Bangkok)"}])
    old = config(rules="wangchanberta", out=tmp_path / "old")
    clean_corpus(old)
    (text,) = texts(old.out)
    assert text == "แมว กินปลา 10 ตัว มากๆ (bangkok)"
    assert SPACE_TOKEN not in text
    none = config(rules="none", out=tmp_path / "none")
    clean_corpus(none)
    assert texts(none.out) == ["แมว  กินปลา 10000 ตัว\nมากๆๆๆๆๆ (Bangkok)"]


def test_encodings_broken_beyond_repair_are_quarantined(jsonl: Files, config: Make) -> None:
    whole = "ประชาชนชาวไทยทุกคนมีสิทธิและเสรีภาพเท่าเทียมกัน " * 3
    repaired = whole.encode("cp874").decode("latin-1")
    lost = "".join(ch if n % 3 else "\ufffd" for n, ch in enumerate(repaired))
    jsonl("a.jsonl", [{"text": repaired}, {"text": lost}])
    counts = clean_corpus(config(filters={"min_thai_share": 0})).counts
    assert texts(config().out) == [whole.strip()]
    gone = counts["quarantined"] | counts["dropped"]
    assert gone in ({"mojibake": 1}, {"low_quality": 1})


def test_a_data_set_of_the_hub_becomes_a_corpus(
    tmp_path: Path, hub: Any, hub_env: dict[str, str]
) -> None:
    repo = hub.repo("org/stories")
    rows = [{"text": story(n), "id": f"n{n}"} for n in range(30)]
    lines = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    sha = hub.commit(repo, {"data/train.jsonl": lines})
    out = tmp_path / "corpus"
    command = [sys.executable, "-m", "thaitok", "clean", "hub:org/stories", "--out", str(out)]
    done = subprocess.run(command, env=hub_env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert texts(out) == [row["text"] for row in rows]
    assert {one.source for one in read_documents(out)} == {"stories"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (facts,) = manifest["inputs"]
    assert re.match(f"hub:org/stories@{str(sha)[:12]}", facts["name"])
    again = subprocess.run(command, env=hub_env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
