from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from corpora import FilterConfig
from corpora.filters import reason_to_drop, thai_share

THAI = range(0x0E00, 0x0E80)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("แมวนั่งบนเสื่อ", None),
        ("ใช้ iPhone ถ่ายรูปแมว", None),  # loanwords are no fault
        ("รักเลย😘 #Mitsubishi #Attrage", None),
        ("มีขายแล้ว Johnnie Walker is now available globally, at stores", "too_little_thai"),
        ("the cat sat on the mat แมว", "too_little_thai"),
        ("ສະບາຍດີ ຊາວລາວ", "too_little_thai"),
        ("ข่าว 12345 67890 12345 67890 😀😀😀", None),  # digits and emoji say nothing
        ("12:30 น.", None),
        ("12:30 555", "too_little_thai"),
        ("๑๒๓๔๕", "too_little_thai"),
        ("", "empty"),
        ("ดี", "too_short"),
        ("สวยมาก", None),
        ("ก" * 101, "too_long"),
    ],
)
def test_reason_to_drop(text: str, reason: str | None) -> None:
    assert reason_to_drop(text, FilterConfig(max_chars=100)) == reason


def test_filters_can_be_turned_off() -> None:
    filters = FilterConfig(min_chars=0, min_thai_share=0)
    assert reason_to_drop("555", filters) is None
    assert reason_to_drop("", filters) == "empty"


@example("aกี่")
@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("กาี่้ๆ฿๕a1 "))))
def test_thai_share_counts_as_the_slow_definition(text: str) -> None:
    def letter(ch: str) -> bool:
        mark = unicodedata.category(ch) == "Mn"
        return ch.isalpha() or (ord(ch) in THAI and mark)

    letters = [ch for ch in text if letter(ch)]
    thai = sum(ord(ch) in THAI for ch in letters)
    assert thai_share(text) == (thai / len(letters) if letters else 0)


def test_thresholds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_chars 9 is above max_chars 3"):
        FilterConfig(min_chars=9, max_chars=3)
