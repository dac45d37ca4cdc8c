from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thaitok.trainer.counting as counting
from thaitok.rules import normalize
from thaitok.trainer.counting import Counted, count_corpus
from thaitok.trainer.scripts import runs_of, script_of
from thaitok.words import segment

CorpusOf = Callable[[Path, Iterable[str]], Path]


def count(corpus: Path, folder: Path, **changes: object) -> Counted:
    folder.mkdir()
    settings = {
        "weights": {}, "lower": False, "split_digits": False, "seed": 0, "workers": 1, **changes
    }  # fmt: skip
    return count_corpus([corpus], folder, **settings)  # type: ignore[arg-type]


def phrases_of(counted: Counted) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for number, times in enumerate(counted.phrase_counts.tolist()):
        row = counted.tokens[counted.starts[number] : counted.starts[number + 1]]
        found[tuple(counted.words[word] for word in row.tolist())] += times
    return found


def test_words_and_phrases_are_counted_over_the_whole_corpus(
    corpus_of: CorpusOf, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["แมวกินปลา แมวกินปลา", "แมว\niPhone15"])
    found = count(corpus, tmp_path / "scratch", weights={"test": 2.0})
    assert dict(zip(found.words, found.counts.tolist(), strict=True)) == {
        "แมว": 6, "กิน": 4, "ปลา": 4, "iPhone": 2, "15": 2
    }  # fmt: skip
    assert phrases_of(found) == {("แมว", "กิน", "ปลา"): 4, ("แมว",): 2, ("iPhone", "15"): 2}


def test_many_partitions_slices_and_flushes_count_the_same(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = count(corpus, tmp_path / "one")
    monkeypatch.setattr(counting, "PARTITION_BYTES", 3000)
    monkeypatch.setattr(counting, "SLICE_BYTES", 500)
    monkeypatch.setattr(counting, "FLUSH_PHRASES", 10)
    monkeypatch.setattr(counting, "BATCH_CHARACTERS", 100)
    two = count(corpus, tmp_path / "two")
    assert len(list((tmp_path / "two").glob("*-words.txt"))) > 6
    assert dict(zip(one.words, one.counts, strict=True)) == dict(
        zip(two.words, two.counts, strict=True)
    )
    assert phrases_of(one) == phrases_of(two)


def test_a_long_document_is_read_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BATCH_CHARACTERS", 40)
    text = "แมว กิน\nปลา\n" * 50 + "ไม่มีบรรทัด ใหม่" * 20
    parts = list(counting._stretches(text))
    assert len(parts) > 10
    assert "".join(parts) == text
    assert " ".join(map(normalize, parts)).split() == normalize(text).split()
    whole = "ไม่มีช่องว่าง" * 50
    assert "".join(counting._stretches(whole)) == whole
    assert max(map(len, counting._stretches(whole))) <= 120


def test_phrases_that_all_come_once_are_sampled_too(
    corpus_of: CorpusOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_of(tmp_path / "corpus", [f"หมา{n}ตัว" for n in range(3000)])
    monkeypatch.setattr(counting, "MOST_TOKENS", 2000)
    assert 1500 < len(count(corpus, tmp_path / "scratch").tokens) < 2500


def test_phrases_beyond_memory_are_sampled_without_bias(
    corpus_of: CorpusOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["แมวกินปลา"] * 100 + [f"หมา{n}ตัว" for n in range(3000)]
    corpus = corpus_of(tmp_path / "corpus", texts)
    whole = count(corpus, tmp_path / "whole")
    monkeypatch.setattr(counting, "MOST_TOKENS", 3000)
    part = count(corpus, tmp_path / "part")
    again = count(corpus, tmp_path / "again")
    other = count(corpus, tmp_path / "other", seed=1)
    assert len(part.tokens) < 3300 < len(whole.tokens)
    assert phrases_of(part)[("แมว", "กิน", "ปลา")] == 100, "frequent ones are always there"
    assert part.phrase_counts.sum() == pytest.approx(whole.phrase_counts.sum(), rel=0.1)
    assert np.array_equal(part.counts, whole.counts), "words are counted from all"
    assert np.array_equal(part.tokens, again.tokens)
    assert not np.array_equal(part.tokens, other.tokens)


def test_the_rarest_words_go_where_there_are_too_many(
    corpus_of: CorpusOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["แมวกินปลา"] * 9 + ["แมวกิน"] * 2 + ["หมา"])
    monkeypatch.setattr(counting, "MOST_WORDS", 3)
    found = count(corpus, tmp_path / "scratch")
    assert set(found.words) == {"แมว", "กิน", "ปลา"}
    assert -1 in found.tokens


@given(st.text())
def test_runs_join_to_the_word_and_have_one_script_each(word: str) -> None:
    for split in (False, True):
        runs = runs_of(word, split_digits=split)
        assert "".join(runs) == word
        for run in runs:
            assert "<" not in run or run == "<"
            assert len({script_of(character) for character in run}) == 1


def test_counting_cuts_words_as_the_segmenter_does(corpus: Path, tmp_path: Path) -> None:
    phrase = "แมวนั่งอยู่บนเสื่อหน้าบ้าน"
    assert tuple(segment(phrase)) in phrases_of(count(corpus, tmp_path / "scratch"))
