"""A page of figures, charts, tables and samples that opens without a network or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thaitok.charts import CHART_STYLE, sound

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2127; --muted: #5c6470; --line: #dfe3e8;
  --faint: #f3f5f7; --link: #1a5fb4; --was: #ffd9cf; --is: #c9efd4 }
@media (prefers-color-scheme: dark) { :root { --page: #15181d; --ink: #e3e6ea; --muted: #9aa3af;
  --line: #333a44; --faint: #1e232a; --link: #7ab3f5; --was: #6b2f22; --is: #1f5634 } }
* { box-sizing: border-box }
body { font: 16px/1.6 system-ui, "Noto Sans Thai", "Noto Sans Thai Looped", Sarabun,
  "Leelawadee UI", Thonburi, Tahoma, sans-serif; color: var(--ink); background: var(--page);
  max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .5rem 0 1rem }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: .75rem;
  border-top: 1px solid var(--line) }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .35rem }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
nav { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: 1.25rem 0 0; font-size: .95rem }
p { margin: .35rem 0 } p.note { color: var(--muted); font-size: .92rem; max-width: 46rem }
dl.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .75rem; margin: 0 0 1.25rem }
.figures div { background: var(--faint); border-radius: .5rem; padding: .7rem .9rem }
.figures dt { color: var(--muted); font-size: .85rem }
.figures dd { margin: 0; font-size: 1.4rem; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums }
.figures dd small { display: block; font-size: .82rem; font-weight: 400; color: var(--muted) }
.scroll { overflow-x: auto; margin: .5rem 0 1.5rem }
table { border-collapse: collapse; font-size: .93rem }
th, td { padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; unicode-bidi: isolate; overflow-wrap: break-word }
th { color: var(--muted); font-weight: 600; font-size: .85rem; overflow-wrap: normal }
td.long { min-width: 14rem; overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: 0 .9rem }
summary { cursor: pointer; padding: .5rem 0; font-weight: 600 }
summary small { font-weight: 400; color: var(--muted); margin-left: .5rem }
article { border-top: 1px solid var(--line); padding: .6rem 0 .7rem }
article header { color: var(--muted); font-size: .82rem }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr));
  gap: .5rem 1.25rem; margin-top: .25rem }
.texts p { margin: 0; white-space: pre-wrap; line-height: 1.75; unicode-bidi: isolate }
.texts b { display: block; font-weight: 400; font-size: .78rem; color: var(--muted) }
mark { background: var(--was); color: inherit; border-radius: 2px; padding: 1px 0 }
.texts > :last-child mark { background: var(--is) }
"""

SECURITY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded or run, whatever a shown text may hold."""
TOLD_POINTS = 8
"""Marked characters up to which their code points are told."""
LONG = 24
"""Characters of a cell from which its column is kept wide on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table, with a `note` under the title.

    A column of numbers is set right; None leaves a cell empty.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline numbers: what each is, the number in words, and what is said below it."""

    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of `thaitok.charts`, which is HTML already; charts have titles of their own."""

    drawing: str


Marked = Sequence[tuple[str, bool]]
"""A text in parts, each with whether it is marked."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Texts shown side by side, each under its name, and above them what they are."""

    head: str
    texts: Sequence[tuple[str, str | Marked]]


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Texts to read, folded behind their title."""

    title: str
    note: str
    items: Sequence[Excerpt]
    unfolded: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Sections under one title."""

    title: str
    sections: Sequence[Section]
    note: str = ""


Section = Table | Figures | Chart | Excerpts | Group


def html_page(title: str, sections: Sequence[Section]) -> str:
    """Return a whole HTML page; all text is escaped."""
    parts = [_section(section, number) for number, section in enumerate(sections)]
    first = parts.pop(0) + "\n" if sections and isinstance(sections[0], Figures) else ""
    body = first + _links(sections) + "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{SECURITY}">\n'
        f"<title>{sound(title)}</title><style>{STYLE}{CHART_STYLE}</style></head>\n"
        f"<body><h1>{sound(title)}</h1>\n{body}\n</body></html>\n"
    )


def _links(sections: Sequence[Section]) -> str:
    """Return links to the titled sections, where there are enough of them to get lost in."""
    links = [
        f'<a href="#s{number}">{sound(section.title)}</a>'
        for number, section in enumerate(sections)
        if isinstance(section, Table | Group)
    ]
    return '<nav aria-label="Contents">' + "\n".join(links) + "</nav>\n" if len(links) > 3 else ""


def _section(section: Section, number: int | None = None) -> str:
    """Return a section as HTML; one of the page itself has a number and a larger title."""
    match section:
        case Table():
            return _title(section.title, section.note, number) + _table(section)
        case Figures():
            return _figures(section)
        case Chart():
            return section.drawing
        case Excerpts():
            return _excerpts(section)
        case Group():
            inner = "\n".join(map(_section, section.sections))
            return _title(section.title, section.note, number) + inner


def _title(title: str, note: str, number: int | None) -> str:
    tag, name = ("h3", "") if number is None else ("h2", f' id="s{number}"')
    below = f'<p class="note">{sound(note)}</p>\n' if note else ""
    return f"<{tag}{name}>{sound(title)}</{tag}>\n{below}"


def _figures(figures: Figures) -> str:
    rows = "\n".join(
        f"<div><dt>{sound(name)}</dt><dd>{sound(number)}<small>{sound(below)}</small></dd></div>"
        for name, number, below in figures.rows
    )
    return f'<dl class="figures">{rows}</dl>'


def _table(table: Table) -> str:
    right = [
        all(isinstance(row[place], int | float | None) for row in table.rows)
        for place in range(len(table.columns))
    ]
    head = "".join(
        f'<th scope="col"{_classed("number" if numeric else "")}>{sound(column)}</th>'
        for column, numeric in zip(table.columns, right, strict=True)
    )
    named = f"<thead><tr>{head}</tr></thead>\n" if any(table.columns) else ""
    rows = "\n".join("<tr>" + "".join(map(_cell, row, right)) + "</tr>" for row in table.rows)
    return f'<div class="scroll"><table>{named}<tbody>\n{rows}\n</tbody></table></div>'


def _cell(value: object, numeric: bool) -> str:
    text = _shown(value)
    name = "number" if numeric else "long" if len(text) > LONG else ""
    return f"<td{_classed(name)}>{sound(text)}</td>"


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
    return str(value)


def _classed(name: str) -> str:
    return f' class="{name}"' if name else ""


def _excerpts(section: Excerpts) -> str:
    opened = " open" if section.unfolded else ""
    items = "\n".join(map(_excerpt, section.items))
    return (
        f"<details{opened}><summary>{sound(section.title)}<small>{sound(section.note)}</small>"
        f"</summary>\n{items}</details>"
    )


def _excerpt(item: Excerpt) -> str:
    texts = "".join(f"<p>{_named(name)}{_text(text)}</p>" for name, text in item.texts)
    head = f"<header><bdi>{sound(item.head)}</bdi></header>" if item.head else ""
    return f'<article>{head}<div class="texts" lang="th">{texts}</div></article>'


def _named(name: str) -> str:
    return f'<b lang="en">{sound(name)}</b>' if name else ""


def _text(text: str | Marked) -> str:
    if isinstance(text, str):
        return sound(text)
    return "".join(_mark(part) if marked else sound(part) for part, marked in text)


def _mark(part: str) -> str:
    """Mark a part; its code points tell apart what looks alike, as sara am in one piece or two."""
    points = " ".join(f"U+{ord(ch):04X}" for ch in part)
    told = f' title="{points}"' if len(part) <= TOLD_POINTS else ""
    return f"<mark{told}>{sound(part)}</mark>"
