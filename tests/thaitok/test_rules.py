from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.rules import (
    SPACE_TOKEN,
    clean_text,
    mark_spaces,
    normalize,
    tokenizers_normalizer,
    unmark_spaces,
)

RealLines = Callable[[str, int], list[str]]

NASTY = (
    "กขเแ่้ิีัำาํุ์ \n\r\t\u00a0\u200b\u200d\u3000\ufeff\u0301eK\u00c5\u212a\u212b&;#160nbspamlt"
    "<_>😀👨❤\ufe0f\u2329\x00\x0b\u2028"
)
TEXTS = st.text(alphabet=NASTY, max_size=40) | st.text(
    st.characters(exclude_categories=["Cs", "Cn"]), max_size=40
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("น\u0e49\u0e4d\u0e32", "น้ำ"),  # tone, nikhahit, sara aa
        ("น\u0e4d\u0e49\u0e32", "น้ำ"),  # nikhahit, tone, sara aa
        ("น้ำ", "น้ำ"),
        ("เเมว", "แมว"),
        ("ไทย\u200bแลนด์\ufeff", "ไทยแลนด์"),
        ("ก\u00a0\u3000 \tข", "ก ข"),
        ("A&nbsp;&amp;&#3585;&amp;lt;", "A &ก<"),
        ("https://a.th/?a=1&copy=2&lt=3", "https://a.th/?a=1&copy=2&lt=3"),
        ("โทร 080-000-0000 ราคา 10000 (-5 องศา)", "โทร 080-000-0000 ราคา 10000 (-5 องศา)"),
        ("👨\u200d👩\u200d👧 กับ ก\u200dข", "👨\u200d👩\u200d👧 กับ กข"),
        (" ก \r\n\r\n\r\n\r\n ข ", "ก\n\nข"),
        ("ก\x00ข\x07", "กข"),
        ("", ""),
    ],
)
def test_a_document_is_cleaned_and_nothing_else_is_touched(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_rules_are_idempotent(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)
    assert normalize(normalize(text)) == normalize(text)


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_the_python_and_the_rust_normalizer_are_one(text: str) -> None:
    assert tokenizers_normalizer().normalize_str(text) == mark_spaces(normalize(text))


@given(TEXTS)
def test_marking_spaces_is_undone_exactly(text: str) -> None:
    assert unmark_spaces(mark_spaces(normalize(text))) == normalize(text)


def test_text_marked_by_hand_reads_as_spaces() -> None:
    assert normalize(f"ก{SPACE_TOKEN}ข") == "ก ข"


def test_both_normalizers_agree_on_real_text(real_lines: RealLines) -> None:
    rust = tokenizers_normalizer()
    lines = real_lines("social_open", 5000)
    assert [rust.normalize_str(line) for line in lines] == [
        mark_spaces(normalize(line)) for line in lines
    ]
