from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from datatrove.pipeline.filters import gopher_repetition_filter as gopher
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.filters import FilterConfig, judge, reason_to_drop
from corpora.filters.judging import count
from corpora.filters.repetition import (
    _union,
    covered,
    exceeds,
    repeats_lines,
    repeats_words,
    suspects,
)
from thaitok.words import segment

FINEWEB = FilterConfig(ngram_slack=1)
WORDS = re.findall(
    r"\S+",
    "แมว บ้าน เด็ก ครู น้ำ ฝน รถ เรือ ปลา ข้าว ไก่ หมู สวน ทะเล ภูเขา ดอกไม้ หนังสือ โรงเรียน ตลาด วัด "
    "ถนน สะพาน กิน นอน เดิน วิ่ง เห็น ฟัง พูด เขียน อ่าน ซื้อ ขาย ร้อง เพลง สวย ดี ใหญ่ เล็ก เร็ว ช้า "
    "และ ที่ ของ ใน มี เป็น",
)


def prose(seed: int, words: int) -> str:
    """Text without repetition to speak of."""
    chance = random.Random(seed)
    return "".join(
        chance.choice(WORDS) + (" " if chance.random() < 0.2 else "") for _ in range(words)
    )


def verdict_of_datatrove(words: list[str], chars: int, slack: float) -> bool:
    for n, limit in enumerate(FINEWEB.max_top_ngrams, 2):
        grams = gopher.get_n_grams(words, n)
        if grams and gopher.find_top_duplicate(grams) / chars > limit * slack:
            return True
    said = enumerate(FINEWEB.max_duplicate_ngrams, 5)
    return any(gopher.find_all_duplicate(words, n) / chars > limit * slack for n, limit in said)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["แมว", "กิน", "ปลา", "ก", "ข", "1"]), min_size=1, max_size=60))
def test_words_are_judged_as_datatrove_judges_them(words: list[str]) -> None:
    for chars in (sum(map(len, words)), 3 * sum(map(len, words)), 9 * sum(map(len, words))):
        assert exceeds(words, chars, FINEWEB) == verdict_of_datatrove(words, chars, 1)


@pytest.mark.parametrize("slack", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("name", ["thaigov_v2", "msdocs_th", "thailaw_ocs"])
def test_the_screening_clears_nothing_that_the_exact_test_drops(
    real_lines: Callable[[str, int], list[str]], name: str, slack: float
) -> None:
    lines = [line for line in real_lines(name, 4000) if line]
    texts = ["\n".join(lines[start : start + 12]) for start in range(0, len(lines), 12)][:80]
    # by themselves they hardly repeat: one part of five, up to all, is said again
    texts += [text + text[: len(text) * part // 5] for text in texts for part in (2, 5)]
    filters = FilterConfig(ngram_slack=slack, repetition_min_chars=300)
    found = judge(texts, filters.model_copy(update={"min_thai_share": 0, "quality": False}))
    exact = [
        len(text) >= 300
        and (
            repeats_lines(text, filters)
            or exceeds([w for p in text.split() for w in segment(p)], len(text), filters)
        )
        for text in texts
    ]
    assert [judgement.reason == "repetition" for judgement in found] == exact
    assert any(exact)
    assert not all(exact)


def test_the_screening_clears_prose() -> None:
    filters = FilterConfig()
    looked = count([prose(seed, 600) for seed in range(20)], filters)
    assert not suspects(looked.repeats, looked.grams, filters).any()


@pytest.mark.parametrize("slack", [1.0, 4.0])
def test_text_said_over_and_over_falls(slack: float) -> None:
    filters = FilterConfig(ngram_slack=slack)
    assert reason_to_drop(prose(1, 30) * 12, filters) == "repetition"
    assert reason_to_drop(prose(1, 600), filters) is None
    assert reason_to_drop(prose(1, 30) * 12, FilterConfig(repetition=False)) is None


def test_slack_loosens_the_thresholds() -> None:
    text = prose(2, 300) + prose(3, 60) * 2
    assert reason_to_drop(text, FilterConfig(ngram_slack=1)) == "repetition"
    assert reason_to_drop(text, FilterConfig(ngram_slack=4)) is None


def test_short_texts_may_repeat() -> None:
    short = "ซื้อเลยวันนี้ " * 20
    assert reason_to_drop(short, FilterConfig()) is None
    assert reason_to_drop(short, FilterConfig(repetition_min_chars=100)) == "repetition"


def test_lines_are_judged_by_number_and_by_length() -> None:
    different = [prose(seed, 20) for seed in range(10)]
    same = [prose(99, 20)] * 10
    cells = ["<td>"] * 10  # many lines, few characters
    assert repeats_lines("\n".join(different + same), FilterConfig())
    assert not repeats_lines("\n".join(different), FilterConfig())
    assert not repeats_lines("\n\n".join(different + cells), FilterConfig())
    assert not repeats_lines("\n".join(same[:9]), FilterConfig())  # too few lines to tell
    text = "\n".join(different + same)
    assert reason_to_drop(text, FilterConfig(ngram_slack=9)) == "repetition"
    assert reason_to_drop(text, FilterConfig(ngram_slack=9, max_duplicate_lines=1)) is None


def test_a_document_longer_than_a_block_is_judged_too() -> None:
    text = prose(5, 350_000)
    assert len(text) > 1 << 20
    twice = prose(6, 1000) * 400
    judged = judge([text, twice], FilterConfig())
    assert [judgement.reason for judgement in judged] == [None, "repetition"]


@given(st.lists(st.integers(0, 60), unique=True), st.integers(1, 9))
def test_overlapping_stretches_count_once(starts: list[int], length: int) -> None:
    places = {start + step for start in starts for step in range(length)}
    assert _union(np.array(starts, dtype=np.int64), length) == len(places)


def test_cover_is_the_share_of_text_said_before() -> None:
    once = prose(7, 300)
    assert covered(once) < 0.05
    assert covered(once + once) == pytest.approx(0.5, abs=0.05)
    assert not repeats_words(once, FilterConfig())
