from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.passes import Passes
from thaitok.rules import (
    CORPUS,
    SPACE_TOKEN,
    TOKENIZER,
    Rule,
    clean_text,
    clean_texts,
    explain,
    mark_spaces,
    normalize,
    normalize_many,
    tokenizers_normalizer,
    unmark_spaces,
)

RealLines = Callable[[str, int], list[str]]

NASTY = (
    "กขเแ่้ิีัำาํุ์ \n\r\t\u00a0\u200b\u200d\u3000\ufeff\u0301eK\u00c5\u212a\u212b&;#160nbspamlt"
    '<_>😀👨❤\ufe0f\u2329\x00\x0b\u2028ฺู็๊ํโนถร5./br="-\x93\uf70b\uf705à¸ÊÒè'
)
PIECES = st.sampled_from(
    [
        *("&amp;", "&lt;", "&#49;", "&nbsp;", "<br>", "<b>", "</b>", "<p class='a'>", "<td>"),
        *("<!--", "-->", "<script>", "</script>", "<T>", "<_>", "\r\n", " ", "❤️❤️❤️❤️", "😀😀😀😀"),
        *("มากกกก", "กกก", "ถนนนนท์", "!!!!", "----", "555555", " 55555555", "บาท", "พ.ศ. ...."),
        *("https://a.th/aaaa", "@ลลลล", "#มมมม", "1000000", "0.5555", "soooo", "yyyy"),
        *("à¸ªà¸§à¸±", "ÊÇÑÊ´Õ", "เธชเธงเธฑ", "Ã\xa0Â¸ÂªÃ\xa0Â¸Â§", "เเ", "แแ"),
        *("่ี", "้ั", "ี่ี่", "์ุ", "ำ้", "ํ้า", "้้"),
    ]
)
TEXTS = (
    st.text(alphabet=NASTY, max_size=40)
    | st.text(alphabet="กเแำาัิีืุู่้๊์ํฺ็\u0301\u0316\u05b0 ", max_size=20)
    | st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40)
    | st.lists(PIECES | st.text(alphabet=NASTY, max_size=4), max_size=12).map("".join)
)


def one_by_one(table: tuple[Rule, ...], text: str) -> str:
    """Apply a table without any of what makes it fast: no triggers, no batches, no numpy."""
    for _ in range(8):
        start = text
        for rule in table:
            text = text if rule.last else rule.compiled()(text)
        if text == start:
            break
    for rule in table:
        text = rule.compiled()(text) if rule.last else text
    return text


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
        ("เช่ือมั่น ยุติธรรม พันธ์ุ คร้ังที่ี่", "เชื่อมั่น ยุติธรรม พันธุ์ ครั้งที่"),
        ("ยตุิธรรม", "ยตุิธรรม"),  # nobody knows where the slip belongs
        ("นำ้มัน ตั้งค่า่ สรา้ง สำำนัก แและ", "น้ำมัน ตั้งค่า สร้าง สำนัก และ"),
        ("ได\uf70bส\uf70aงป\uf702ที่ \x93ก\x94", "ได้ส่งปีที่ “ก”"),
        ("ดี<br/>มาก<b>ๆ</b> <td>ก</td><td>ข</td>", "ดี\nมากๆ ก ข"),
        ("มากกกกกก!!!!!! 55555555555", "มากกก!!! 55555"),
        ("List<T> a < b <mask> <_> x<y>z", "List<T> a < b <mask> <_> x<y>z"),
        ("à¸ªà¸§à¸±à¸ªà¸”à¸µ", "สวัสดี"),
        ("&lt;p&gt;ก&amp;nbsp;ข&lt;/p&gt;", "ก ข"),
    ],
)
def test_a_document_is_cleaned_and_nothing_else_is_touched(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_rules_are_idempotent(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)
    assert normalize(normalize(text)) == normalize(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_batches_give_what_the_rules_give_one_by_one(texts: list[str]) -> None:
    slow = [one_by_one(CORPUS, text).strip(" \n") for text in texts]
    assert clean_texts(texts) == slow
    assert [clean_text(text) for text in texts] == slow
    # Long texts take another path than short ones.
    assert [Passes(TOKENIZER, rounds=1).many((text,))[0] for text in texts] == [
        normalize(text) for text in texts
    ]


@pytest.mark.parametrize("name", ["thaigov_v2", "social_open", "msdocs_th", "thailaw_ocs"])
def test_batches_of_real_text_give_what_the_rules_give(name: str, real_lines: RealLines) -> None:
    lines = real_lines(name, 3000)
    documents = ["\n".join(lines[first : first + 30]) for first in range(0, len(lines), 30)]
    for texts in (lines[:1000], documents):
        clean = clean_texts(texts)
        assert clean == [one_by_one(CORPUS, text).strip(" \n") for text in texts]
        assert clean_texts(clean) == clean
        assert [normalize(text) for text in texts] == [
            Passes(TOKENIZER, rounds=1).many((text,))[0] for text in texts
        ]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_is_clean_is_normal_but_for_its_layout(text: str) -> None:
    clean = clean_text(text)
    one_line = " ".join(filter(None, re.split("[ \n]", clean)))
    assert normalize(clean).strip(" ") == one_line


@pytest.mark.parametrize("name", dict.fromkeys(rule.name for rule in CORPUS))
@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_a_rule_is_idempotent_keeps_digits_and_has_its_triggers(name: str, text: str) -> None:
    rules = tuple(rule for rule in CORPUS if rule.name == name)
    alone = Passes(rules)
    cleaned = alone.one(text)
    assert alone.one(cleaned) == cleaned
    assert alone.many([text]) == [cleaned]  # where a trigger is missing, nothing would change
    if name not in ("entities", "markup", "mojibake", "laughter"):
        # What is invisible may have stood inside a number.
        assert re.findall("[0-9]", cleaned) == re.findall("[0-9]", text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(TEXTS, max_size=5),
    st.sampled_from([1, 7, 100]),
)
def test_the_size_of_a_block_changes_nothing(texts: list[str], size: int) -> None:
    from thaitok import passes, triggers

    kept = triggers._SLICE, passes.BLOCK_CHARS
    try:
        triggers._SLICE = passes.BLOCK_CHARS = size
        cleaned = clean_texts(texts)
    finally:
        triggers._SLICE, passes.BLOCK_CHARS = kept
    assert cleaned == clean_texts(texts)


ADDRESSES = (
    st.from_regex(
        r"(https?://|ftp://|www\.)[a-z]{1,9}\.(com|co\.th)(/[a-z0-9ก-ฮ._~%+=-]{0,9}){0,4}"
        r"(\?[a-z]=[0-9!-]{0,9})?",
        fullmatch=True,
    )
    | st.from_regex(r"(@|#)[a-zก-ฮ0-9_]{1,12}|[a-z0-9._]{1,9}@[a-z]{1,9}\.com", fullmatch=True)
    | st.sampled_from(["http://aaaa.com/xxxx----", "#มากกกก!!!!", "bit.ly/aaaa"])
)


@settings(max_examples=500, deadline=None)
@given(st.lists(ADDRESSES, max_size=4))
def test_addresses_handles_and_hashtags_stay(addresses: list[str]) -> None:
    text = " และ ".join(addresses)
    assert clean_text(text) == text


NUMBERS = st.from_regex(
    r"(เบอร์ |โทร\. ?|ราคา|รหัส |บัญชี |฿|\$|0|1,|2\.|-)5{1,20}"
    r"|5{1,20}(\.[0-9]{1,3}| ?บาท|%|,000| ?ล้าน|-1234)",
    fullmatch=True,
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        NUMBERS | st.from_regex("([0-9]{1,9}[,.]){0,3}[0-9]{0,9}[0-46-9]", fullmatch=True),
        max_size=4,
    )
)
def test_numbers_stay(numbers: list[str]) -> None:
    text = " ครับ ".join(numbers)
    assert clean_text(text) == text


def test_what_each_rule_changed_is_explained() -> None:
    changes = explain("<p>น้ํา\u200b" + "ก" * 9 + "&nbsp;เเข็ง</p>")
    assert [change.rule for change in changes] == [
        "entities", "markup", "zero_width", "sara_am", "sara_ae", "spaces", "stretches",
    ]  # fmt: skip
    assert all(change.before != change.after for change in changes)
    assert all(max(len(change.before), len(change.after)) < 200 for change in changes)
    assert explain(clean_text("น้ํา")) == []


@pytest.mark.parametrize(
    "text",
    [
        "ก" + "ุ่" * 200_000,
        "a" + "\u0316\u0301" * 200_000,
        "<" * 500_000,
        "<script>" * 200_000,
        "<!--" * 120_000,
        "<a " * 150_000,
        "&amp;" + "amp;" * 100_000,
        "a" * 500_000,
        "0" * 500_000,
        "aaaab" * 100_000,
        "https://" * 60_000,
        "ÊÇÑ" * 150_000,
        "à¸ª" * 150_000,
        "❤\ufe0f" * 200_000,
        "\u200d" * 500_000,
    ],
    ids=lambda text: repr(text[:4]),
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    start = time.process_time()
    clean_text(text)
    normalize(text)
    assert time.process_time() - start < 15


def test_the_rules_load_no_heavy_library() -> None:
    code = "import sys, thaitok.rules; print(*{'numpy', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()


cached_normalizer = cache(tokenizers_normalizer)


def rust(text: str, lower: bool = False) -> str:
    """Normalise as `tokenizer.json` does, which takes each `<` out first."""
    one = cached_normalizer(lower)
    return "<".join(one.normalize_str(part) for part in text.split("<"))


@settings(max_examples=1000, deadline=None)
@given(TEXTS | st.text("<>\u0338\u0327\u0323aΣΑİIK\u212a \u200b", max_size=12))
@pytest.mark.parametrize("lower", [False, True])
def test_the_python_and_the_rust_normalizer_are_one(lower: bool, text: str) -> None:
    assert rust(text, lower) == mark_spaces(normalize(text, lower))
    assert normalize_many([text], lower) == [normalize(text, lower)]


@settings(max_examples=500, deadline=None)
@given(st.text("aAΣΑİIK\u212a\u212b\u0307\u0338<Åภาษาǅß ", max_size=12))
def test_lower_case_is_by_character_and_idempotent(text: str) -> None:
    normal = normalize(text, lower=True)
    assert normalize(normal, lower=True) == normal
    assert normal == "".join(map(str.lower, normal)) == normalize(normal)


def test_a_final_sigma_and_a_dotted_i_do_not_differ() -> None:
    assert normalize("ΣΟΦΟΣ", lower=True) == "σοφοσ"
    assert normalize("İ", lower=True) == "i\u0307"
    assert normalize("ไทย ABC") == "ไทย ABC"


@given(TEXTS)
def test_marking_spaces_is_undone_exactly(text: str) -> None:
    plain = normalize(text).replace(SPACE_TOKEN, "")
    assert unmark_spaces(mark_spaces(plain)) == plain


def test_a_space_token_written_out_is_text() -> None:
    assert normalize(f"ก{SPACE_TOKEN}ข") == f"ก{SPACE_TOKEN}ข"


def test_both_normalizers_agree_on_real_text(real_lines: RealLines) -> None:
    for name in ("social_open", "msdocs_th"):
        lines = real_lines(name, 5000)
        normal = normalize_many(lines)
        assert [rust(line) for line in lines] == list(map(mark_spaces, normal))
        assert normal == list(map(normalize, lines))
