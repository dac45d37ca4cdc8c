from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as XML

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thaitok.charts import (
    ASIDE,
    CHART_STYLE,
    GONE,
    HALF_HEIGHT,
    KEPT,
    MIDDLE,
    REST,
    TONES,
    Series,
    histogram,
    percent,
    sound,
    stacked_bars,
)

NUMBERS = st.integers(0, 10**18)


def parse(drawing: str) -> XML.Element:
    """Parse a chart, which is XML as well as HTML; a string not escaped would break it."""
    return XML.fromstring(drawing)


def shapes(element: XML.Element) -> list[XML.Element]:
    return [one for one in element.iter("rect") if one.get("class") != "track"]


def share(element: XML.Element, name: str) -> float:
    return float(str(element.get(name)).removesuffix("%"))


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_bars_are_as_wide_as_their_numbers(values: list[list[int]]) -> None:
    series = [Series(f"s{n}", numbers, TONES[n]) for n, numbers in enumerate(values)]
    sums = [sum(column) for column in zip(*values, strict=True)]
    for whole in (False, True):
        bars = parse(stacked_bars("t", ["a", "b", "c"], series, whole=whole)).findall(".//li/svg")
        for row, bar in enumerate(bars):
            full = sums[row] if whole else max(sums)
            left = 0.0
            drawn = [one for one in series if one.values[row]]
            assert [one.get("class") for one in shapes(bar)] == [one.tone for one in drawn]
            for one, rect in zip(drawn, shapes(bar), strict=True):
                assert share(rect, "width") == pytest.approx(100 * one.values[row] / full, abs=0.01)
                assert share(rect, "x") == pytest.approx(left, abs=0.01)
                assert f"{one.values[row]:,}" in str(rect.findtext("title"))
                left += 100 * one.values[row] / full


@given(st.text(), st.text())
def test_any_words_may_stand_in_a_chart(label: str, name: str) -> None:
    drawing = stacked_bars(name, [label], [Series(name, [1], KEPT), Series(label, [2], REST)])
    drawing += histogram(
        label, [label], Series(name, [1], KEPT), Series(label, [1], REST), {0: name}, axis=label
    )
    page = parse(f"<body>{drawing}</body>")
    kinds = {"figure", "figcaption", "ul", "li", "i", "span", "bdi", "svg", "title", "rect", "line",
             "text", "p", "body"}  # fmt: skip
    assert {one.tag for one in page.iter()} <= kinds
    drawing.encode("utf-8")


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "\u202e<b>", "a\x00\x07\ud800", "ก" * 200, "'\"&amp;"]
)
def test_hostile_words_are_shown_as_they_are(words: str) -> None:
    page = parse(stacked_bars("t", [words], [Series("kept", [1], KEPT)]))
    shown = words.replace("\x00", "\\u0000").replace("\x07", "\\u0007").replace("\ud800", "\\ud800")
    label = page.find(".//bdi")  # set apart, so that its direction does not turn what follows
    assert label is not None
    assert label.text == shown


def test_a_histogram_shows_both_sides_in_shares() -> None:
    above, below = Series("kept", [0, 300, 700], KEPT), Series("dropped", [1, 0, 1], REST)
    page = parse(histogram("t", ["a", "b", "c"], above, below, {0: "0", 3: "end"}, "axis"))
    columns = {
        (one.get("class"), round(share(one, "x"))): float(str(one.get("height")))
        for one in shapes(page)
    }
    tall = HALF_HEIGHT
    assert columns == {
        ("kept", 33): pytest.approx(tall * 3 / 7, abs=0.01),
        ("kept", 67): tall,
        ("rest", 0): pytest.approx(tall * 5 / 7, abs=0.01),
        ("rest", 67): pytest.approx(tall * 5 / 7, abs=0.01),
    }
    for one in shapes(page):
        top, height = float(str(one.get("y"))), float(str(one.get("height")))
        ends = (top + height, MIDDLE) if one.get("class") == "kept" else (top, MIDDLE)
        assert ends[0] == pytest.approx(ends[1], abs=0.01)
    told = [str(one.findtext("title")) for one in shapes(page)]
    assert "b: 300 kept (30 %)" in told
    assert "c: 1 dropped (50 %)" in told


@given(st.lists(NUMBERS, min_size=5, max_size=5), st.lists(NUMBERS, min_size=5, max_size=5))
def test_a_histogram_stays_in_its_frame(above: list[int], below: list[int]) -> None:
    page = parse(
        histogram(
            "t", list("abcde"), Series("k", above, KEPT), Series("d", below, REST), {0: "0"}, "x"
        )
    )
    drawing = page.find("svg")
    if drawing is None:
        assert not any(above) and not any(below)
        return
    frame = float(str(drawing.get("height")))
    for one in drawing.iter("rect"):
        top = float(str(one.get("y")))
        assert top >= 0
        assert top + float(str(one.get("height"))) <= frame
        assert float(str(one.get("height"))) >= 1, "a bin that is not empty is seen"
    words = [one for one in drawing.iter("text") if one.get("class") == "halo"]
    assert 1 <= len(words) / 2 <= 3
    for word in drawing.iter("text"):
        assert 12 <= float(str(word.get("y"))) <= frame


EMPTY: list[Callable[[], str]] = [
    lambda: stacked_bars("t", [], []),
    lambda: stacked_bars("t", ["a"], []),
    lambda: stacked_bars("t", ["a"], [Series("s", [0], KEPT)], whole=True),
    lambda: histogram("t", ["a"], Series("k", [0], KEPT), Series("d", [0], REST), {}, "x"),
    lambda: histogram("t", [], Series("k", [], KEPT), Series("d", [], REST), {}, "x"),
]


@pytest.mark.parametrize("draw", EMPTY)
def test_nothing_can_be_drawn(draw: Callable[[], str]) -> None:
    page = parse(draw())
    assert page.findtext("figcaption") == "t"
    assert not shapes(page)


def test_a_screen_reader_hears_every_chart() -> None:
    series = [Series("kept", [7], KEPT), Series("dropped", [3], TONES[0])]
    drawing = stacked_bars("t", ["a"], series) + histogram(
        "Length", ["a"], series[0], series[1], {}, "x"
    )
    told = []
    for image in parse(f"<body>{drawing}</body>").iter("svg"):
        assert image.get("role") == "img"
        assert image[0].tag == "title"
        told.append(image[0].text)
    assert told == ["a: kept 7, dropped 3", "Length"]


def test_every_tone_has_a_colour_in_light_and_dark() -> None:
    light, dark = CHART_STYLE.split("prefers-color-scheme: dark")
    for tone in (*TONES, KEPT, ASIDE, REST, GONE):
        colours = [re.findall(rf"--{tone}: (#\w+)", part) for part in (light, dark)]
        assert [len(found) for found in colours] == [1, 1]
        assert f".{tone} {{ --c: var(--{tone}) }}" in CHART_STYLE


@given(NUMBERS, NUMBERS)
def test_a_share_never_rounds_to_none_or_all(part: int, whole: int) -> None:
    part = min(part, whole)
    assert (percent(part, whole) == "0 %") == (part == 0)
    if whole:
        assert (percent(part, whole) == "100 %") == (part == whole)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(1, 3, "33.3 %"), (1, 2, "50 %"), (1, 10**6, "< 0.1 %"), (10**6 - 1, 10**6, "> 99.9 %"),
     (0, 0, "0 %"), (6, 5, "120 %")],
)  # fmt: skip
def test_percent(part: int, whole: int, words: str) -> None:
    assert percent(part, whole) == words


@given(st.text())
@example("\x00\x0b\x1f\x7f\x9f\ud800\udfff\ufffe\uffff\t\n")
def test_sound_text_can_stand_in_html(text: str) -> None:
    element = XML.fromstring(f"<p>{sound(text)}</p>")
    assert (element.text or "") == re.sub("\r\n?", "\n", sound_of(text))


def sound_of(text: str) -> str:
    """Say what `sound` must show, character by character."""
    broken = {*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0xD800, 0xE000),
              0xFFFE, 0xFFFF}  # fmt: skip
    return "".join(f"\\u{ord(ch):04x}" if ord(ch) in broken else ch for ch in text)
