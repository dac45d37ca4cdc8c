from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pythainlp.tokenize import word_tokenize

from thaitok import doubled, newmm, wangchanberta
from thaitok.doubled import LAST
from thaitok.emoji import SINGLE_EMOJI, TONED_EMOJI, character_class
from thaitok.newmm import CUT, dictionary
from thaitok.rules import SPACE_TOKEN, mark_spaces
from thaitok.wangchanberta import process_transformers

RealLines = Callable[[str, int], list[str]]

CONTENT = "[a-zA-Z0-9ก-๙]"
ARTIFACT = "[^a-zA-Z0-9ก-๙]+"
ONE_EMOJI = re.compile(character_class(SINGLE_EMOJI))
TONED = re.compile(character_class(TONED_EMOJI) + "[\U0001f3fb-\U0001f3ff]")


def plain(text: str) -> str:
    """The rules one after the other, on one text, as slowly as they are written down."""
    text = text.lower()
    for code, char in (("#39;", "'"), ("amp;", "&"), ("#146;", "'"), ("nbsp;", " "), ("#36;", "$")):
        text = text.replace(code, char)
    text = text.replace("\\n", "\n").replace("quot;", "'").replace("<br />", "\n")
    text = text.replace('\\"', '"')
    for mark in ".-,":
        text = text.replace(f" @{mark}@ ", mark)
    text = re.sub("  +", " ", html.unescape(text.replace("\\", " \\ ")))
    pairs = [(re.escape(pair[0]), re.escape(pair[1])) for pair in ("()", "{}", "[]")]
    for middle in ("", ARTIFACT):
        for left, right in pairs:
            text = re.sub(left + middle + right, "", text)
    for left, _ in pairs:
        text = re.sub(f"(?<={left}){ARTIFACT}(?={CONTENT})", "", text)
    for _, right in pairs:
        text = re.sub(f"(?<={CONTENT}){ARTIFACT}(?={right})", "", text)
    text = mark_spaces(re.sub(" +", " ", text.strip().replace("\n", " ")))
    return "".join(once(words(re.sub(r"(\S)\1{3,}", r"\1", text))))


def words(text: str) -> list[str]:
    found: list[str] = []
    for word in word_tokenize(text, engine="newmm"):
        alone = all(ONE_EMOJI.match(char) for char in word) and not TONED.search(word)
        found += list(word) if alone else [word]
    return found


def once(words: list[str]) -> list[str]:
    kept = [word for last, word in pairwise(["", *words]) if word != last]
    return kept[:-1] if kept and kept[-1] == LAST else kept


DOUBLED = ("พีพี", "นานา", "การการ", "ที่ที่", "ฆฆ", "น.น.", "มท.1มท.1", "สอสอ", "ล้านล้าน", "ดีดีดี")
EMOJI = (
    "😀😀",
    "👍🏽👍🏽",
    "👨\u200d👩\u200d👧",
    "❤\ufe0f❤\ufe0f",
    "❤❤",
    "🇹🇭🇹🇭",
    "™™",
    "★★",
    "🏻🏻",
)
HTML = (
    "&amp;",
    "&amp",
    "&#39;",
    "amp;nbsp;",
    "&#3585;",
    "&copy",
    "<br />",
    "\\n",
    '\\"',
    "\\",
    "&x",
)
ENDS = ("</s>", "ก</s>", "a</s>", SPACE_TOKEN, "<", ">>>>", "\ufdd0", "\ufdd1", " @.@ ", " @-@ ")
CLOCKS = ("๑:2!", "๑:2 ", "๑๐:๓๐", "10:30", "๑.2:3", "5555", "๐😀😀", "๑", "2")
SIGNS = tuple("()[]{}!?.,:-/…ฯๆ\"'“” \t\r\n\x0b\x1f\x85\u00a0\u2028\u200b\ufe0f\u3000\x00Σßé日aZ9")
LETTERS = (*"กขคนมยรอเแโาิีุ่้๊์ํ", "น\u0e4d\u0e32", "เมีย", "เลียย", "เสีย", "ที่", "ความ", "hello ")
TEXTS = st.lists(
    st.tuples(
        st.sampled_from((*DOUBLED, *EMOJI, *HTML, *ENDS, *CLOCKS, *SIGNS, *LETTERS))
        | st.sampled_from(sorted(dictionary())),
        st.sampled_from([1, 1, 1, 1, 2, 3, 4]),
    ),
    max_size=25,
).map(lambda parts: "".join(part * times for part, times in parts))


@pytest.mark.parametrize(
    ("raw", "out"),
    [
        ("10000 บาท โทร 0800000000", "10 บาท โทร 080"),
        ("๑๑๑๑", "๑"),
        ("http://aaaa.com/xxxx", "http://a.com/x"),
        ("(-5 องศา) (+66)", "(5 องศา) (66)"),
        ("(émile)(日本語)(😀)", "(mile)"),
        ("C:\\new\\table", "c: ew \\ table"),
        ("AT&amp;T", "at&&t"),
        ("หมู่เกาะพีพี", "หมู่เกาะพี"),
        ("ดี😀😀😀", "ดี😀"),
        ("ดี 😀😀😀", "ดี 😀😀😀"),
        ("ก\t\u00a0\u200bเเ", "ก\t\u00a0\u200bเเ"),
        ("ก >>>ข", "ก ข"),
        ("ก</s>", "ก"),
        ("ดี👍👍🏽", "ดี👍👍🏽"),
        ("(())", "()"),
        ("ชาลาชาลาเพลี่ย", "ชาลาเพลี่ย"),
        ("ชาลาชาลาเพลี่ย ก", "ชาลาชาลาเพลี่ย ก"),  # what follows sara ia changes its words
        ("๑:2!๑:2!", "๑:2!"),
        ("๑:2 ๑:2 ก", "๑:2 ก"),
        (" \n", ""),
        ("", ""),
    ],
)
def test_the_faults_of_the_original_are_kept(raw: str, out: str) -> None:
    assert process_transformers([raw]) == [mark_spaces(out)]
    assert plain(raw) == mark_spaces(out)


def test_a_number_that_python_refuses_to_read_is_no_fault() -> None:
    assert process_transformers([f"ก&#{'9' * 5000};ข", "ก"]) == ["ก\ufffdข", "ก"]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_it_equals_the_plain_rules(texts: list[str]) -> None:
    assert process_transformers(texts) == [plain(text) for text in texts]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_it_equals_the_plain_rules_on_any_characters(text: str) -> None:
    assert process_transformers([text, text]) == [plain(text)] * 2


@pytest.mark.parametrize(
    "text",
    ["ชาลาชาลาเพลี่ย กขคงจ", "hellohello a😀😀กกขขคคงง", "สงเเโปล่งโปล่งุ", "ก" + " " * 30 + "ข"],
)
def test_a_long_text_is_not_split_where_it_makes_a_difference(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wangchanberta, "BATCH_CHARS", 8)
    monkeypatch.setattr(newmm, "LONG_PIECE", 6)
    assert process_transformers([text]) == [plain(text)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(TEXTS, max_size=3))
def test_it_does_not_matter_where_long_texts_are_split(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wangchanberta, "BATCH_CHARS", 8)
        patch.setattr(doubled, "WINDOW_CHARS", 20)
        patch.setattr(newmm, "LONG_PIECE", 6)
        patch.setattr(doubled, "STRIDE", 3)
        assert process_transformers(texts) == [plain(text) for text in texts]


@pytest.mark.parametrize("name", ["thaigov_v2", "social_open", "msdocs_th", "wiki_contexts"])
def test_it_equals_the_plain_rules_on_real_text(name: str, real_lines: RealLines) -> None:
    lines = real_lines(name, 700)
    together = process_transformers(lines)
    assert together == [plain(line) for line in lines]
    assert together == [process_transformers([line])[0] for line in lines]


def test_real_text_is_split_where_it_makes_no_difference(real_lines: RealLines) -> None:
    lines = [line for name in ("thaigov_v2", "msdocs_th") for line in real_lines(name, 400)]
    article, unspaced = "\n".join(lines), re.sub(r"\s", "", "".join(lines[:150]))
    whole = process_transformers([article, unspaced])
    assert whole == [plain(article), plain(unspaced)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wangchanberta, "BATCH_CHARS", 300)
        assert len(list(wangchanberta._parts(article))) > 50
        assert process_transformers([article, unspaced]) == whole


def test_the_dictionary_is_what_the_short_cut_stands_on() -> None:
    assert len(dictionary()) > 50_000
    for word in dictionary():
        assert re.match("[\u0e00-\u0e4f]", word), word
        assert not CUT.search(word) and not re.search("[a-zA-Z,:]", word), word


HOSTILE = (
    "(",
    "([{",
    "!)",
    " ",
    "&",
    "&amp",
    "\\",
    "<br />",
    "><",
    LAST,
    "e\u0301\u0302",
    "ก",
    "กล",
)
HOSTILE_TOO = ("การ", "เกเา", "ุู", "๑:2 ", "1๒:", "😀😀ก", "ab😀😀")


@pytest.mark.parametrize("unit", [*HOSTILE, *HOSTILE_TOO])
def test_time_grows_with_the_length_of_hostile_text(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    start = time.process_time()
    process_transformers([text])
    assert time.process_time() - start < 20  # the bracket rules as written take hours


def test_text_without_a_sure_end_of_a_word_is_left_as_it_is() -> None:
    text = "กขค" * newmm.LONGEST_PIECE
    assert process_transformers([text, "พีพี"]) == [text, "พี"]


def peer() -> Callable[[str], str]:
    module = pytest.importorskip(
        "thaixtransformers.preprocess",
        reason="no thaixtransformers: pip install --no-deps thaixtransformers emoji==2.16",
    )
    process: Callable[[str], str] = module.process_transformers
    return process


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_it_equals_the_original(text: str) -> None:
    assert process_transformers([text]) == [peer()(text)]


@pytest.mark.parametrize("name", ["thaigov_v2", "social_open"])
def test_it_equals_the_original_on_real_text(name: str, real_lines: RealLines) -> None:
    original = peer()
    lines = real_lines(name, 2000)
    assert process_transformers(lines) == [original(line) for line in lines]


def test_emoji_are_those_of_the_original() -> None:
    peer()
    emoji = pytest.importorskip("emoji")
    single = {char for char in map(chr, range(0x110000)) if ONE_EMOJI.match(char)}
    assert single == {name for name in emoji.EMOJI_DATA if len(name) == 1}
    toned = {char for char in single if TONED.match(char + "\U0001f3fb")}
    assert toned == {char for char in single if emoji.emoji_count(char + "\U0001f3fb") == 1}
