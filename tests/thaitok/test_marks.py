from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.letters import NOT_COMPOSED
from thaitok.marks import FONT_CODES, compose, order_marks, replace_font_codes


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ท่ี", "ที่"),
        ("ที่ี่", "ที่"),
        ("ที่ี", "ที่"),
        ("สู้้้้", "สู้"),
        ("พันธ์ุ", "พันธุ์"),
        ("น\u0e33\u0e49", "น้ำ"),
        ("ตั้งค่า่", "ตั้งค่า"),
        ("สรา้ง", "สร้าง"),
    ],
)
def test_marks_are_ordered(typed: str, written: str) -> None:
    assert order_marks(typed) == written


@pytest.mark.parametrize("text", ["ที่ น้ำ สิทธิ์ ก็ พันธุ์ เก้าอี้ ว่า้", "ยตุิ พื้ัน", "ะ้", "ว\u0e48\u0e49า"])
def test_what_cannot_be_known_stays(text: str) -> None:
    assert order_marks(text) == text


@settings(max_examples=500)
@given(
    st.text(
        alphabet="กา\u0e31\u0e33\u0e34\u0e35\u0e38\u0e39\u0e3a\u0e47\u0e48\u0e49\u0e4b\u0e4c\u0e4d\u0e4e"
    )
)
def test_no_mark_is_made_up_and_no_letter_lost(text: str) -> None:
    ordered = order_marks(text)
    assert set(ordered) == set(text)
    assert ordered.count("ก") == text.count("ก") and ordered.count("า") == text.count("า")


def test_glyph_codes_are_letters() -> None:
    assert replace_font_codes("ได\uf70b ป\uf702 \uf70f\uf700") == "ได้ ปี ญฐ"
    assert replace_font_codes("\x91ก\x92 \x96 \x85") == "‘ก’ – …"
    assert not re.search(FONT_CODES, replace_font_codes("".join(map(chr, range(0x10000)))))
    changed = [chr(c) for c in range(0x110000) if replace_font_codes(chr(c)) != chr(c)]
    # Nothing but control characters and private codes.
    assert {unicodedata.category(character) for character in changed} == {"Cc", "Co"}


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet="กa\u0e38\u0e48\u0e3a\u0301\u0316\u0344\u0f73\u0f71\u1d165\u05b0\U0001d165",
        max_size=80,
    )
)
def test_piles_compose_as_unicode_says(text: str) -> None:
    assert compose(text * 80) == unicodedata.normalize("NFC", text * 80)


@pytest.mark.parametrize(
    "marks", ["\u0316\u0301", "\u0e48\u0e38", "\u0301\u0f73", "\u0e3a\u0e4b\u0e39"]
)
def test_a_pile_of_marks_takes_linear_time(marks: str) -> None:
    start = time.process_time()
    compose("a" + marks * 100_000)
    assert time.process_time() - start < 5


def test_nothing_that_unicode_composes_is_overlooked() -> None:
    woken = re.compile(NOT_COMPOSED)
    thai = range(0xE00, 0xE80)
    for code in range(0x10000):
        character = chr(code)
        if code in thai or woken.match(character):
            continue
        assert unicodedata.is_normalized("NFC", character), hex(code)
        assert not unicodedata.combining(character), hex(code)
        parts = unicodedata.decomposition(character).split()
        if parts and not parts[0].startswith("<"):
            assert woken.match(chr(int(parts[-1], 16))), hex(code)
    # What composes behind another character: the second half of every canonical pair.
    for code in range(0x10000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            assert woken.match(chr(int(parts[1], 16))), hex(code)
