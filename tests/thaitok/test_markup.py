from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaitok.markup import BLOCKS, CELLS, INLINE, drop_markup, replace_entities


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("ก<br>ข<BR/>ค<br />ง", "ก\nข\nค\nง"),
        ('<p class="a">ก</p>', "\nก\n"),
        ("<td>1</td><td>2</td>", " 1  2 "),
        ("น้ำ<b>แข็ง</b><img src=a.png alt='ก'>", "น้ำแข็ง"),
        ('<a name="next-steps"></a>ขั้นต่อไป', "ขั้นต่อไป"),
        ("ก<!-- ข\nค -->ง<!---->", "กง"),
        ("ก<script type='a'>if (a < b) { alert('<b>') }</script>ข", "กข"),
        ("<STYLE>p { color: red }</Style>ก", "ก"),
        ("<!DOCTYPE html><?xml version='1.0'?>ก<![endif]-->", "ก"),
        ("ก<o:p></o:p>ข", "กข"),
        ("word<b>bold</b>", "wordbold"),
        ("<iframe src=x allowfullscreen></iframe><input disabled>", ""),
    ],
)
def test_markup_goes(raw: str, plain: str) -> None:
    assert drop_markup(raw) == plain


@pytest.mark.parametrize(
    "text",
    [
        "a < b และ b > c",
        "x<y>z, a<b and c>d, if (i<n) i++",
        "List<T> Map<K, V> Vec<a> Foo<P> getValue<boolean>(x)",
        "<mask> <_> <s> </s> <pad> <unk>",
        "SELECT * FROM <table> ใส่ <title> <data> <address>",
        "<https://security.microsoft.com/> <someone@example.com>",
        "<Shiseido>, <Cle de peau>, <ESTEE LAUDER> <ad>",
        "\\<value\\> <appId> <tenantId>",
        "<!-- ไม่ปิด <b",
        "<script> กับ </scrip> ไม่ปิด",
        "<a href='x\" onclick=>",
        "1 <2> 3 <- 4 -> 5 <3 >.<",
    ],
)
def test_what_only_looks_like_markup_stays(text: str) -> None:
    assert drop_markup(text) == text


def test_prose_between_mentions_of_script_stays() -> None:
    text = "แท็ก <script> ใช้ใส่โปรแกรมลงในหน้าเว็บ แล้วปิดด้วย </script> เสมอ"
    assert "ใช้ใส่โปรแกรมลงในหน้าเว็บ" in drop_markup(text)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("&lt;&gt;&amp;&quot;&#39;&nbsp;", "<>&\"'\u00a0"),
        ("&#3585;&#x0E01;", "กก"),
        ("&copy &ltx AT&T R&D; ?a=1&copy=2", "&copy &ltx AT&T R&D; ?a=1&copy=2"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_entities_become_characters(raw: str, plain: str) -> None:
    assert replace_entities(raw) == plain


def test_an_element_has_one_kind() -> None:
    assert not BLOCKS & INLINE and not CELLS & (BLOCKS | INLINE)
    assert not {"s", "t", "mask", "value", "name"} & (BLOCKS | CELLS | INLINE)


@given(st.text(alphabet="<>/!-= abrp'\"กscript&;lt#1", max_size=60))
def test_any_text_is_taken_and_no_letter_outside_of_tags_is_lost(text: str) -> None:
    assert drop_markup(text).count("ก") <= text.count("ก")
    assert drop_markup(text.replace("<", "")) == text.replace("<", "")
    replace_entities(text)
