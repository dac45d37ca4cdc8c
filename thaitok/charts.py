"""Charts as strings: bars and histograms in HTML and SVG, without script, network or library.

Text is HTML, so that it wraps and stays readable on a phone; only shapes are SVG, placed in
percent of the width. Every string is escaped. The same figures give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

TONES = tuple(f"tone{number}" for number in range(8))
"""Colours of series that mean nothing by themselves; colour-blind readers can part them."""
KEPT, ASIDE, REST, GONE = "kept", "aside", "rest", "gone"
"""Colours with a meaning: kept, set aside, all the others together, removed from within."""

CHART_STYLE = """
:root { --kept: #2b6cb0; --aside: #4a5058; --rest: #a3a9b3; --gone: #d5d9df; --tone0: #e08a00;
  --tone1: #c4452d; --tone2: #b0559b; --tone3: #1f9172; --tone4: #c9b400; --tone5: #8a6440;
  --tone6: #6a5acd; --tone7: #5aaedb }
@media (prefers-color-scheme: dark) { :root { --kept: #5b9bdc; --aside: #d4d8de; --rest: #858c97;
  --gone: #4a515c; --tone0: #f2a93b; --tone1: #e8705a; --tone2: #d284c0; --tone3: #3fb894;
  --tone4: #e0d04a; --tone5: #b58d66; --tone6: #9d90ee; --tone7: #8fd0f2 } }
.kept { --c: var(--kept) } .aside { --c: var(--aside) } .rest { --c: var(--rest) }
.gone { --c: var(--gone) } .tone0 { --c: var(--tone0) } .tone1 { --c: var(--tone1) }
.tone2 { --c: var(--tone2) } .tone3 { --c: var(--tone3) } .tone4 { --c: var(--tone4) }
.tone5 { --c: var(--tone5) } .tone6 { --c: var(--tone6) } .tone7 { --c: var(--tone7) }
figure.chart { margin: .75rem 0 1.75rem }
.chart figcaption { font-weight: 600; margin-bottom: .35rem }
.chart svg { display: block; width: 100%; overflow: visible }
.chart rect[class] { fill: var(--c); stroke: var(--page); stroke-width: .75 }
.chart rect.track { fill: var(--faint); stroke: none }
.chart line { stroke: var(--line) }
.chart text { font-size: 12px; fill: var(--muted) }
.chart ul { list-style: none; margin: 0; padding: 0 }
.chart ul.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem;
  color: var(--muted); margin-bottom: .6rem }
.legend i { display: inline-block; width: .75em; height: .75em; border-radius: 2px;
  margin-right: .4em; background: var(--c) }
.bars li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem;
  margin-bottom: .55rem }
.bars .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.bars .end { color: var(--muted); font-variant-numeric: tabular-nums; text-align: right;
  font-size: .9rem }
.bars svg { grid-column: 1 / -1 }
.chart polyline { fill: none; stroke: var(--c); stroke-width: 1.75; stroke-linejoin: round;
  stroke-linecap: round; vector-effect: non-scaling-stroke }
.chart circle { fill: var(--c) } .chart line.mark { stroke: var(--tone1); stroke-width: 2 }
.chart text.halo { paint-order: stroke; stroke: var(--page); stroke-width: 3px }
.chart p.axis { text-align: center; color: var(--muted); font-size: .85rem; margin: .1rem 0 0 }
@media (max-width: 34rem) { .bars li { grid-template-columns: minmax(0, 1fr) }
  .bars .end { text-align: left } }
"""

BAR_HEIGHT = 14
HALF_HEIGHT = 110
"""Pixels of the highest column of a histogram."""
MIDDLE = HALF_HEIGHT + 16
"""Where its columns begin, from the top: above the highest is room for a word."""
TICK_HEIGHT = 20

# Control characters, lone surrogates and noncharacters: HTML can hold none of them.
UNSOUND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: a number for each bar or bin, none below zero."""

    name: str
    values: Sequence[int]
    tone: str


def sound(text: str) -> str:
    """Return a text escaped for HTML, with a code for what HTML cannot hold."""
    return escape(UNSOUND.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def percent(part: int, whole: int) -> str:
    """Return a share in words of at most one decimal that never round to none or to all."""
    share = 100 * part / whole if whole else 0.0
    if part and share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %".replace(".0 ", " ")


def stacked_bars(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    ends: Sequence[str] = (),
    whole: bool = False,
    legend: bool = True,
) -> str:
    """Draw one bar a label, divided into the series.

    The longest bar is as wide as the page; with `whole` every one is. `ends` stand at the
    right of the labels, else the sums do.
    """
    sums = [sum(one.values[row] for one in series) for row in range(len(labels))]
    longest = max(sums, default=0)
    rows = [
        _bar(
            label,
            ends[row] if ends else f"{sums[row]:,}",
            _parts(series, row),
            sums[row] if whole else longest,
        )
        for row, label in enumerate(labels)
    ]
    bars = '<ul class="bars">' + "\n".join(rows) + "</ul>" if rows else nothing()
    return figure(title, (_key(series) if legend else "") + bars)


def histogram(
    title: str,
    bins: Sequence[str],
    above: Series,
    below: Series,
    ticks: Mapping[int, str],
    axis: str,
) -> str:
    """Draw two distributions over the same bins, one upwards and one downwards.

    Each column is the share of its bin in its own series, so that a small series is seen as well
    as a large one; both have one scale. `ticks` are the words below the left edges of bins.
    """
    sides = [(above, -1), (below, 1)]
    tallest = max(
        (max(one.values) / sum(one.values) for one, _ in sides if sum(one.values)), default=0
    )
    if not tallest:
        return figure(title, nothing())
    step = _grid_step(tallest)
    shapes = "".join(_gridlines(step, tallest))
    shapes += "".join(_columns(one, bins, way, tallest) for one, way in sides)
    shapes += f'<line x1="0" x2="100%" y1="{MIDDLE}" y2="{MIDDLE}"/>'
    shapes += "".join(_tick(edge / len(bins), word) for edge, word in sorted(ticks.items()))
    shapes += _grid_words(step, tallest)
    height = MIDDLE + HALF_HEIGHT + TICK_HEIGHT
    drawing = f'<svg role="img" height="{height}"><title>{sound(title)}</title>{shapes}</svg>'
    return figure(title, f'{_key([above, below])}{drawing}<p class="axis">{sound(axis)}</p>')


def figure(title: str, body: str) -> str:
    """Return a drawing, which is HTML already, under its title."""
    return f'<figure class="chart"><figcaption>{sound(title)}</figcaption>\n{body}</figure>'


def nothing() -> str:
    """Return what stands where there is no number to draw."""
    return '<p class="note">Nothing to draw.</p>'


def _key(series: Sequence[Series]) -> str:
    return colour_key([(one.name, one.tone) for one in series])


def colour_key(names: Sequence[tuple[str, str]]) -> str:
    """Return which series, (name, tone) each, has which colour; one alone needs no telling."""
    if len(names) < 2:
        return ""
    told = "".join(f'<li><i class="{tone}"></i>{sound(name)}</li>' for name, tone in names)
    return f'<ul class="legend">{told}</ul>\n'


def _parts(series: Sequence[Series], row: int) -> list[tuple[str, int, str]]:
    return [(one.name, one.values[row], one.tone) for one in series if one.values[row]]


def _bar(label: str, end: str, parts: Sequence[tuple[str, int, str]], full: int) -> str:
    own = sum(number for _, number, _ in parts)
    told = ", ".join(f"{name} {number:,}" for name, number, _ in parts) or "none"
    shapes, left = "", 0
    for name, number, tone in parts:
        shapes += (
            f'<rect class="{tone}" x="{_share(left, full)}" width="{_share(number, full)}"'
            f' height="{BAR_HEIGHT}"><title>{sound(f"{name}: {number:,} ({percent(number, own)})")}'
            "</title></rect>"
        )
        left += number
    name = sound(label)
    return (
        f'<li><span class="label" title="{name}"><bdi>{name}</bdi></span>'
        f'<span class="end">{sound(end)}</span><svg role="img" height="{BAR_HEIGHT}">'
        f"<title>{name}: {sound(told)}</title>"
        f'<rect class="track" width="100%" height="{BAR_HEIGHT}"/>{shapes}</svg></li>'
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f}%"


def _columns(series: Series, bins: Sequence[str], way: int, tallest: float) -> str:
    total = sum(series.values)
    shapes = ""
    for index, number in enumerate(series.values):
        if not number:
            continue
        height = max(HALF_HEIGHT * number / total / tallest, 1)  # what is there is seen
        top = MIDDLE - height if way < 0 else MIDDLE
        told = f"{bins[index]}: {number:,} {series.name} ({percent(number, total)})"
        shapes += (
            f'<rect class="{series.tone}" x="{100 * index / len(bins):.3f}%" y="{top:.2f}"'
            f' width="{100 / len(bins):.3f}%" height="{height:.2f}"><title>{sound(told)}</title>'
            "</rect>"
        )
    return shapes


def _grid_step(tallest: float) -> float:
    """Return a round share of which one to three fit."""
    return next((step for step in (0.5, 0.2, 0.1, 0.05, 0.02) if tallest >= 1.5 * step), 0.01)


def _grid(step: float, tallest: float) -> list[tuple[float, float]]:
    """Return each gridline's share and its distance from the middle in pixels."""
    count = int(tallest / step + 1e-9)
    return [(step * n, HALF_HEIGHT * step * n / tallest) for n in range(1, count + 1)]


def _gridlines(step: float, tallest: float) -> list[str]:
    return [
        f'<line x1="0" x2="100%" y1="{y:.2f}" y2="{y:.2f}" stroke-dasharray="2 4"/>'
        for _, away in _grid(step, tallest)
        for y in (MIDDLE - away, MIDDLE + away)
    ]


def _grid_words(step: float, tallest: float) -> str:
    return "".join(
        f'<text class="halo" y="{MIDDLE + way * away - 3:.2f}">{100 * share:.0f} %</text>'
        for share, away in _grid(step, tallest)
        for way in (-1, 1)
    )


def _tick(place: float, word: str) -> str:
    y = MIDDLE + HALF_HEIGHT + TICK_HEIGHT - 5
    anchor = "start" if not place else "end" if place == 1 else "middle"
    return f'<text x="{100 * place:.3f}%" y="{y}" text-anchor="{anchor}">{sound(word)}</text>'
