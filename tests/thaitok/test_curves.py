from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as XML

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaitok.charts import CHART_STYLE, KEPT, TONES
from thaitok.curves import BUCKETS, DOTS, HEIGHT, LEFT, TOP, Line, line_chart, spelt, ticks

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False).map(lambda number: round(number, 6))
POINTS = st.lists(st.tuples(st.integers(0, 10**6), NUMBERS), min_size=1, max_size=60).map(sorted)


def polylines(page: XML.Element) -> list[list[tuple[float, float]]]:
    """Return each line's points in percent of the width and pixels from the top gridline."""
    found = [str(one.get("points")).split() for one in page.iter("polyline")]
    pairs = [[one.split(",") for one in line] for line in found]
    return [[(float(x) / 10, float(y)) for x, y in line] for line in pairs]


def test_points_stand_where_their_numbers_say() -> None:
    drawing = line_chart("t", [Line("loss", [(0, 10.0), (50, 5.0), (100, 0.0)], KEPT)], "step")
    page = XML.fromstring(drawing)
    middle = LEFT + (100 - LEFT) / 2
    assert polylines(page) == [[(LEFT, 0), (middle, HEIGHT / 2), (100, HEIGHT)]]
    words = [one.text for one in page.iter("text")]
    assert words == ["0", "2", "4", "6", "8", "10", "0", "20", "40", "60", "80", "100"]
    heights = [float(str(one.get("y"))) for one in page.iter("text")][:6]
    assert heights == [TOP + HEIGHT - HEIGHT * y / 10 - 3 for y in (0, 2, 4, 6, 8, 10)]
    told = [one.findtext("title") for one in page.iter("circle")]
    assert told == ["loss: 10 at 0", "loss: 5 at 50", "loss: 0 at 100"]


@given(st.lists(POINTS, min_size=1, max_size=3))
def test_lines_stay_in_their_frame(several: list[list[tuple[int, float]]]) -> None:
    lines = [Line(f"l{n}", points, TONES[n]) for n, points in enumerate(several)]
    drawing = line_chart("t", lines, "x")
    assert drawing == line_chart("t", lines, "x")
    page = XML.fromstring(drawing)
    for line, points in zip(polylines(page), several, strict=True):
        assert len(line) == len(points)
        for (across, down), (_, y) in zip(line, points, strict=True):
            assert LEFT - 0.06 <= across <= 100.06
            assert -0.01 <= down <= HEIGHT + 0.01
            assert math.isfinite(y)
        for (_, y), (_, above) in pairwise(sorted(zip([p[1] for p in points], [d for _, d in line],
                                                       strict=True))):  # fmt: skip
            assert above <= y + 0.02, "a larger number is not lower"


@given(NUMBERS, NUMBERS)
def test_ticks_are_round_even_and_few(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    steps = [after - before for before, after in pairwise(found)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)
    assert f"{steps[0]:.5e}"[0] in "125"
    if high - low > 1e-6 * max(abs(low), abs(high), 1e-3):
        assert len(set(spelt(found))) == len(found), "words tell them apart"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
     (0, 3e-4, ["0", "0.0001", "0.0002", "0.0003"]),
     (0, 6e5, ["0", "200,000", "400,000", "600,000"]),
     (2.31, 2.35, ["2.31", "2.32", "2.33", "2.34", "2.35"]),
     (0, 3e-6, ["0", "1e-06", "2e-06", "3e-06"])],
)  # fmt: skip
def test_ticks_are_readable(low: float, high: float, words: list[str]) -> None:
    said = [re.sub(r"^0\.0+$", "0", word) if word != "0.0" else word for word in
            spelt(ticks(low, high))]  # fmt: skip
    assert said == words


def test_a_long_line_keeps_its_extremes() -> None:
    points = [(float(x), float(x % 7)) for x in range(10_000)]
    points[4321] = (4321.0, 99.0)
    page = XML.fromstring(line_chart("t", [Line("l", points, KEPT)], "x"))
    (line,) = polylines(page)
    assert BUCKETS < len(line) <= 2 * BUCKETS
    peak = min(line, key=lambda point: point[1])
    assert peak[0] == pytest.approx(LEFT + (100 - LEFT) * 4321 / 9999, abs=0.06)
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert not list(page.iter("circle"))
    assert len(points) > DOTS


def test_marks_stand_on_the_axis() -> None:
    series = [Line("l", [(0, 1.0), (10, 2.0)], KEPT)]
    page = XML.fromstring(line_chart("t", series, "x", marks=[5, 11]))
    (mark,) = (one for one in page.iter("line") if one.get("class") == "mark")
    assert str(mark.get("x1")) == f"{LEFT + (100 - LEFT) / 2:.3f}%"
    assert ".chart line.mark {" in CHART_STYLE


def test_what_is_no_number_is_left_out() -> None:
    points = [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]
    (line,) = polylines(XML.fromstring(line_chart("t", [Line("l", points, KEPT)], "x")))
    assert len(line) == 2
    assert "Nothing to draw" in line_chart("t", [Line("l", points[1:3], KEPT)], "x")
    assert "Nothing to draw" in line_chart("t", [], "x")


@given(st.text(), st.text())
def test_any_words_may_stand_beside_lines(title: str, name: str) -> None:
    series = [Line(name, [(1, 1.0)], KEPT), Line(title, [(1, 1.0)], TONES[0])]
    page = XML.fromstring(line_chart(title, series, name))
    kinds = {"figure", "figcaption", "ul", "li", "i", "svg", "title", "line", "text", "polyline",
             "circle", "p"}  # fmt: skip
    assert {one.tag for one in page.iter()} <= kinds
    drawing = page.find("svg")
    assert drawing is not None
    assert drawing.get("role") == "img"
    assert drawing[0].tag == "title"


def test_lines_of_a_name_are_told_apart() -> None:
    series = [Line("a", [(1, 1.0)], KEPT), Line("b", [(2, 3.0)], TONES[0])]
    page = XML.fromstring(line_chart("t", series, "x"))
    assert [one.get("class") for one in page.iter("i")] == [KEPT, TONES[0]]
    assert [one.get("class") for one in page.iter("polyline")] == [KEPT, TONES[0]]
