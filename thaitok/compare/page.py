"""The page of a comparison: charts, tables, and how each tokenizer cuts some sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thaitok.charts import TONES, Series, stacked_bars
from thaitok.compare.cuts import Cut
from thaitok.compare.run import Comparison
from thaitok.compare.tables import (
    PARTED,
    boundary_tables,
    domain_table,
    edge_table,
    mean_measures,
    note_table,
    text_tables,
)
from thaitok.folder import write_json, written
from thaitok.report import Chart, Excerpt, Excerpts, Figures, Group, Section, Table, html_page


def write_report(comparison: Comparison, out: Path) -> None:
    """Write report.html and then report.json into a folder that is made where it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    with written(out / "report.html") as stream:
        stream.write(compare_page(comparison))
    write_json(out / "report.json", comparison.model_dump(mode="json"))


def compare_page(comparison: Comparison) -> str:
    """Return report.html."""
    groups = [
        Group("Text", [*_text_charts(comparison), *domain_table(comparison)]),
        Group("Text by domain", text_tables(comparison)),
        Group("Gold words", [*_boundary_charts(comparison), *boundary_tables(comparison)]),
        Group("Entities and answers", [*_edge_charts(comparison), *edge_table(comparison)]),
        Group("How they cut", _cuts(comparison), "Marked: unknown to the tokenizer."),
        Group("What was measured", [*_facts(comparison), *note_table(comparison)]),
    ]
    filled = [group for group in groups if group.sections]
    return html_page("Tokenizers compared", [_headline(comparison), *filled])


def _headline(comparison: Comparison) -> Figures:
    characters = sum(one.characters for one in comparison.domains.values())
    words = sum(one.words for one in comparison.gold.values())
    edges = sum(one.edges for one in comparison.gold.values())
    return Figures(
        [
            ("tokenizers", f"{len(comparison.tokenizers)}", "side by side"),
            ("characters", f"{characters:,}", f"of {len(comparison.domains)} domains"),
            ("gold words", f"{words:,}", f"of {len(comparison.gold)} gold files"),
            ("edges", f"{edges:,}", "of entities and answers"),
        ]
    )


def _text_charts(comparison: Comparison) -> list[Section]:
    if not comparison.text:
        return []
    charts = [
        _bars(
            f"Tokens in 10,000 characters: {name}",
            comparison,
            {key: one.tokens_per_character for key, one in found.items()},
            10_000,
        )
        for name, found in comparison.text.items()
    ]
    means = mean_measures(comparison)
    bits = {name: one.bits_fit for name, one in means.items()}
    speed = {name: one.megabytes_per_second for name, one in means.items()}
    title = "Bits in 1,000 characters by fitted counts, mean of domains"
    return [
        *charts,
        _bars(title, comparison, bits, 1000),
        _bars("Kilobytes a processor second", comparison, speed, 1000, low_is_best=False),
    ]


def _boundary_charts(comparison: Comparison) -> list[Section]:
    return [
        _bars(
            f"Gold boundaries crossed, of 10,000: {name}",
            comparison,
            {key: one.crossed for key, one in found.items()},
            10_000,
        )
        for name, found in comparison.boundaries.items()
    ]


def _edge_charts(comparison: Comparison) -> list[Section]:
    return [
        _bars(
            f"Edges of {comparison.gold[name].spans} lost, of 10,000: {name}",
            comparison,
            {key: one.lost for key, one in found.items()},
            10_000,
        )
        for name, found in comparison.edges.items()
    ]


def _bars(
    title: str,
    comparison: Comparison,
    figures: dict[str, float | None],
    scale: int,
    *,
    low_is_best: bool = True,
) -> Section:
    """Draw a bar a tokenizer, best first, in the colour that it has in every chart."""
    known = [(value, name) for name, value in figures.items() if value is not None]
    known.sort(key=lambda one: one[0] if low_is_best else -one[0])
    tones = {one.name: TONES[row % len(TONES)] for row, one in enumerate(comparison.tokenizers)}
    series = [
        Series(
            name,
            [round(value * scale) * (row == place) for place in range(len(known))],
            tones[name],
        )
        for row, (value, name) in enumerate(known)
    ]
    labels = [name for _, name in known]
    return Chart(stacked_bars(title, labels, series, legend=False))


def _cuts(comparison: Comparison) -> list[Section]:
    return [
        Excerpts(
            sentence,
            "",
            [Excerpt("", [(f"{name}: {len(cut)}", _joined(cut))]) for name, cut in cuts.items()],
            unfolded=number < 1,
        )
        for number, (sentence, cuts) in enumerate(comparison.cuts.items())
    ]


def _joined(cut: Cut) -> Sequence[tuple[str, bool]]:
    """Put a bar between the parts."""
    parted = [part for one in cut for part in ((PARTED, False), one)]
    return parted[1:]


def _facts(comparison: Comparison) -> list[Section]:
    tables = [
        Table(
            "Tokenizers",
            ("tokenizer", "kind", "vocabulary", "source"),
            [(one.name, one.kind, one.size, one.source) for one in comparison.tokenizers],
        )
    ]
    for title, found in (("Domains", comparison.domains), ("Gold files", comparison.gold)):
        rows = [(name, *one.model_dump().values()) for name, one in found.items()]
        if rows:
            fields = next(iter(found.values())).model_dump()
            columns = ("", *(field.replace("_", " ") for field in fields))
            tables.append(Table(title, columns, rows))
    return list(tables)
