"""Drawings of results: figures with their intervals, and a matrix of shaded cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.measure.errors import Confusion
from thaitok.charts import colour_key, figure, nothing, sound

HEIGHT = 18


@dataclass(frozen=True, slots=True)
class Point:
    """A figure in 0..1 to draw, with its interval, and its tone of `thaitok.charts`."""

    label: str
    value: float
    interval: tuple[float, float] | None
    told: str
    tone: str


def interval_chart(title: str, points: Sequence[Point], legend: Sequence[tuple[str, str]]) -> str:
    """Draw one line a system: a dot at its figure, a bar over its interval, on one scale.

    The scale spans what is drawn, to full tenths, so it need not begin at 0.
    """
    if not points:
        return figure(title, nothing())
    ends = [end for point in points for end in (point.value, *(point.interval or ()))]
    low = max(0.0, math.floor(10 * min(ends) + 1e-9) / 10)
    high = max(low + 0.1, min(1.0, math.ceil(10 * max(ends) - 1e-9) / 10))
    rows = "\n".join(_point(point, low, high) for point in points)
    axis = f'<p class="axis">{low:.1f} to {high:.1f}, a line each .1</p>'
    return figure(title, f'{colour_key(legend)}<ul class="bars">{rows}</ul>{axis}')


def _point(point: Point, low: float, high: float) -> str:
    def place(value: float) -> str:
        return f"{100 * (min(max(value, low), high) - low) / (high - low):.2f}%"

    middle, name = HEIGHT // 2, sound(point.label)
    steps = round(10 * (high - low))
    shapes = "".join(
        f'<line x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="{HEIGHT}"/>'
        for at in (100 * step / steps for step in range(steps + 1))
    )
    if point.interval is not None:
        shapes += (
            f'<line class="{point.tone}" style="stroke:var(--c);stroke-width:3;opacity:.55" '
            f'x1="{place(point.interval[0])}" x2="{place(point.interval[1])}" '
            f'y1="{middle}" y2="{middle}"/>'
        )
    shapes += f'<circle class="{point.tone}" cx="{place(point.value)}" cy="{middle}" r="5"/>'
    return (
        f'<li><span class="label" title="{name}"><bdi>{name}</bdi></span>'
        f'<span class="end">{sound(point.told)}</span><svg role="img" height="{HEIGHT}">'
        f"<title>{name}: {sound(point.told)}</title>{shapes}</svg></li>"
    )


def confusion_table(title: str, found: Confusion) -> str:
    """Draw a confusion matrix as a table: gold down, predicted across.

    A cell is as dark as its share of its row; right ones have another colour than wrong ones.
    """
    head = "".join(f'<th scope="col">{sound(label)}</th>' for label in found.labels)
    rows = "\n".join(
        f'<tr><th scope="row">{sound(label)}</th>'
        + "".join(_shaded(count, sum(row), at == number) for at, count in enumerate(row))
        + "</tr>"
        for number, (label, row) in enumerate(zip(found.labels, found.counts, strict=True))
    )
    return figure(
        title,
        f'<div class="scroll"><table><thead><tr><th>gold ↓ predicted →</th>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>",
    )


def _shaded(count: int, total: int, right: bool) -> str:
    share = round(100 * count / total) if total else 0
    tone = "--kept" if right else "--tone1"
    # Up to 60 %, where the page's ink is still readable on it, in light and dark.
    shade = f"background:color-mix(in srgb,var({tone}) {min(share, 60)}%,transparent)"
    return (
        f'<td class="number" style="padding:.3rem .6rem;{shade}" title="{share} % of the row">'
        f"{count:,}</td>"
    )
