"""Line charts as strings, in the style of `thaitok.charts`: no script, network or library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from thaitok.charts import TICK_HEIGHT, colour_key, figure, nothing, sound

Points: TypeAlias = Sequence[tuple[float, float]]

HEIGHT, TOP = 200, 18
"""Pixels from the highest to the lowest gridline, and above: room for a word."""
LEFT = 7
"""Percent of the width that is left to the numbers of the y axis."""
BUCKETS = 150
"""Parts into which a long line is cut; of each its lowest and highest point are drawn."""
DOTS = 40
"""Points of a line up to which each is a dot that tells its numbers."""
TICKS = 5
"""Steps of an axis, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: points (x, y) from left to right."""

    name: str
    points: Points
    tone: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where numbers lie in a drawing."""

    left: float
    right: float
    low: float
    high: float

    def across(self, x: float) -> float:
        """Return percent of the width."""
        return LEFT + (100 - LEFT) * (x - self.left) / (self.right - self.left)

    def down(self, y: float) -> float:
        """Return pixels from the highest gridline."""
        return HEIGHT * (self.high - y) / (self.high - self.low)


def line_chart(title: str, series: Sequence[Line], x_axis: str, marks: Sequence[float] = ()) -> str:
    """Draw lines over one pair of axes, with a tick on the x axis at each of `marks`.

    Gridlines stand at 1, 2 or 5 times a power of ten. Points that are no numbers are left out,
    and of a line of many points the extremes are kept.
    """
    drawn = [Line(one.name, _thinned(_finite(one.points)), one.tone) for one in series]
    drawn = [one for one in drawn if one.points]
    if not drawn:
        return figure(title, nothing())
    xs = [x for one in drawn for x, _ in one.points]
    ys = [y for one in drawn for _, y in one.points]
    rows, columns = ticks(min(ys), max(ys)), ticks(min(xs), max(xs))
    if rows[0] > min(ys):
        rows = [2 * rows[0] - rows[1], *rows]
    if rows[-1] < max(ys):
        rows = [*rows, 2 * rows[-1] - rows[-2]]
    narrow = min(xs) == max(xs)
    frame = _Frame(min(xs) - narrow, max(xs) + narrow, rows[0], rows[-1])
    shapes = "".join(_row(y, words, frame) for y, words in zip(rows, spelt(rows), strict=True))
    within = [x for x in columns if frame.left <= x <= frame.right]
    shapes += "".join(
        _column(x, words, frame) for x, words in zip(within, spelt(within), strict=True)
    )
    shapes += "".join(_mark(x, frame) for x in marks if frame.left <= x <= frame.right)
    shapes += "".join(_line(one, frame) for one in drawn)
    height = TOP + HEIGHT + TICK_HEIGHT
    drawing = f'<svg role="img" height="{height}"><title>{sound(title)}</title>{shapes}</svg>'
    key = colour_key([(one.name, one.tone) for one in drawn])
    return figure(title, f'{key}{drawing}<p class="axis">{sound(x_axis)}</p>')


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers from about `low` to about `high`, two at least, evenly spaced."""
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or high == low:  # a flat line lies between two gridlines
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    step = _step((high - low) / TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def spelt(numbers: Sequence[float]) -> list[str]:
    """Write evenly spaced numbers with as many decimals as tell them apart, and no more."""
    if len(numbers) < 2:
        return [f"{number:,.4g}" for number in numbers]
    step = numbers[1] - numbers[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    largest = max(map(abs, numbers))
    if decimals > 4 or largest >= 1e9:
        digits = max(1, math.ceil(math.log10(largest / step) + 1e-9) + 1)
        return ["0" if abs(number) < step / 2 else f"{number:.{digits}g}" for number in numbers]
    return [f"{number + 0.0:,.{decimals}f}" for number in numbers]


def _step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= least * (1 - 1e-9))


def _finite(points: Points) -> list[tuple[float, float]]:
    return [point for point in points if all(map(math.isfinite, point))]


def _thinned(points: Points) -> Points:
    if len(points) <= 2 * BUCKETS:
        return points
    kept = {0, len(points) - 1}
    for number in range(BUCKETS - 1):
        begin, end = (len(points) * edge // (BUCKETS - 1) for edge in (number, number + 1))
        heights = [y for _, y in points[begin:end]]
        kept |= {begin + heights.index(min(heights)), begin + heights.index(max(heights))}
    return [points[place] for place in sorted(kept)]


def _row(y: float, words: str, frame: _Frame) -> str:
    top = TOP + frame.down(y)
    return (
        f'<line x1="0" x2="100%" y1="{top:.2f}" y2="{top:.2f}" stroke-dasharray="2 4"/>'
        f'<text class="halo" y="{top - 3:.2f}">{words}</text>'
    )


def _column(x: float, words: str, frame: _Frame) -> str:
    place = frame.across(x)
    anchor = "end" if place > 97 else "middle"
    y = TOP + HEIGHT + TICK_HEIGHT - 5
    bottom = f'y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT + 4}"'
    return (
        f'<line x1="{place:.3f}%" x2="{place:.3f}%" {bottom}/>'
        f'<text x="{place:.3f}%" y="{y}" text-anchor="{anchor}">{words}</text>'
    )


def _mark(x: float, frame: _Frame) -> str:
    place = f"{frame.across(x):.3f}%"
    top, bottom = TOP + HEIGHT - 8, TOP + HEIGHT
    return f'<line class="mark" x1="{place}" x2="{place}" y1="{top}" y2="{bottom}"/>'


def _line(line: Line, frame: _Frame) -> str:
    """Return a line in a drawing of its own, 1,000 wide and stretched, and its dots."""
    places = [(frame.across(x), frame.down(y)) for x, y in line.points]
    joined = " ".join(f"{10 * across:.1f},{down:.2f}" for across, down in places)
    shapes = (
        f'<svg y="{TOP}" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none">'
        f'<polyline class="{line.tone}" points="{joined}"/></svg>'
    )
    if len(places) > DOTS:
        return shapes
    for (across, down), (x, y) in zip(places, line.points, strict=True):
        told = sound(f"{line.name}: {y:,.5g} at {x:,.10g}")
        shapes += (
            f'<circle class="{line.tone}" cx="{across:.3f}%" cy="{TOP + down:.2f}" r="2.5">'
            f"<title>{told}</title></circle>"
        )
    return shapes
