from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpora.segment import Unit, count_words, parts_of, segment_text

UNITS = get_args(Unit)
THAI = "วันนี้อากาศดีมากและท้องฟ้าแจ่มใส"
BITS = st.sampled_from(
    [
        *("แมวนั่งบนเสื่อ", "วันนี้", "ครับ", "ค่ะ", "ๆ", "ก", "\u0e31", "ๅ", "ทั้งนี้", "นอกจากนี้"),
        *(" ", " ", "\n", "\n\n", "\u00a0", "hello", "iPhone 15", "(", "😀"),
        *("!", "?", "...", "2.", "จบ.", "end. "),
    ]
)
TEXTS = st.lists(BITS, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("แมวนั่งบนเสื่อ", 4),
        ("แมว นั่ง บนเสื่อ", 4),
        ("ใช้iPhone 15 Pro", 4),
        ("see https://a.b/c?d=1", 2),
        ("( ) 😀 ...", 0),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words
    assert count_words(text, 3) == min(words, 3)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(UNITS), st.integers(0, 6), st.integers(1, 12))
@example("! ก ! ", "sentence", 1, 1)
@example("! ", "sentence", 1, 1)
def test_no_text_is_lost_but_white_space(
    text: str, unit: Unit, min_words: int, max_words: int
) -> None:
    parts = list(parts_of(text, unit, min_words, max_words))
    place = 0
    for part, enough in parts:
        found = text.find(part, place)
        assert found >= 0
        assert not text[place:found].strip()
        place = found + len(part)
        assert part == part.strip() != ""
        assert "\n" not in part
        assert enough == (count_words(part) >= min_words)
    assert not text[place:].strip()
    kept = [part for part, enough in parts if enough]
    assert segment_text(text, unit, min_words, max_words) == kept


@settings(deadline=None)
@given(TEXTS, st.sampled_from(UNITS), st.integers(1, 12))
def test_no_part_has_too_many_words(text: str, unit: Unit, max_words: int) -> None:
    for part, _ in parts_of(text, unit, 0, max_words):
        # A run cut between words may be cut into words otherwise when it stands alone.
        whole = max(map(len, re.split(r"\s", part)), default=0) == len(part)
        assert count_words(part) <= max_words or whole


def test_a_paragraph_is_a_line_and_short_ones_are_left_out() -> None:
    text = f"หัวข้อ\n\n{THAI} {THAI}\n{THAI}! {THAI}"
    assert segment_text(text, "paragraph") == [f"{THAI} {THAI}", f"{THAI}! {THAI}"]
    assert [part for part, enough in parts_of(text, "paragraph") if not enough] == ["หัวข้อ"]


@pytest.mark.parametrize(
    "text",
    [
        f"{THAI}! | {THAI}",
        f"{THAI}ครับ | {THAI}",
        f"{THAI} | ทั้งนี้ {THAI}",
        "this is a short test. | And here comes the next one",
        f"{THAI} พ.ศ. 2564 {THAI}",
        f"{THAI} J. K. 2. {THAI}",
        f"{THAI} {THAI}",
        # A short sentence is joined to the next, the last to the one before.
        f"ไป! {THAI}! | {THAI}! จบ",
        "ไป! จบ! มา! ดีมาก!",
        "ไป! จบ!",
    ],
)
def test_sentences(text: str) -> None:
    parts = [part for part, _ in parts_of(text.replace("| ", ""), "sentence")]
    assert parts == text.split(" | ")


def test_long_parts_are_cut_evenly_at_spaces() -> None:
    text = " ".join([THAI] * 120)
    words = count_words(text)
    parts = segment_text(text, "paragraph")
    assert " ".join(parts) == text
    assert len(parts) == -(-words // 300) > 1
    assert max(map(count_words, parts)) - min(map(count_words, parts)) <= count_words(THAI)


def test_long_phrases_are_cut_between_words() -> None:
    parts = segment_text("แมวนั่งบนเสื่อ" * 500, "paragraph", 5, 100)
    assert "".join(parts) == "แมวนั่งบนเสื่อ" * 500
    assert all(part.endswith(("แมว", "นั่ง", "บน", "เสื่อ")) for part in parts)
    assert len(parts) == 20


def test_hostile_documents_take_linear_time() -> None:
    import time

    def took(text: str, unit: Unit) -> float:
        start = time.process_time()
        for _ in parts_of(text, unit):
            pass
        return time.process_time() - start

    for piece in ("? ", "a ", "ก ", "ๆ", "\n", "ครับ ", "a. ", " ", "😀"):
        for unit in UNITS:
            took(piece * 100, unit)  # loads the dictionary
            small, large = took(piece * 2000, unit), took(piece * 8000, unit)
            assert large < 8 * small + 0.1, piece


def test_real_text_keeps_its_bounds(real_lines: Callable[[str, int], list[str]]) -> None:
    text = "\n".join(real_lines("thaigov_v2", 400))
    for unit in UNITS:
        parts = list(parts_of(text, unit))
        kept = [part for part, enough in parts if enough]
        assert all(5 <= count_words(part) <= 300 for part in kept)
        assert sum(map(len, kept)) > 0.9 * len(text)
