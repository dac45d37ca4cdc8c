"""The numbers of a corpus report as charts and tables: sources, reasons, lengths, Thai share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from corpora.counts import LENGTHS, SHARE_BINS, Count, by_number, length_bin
from corpora.samples import excerpt
from thaitok.charts import ASIDE, GONE, KEPT, REST, TONES, Series, histogram, percent, stacked_bars
from thaitok.report import Chart, Figures, Group, Section, Table

DRAWN_SOURCES = 20
SHOWN_SOURCES = 50

Plain = Mapping[str, Any]
"""A `Count` or a whole report as JSON holds it."""


def headline(report: Plain) -> Figures:
    """Return the numbers that stand first."""
    read, characters = report["documents"], report["characters_read"]
    dropped, aside = (sum(report[fate].values()) for fate in ("dropped", "quarantined"))
    return Figures(
        [
            ("documents read", _long(read), f"from {counted(len(report['sources']), 'source')}"),
            ("kept", _long(report["kept"]), percent(report["kept"], read)),
            ("dropped", _long(dropped), percent(dropped, read)),
            ("quarantined", _long(aside), f"{percent(aside, read)}, broken beyond use"),
            ("characters kept", _short_number(report["characters_kept"]),
             f"{percent(report['characters_kept'], characters)} of {_short_number(characters)}"),
            ("text kept", f"{_short_number(report['bytes_kept'])}B", "in UTF-8"),
        ]
    )  # fmt: skip


def overview(report: Plain) -> Chart:
    """Return what became of all documents and of all characters."""
    documents, characters = (_fates([report], report, by) for by in ("document", "character"))
    both = [
        Series(one.name, (*one.values, *other.values), one.tone)
        for one, other in zip(documents, characters, strict=True)
    ]
    ends = [f"{report['documents']:,}", f"{report['characters_read']:,}"]
    return Chart(
        stacked_bars(
            "What became of what was read", ["documents", "characters"], _used(both), ends=ends,
            whole=True,
        )
    )  # fmt: skip


def source_charts(report: Plain) -> Group:
    """Return what became of each source, where there are several."""
    names, counts = _largest(report, DRAWN_SOURCES)
    charts: list[Section] = []
    for by, of, of_kept in (
        ("document", "documents", "kept"),
        ("character", "characters_read", "characters_kept"),
    ):
        read, kept = ([count[key] for count in counts] for key in (of, of_kept))
        ends = [
            f"{counted(number, by)}, {percent(part, number)} kept"
            for number, part in zip(read, kept, strict=True)
        ]
        series = _used(_fates(counts, report, by))
        title = f"{by.capitalize()}s by source"
        charts.append(Chart(stacked_bars(title, names, series, ends=ends, whole=True)))
    note = "Each bar is the whole of its source."
    return Group("Sources", [*charts, source_table(report)] if len(names) > 1 else [], note)


def source_table(report: Plain, most: int = SHOWN_SOURCES) -> Table:
    """Return what became of each source's documents, the largest first."""
    names, counts = _largest(report, most)
    note = f"The {most} largest of {len(report['sources']):,}." if len(names) > most else ""
    if len(names) > 1:
        names, counts = [*names, "all"], [*counts, report]
    return Table(
        "Documents by source",
        ("source", "read", "kept", "dropped", "quarantined", "characters kept"),
        [
            (
                name,
                count["documents"],
                count["kept"],
                sum(count["dropped"].values()),
                sum(count["quarantined"].values()),
                count["characters_kept"],
            )
            for name, count in zip(names, counts, strict=True)
        ],
        note,
    )


def reason_chart(report: Plain) -> Group:
    """Return the documents that each reason took."""
    tones = _tones(report)
    reasons = [
        (fate, reason, number, tones.get(reason, REST) if fate == "dropped" else ASIDE)
        for fate in ("dropped", "quarantined")
        for reason, number in report[fate].items()
    ]
    series = [
        Series(reason, [number * (row == place) for place in range(len(reasons))], tone)
        for row, (_, reason, number, tone) in enumerate(reasons)
    ]
    ends = [
        f"{counted(number, 'document')} ({percent(number, report['documents'])}), "
        + counted(report[f"characters_{fate}"].get(reason, 0), "character")
        for fate, reason, number, _ in reasons
    ]
    labels = [_reason_name(fate, reason) for fate, reason, _, _ in reasons]
    chart = stacked_bars("Documents by reason", labels, series, ends=ends, legend=False)
    return Group("Reasons", [Chart(chart)] if reasons else [])


def reason_table(report: Plain) -> Table:
    """Return how many documents and characters each reason took."""
    return Table(
        "Documents by reason",
        ("reason", "documents", "% of read", "characters"),
        [
            (
                _reason_name(fate, reason),
                number,
                round(100 * number / max(report["documents"], 1), 3),
                report[f"characters_{fate}"].get(reason, 0),
            )
            for fate in ("dropped", "quarantined")
            for reason, number in report[fate].items()
        ],
    )


def benchmark_table(report: Plain) -> Table:
    """Return how much of each benchmark was found."""
    return Table(
        "Benchmark items found",
        ("benchmark", "items", "too short to seek", "found", "in documents"),
        [
            (name, one["items"], one["too_short"], one["found"], one["documents"])
            for name, one in report["benchmarks"].items()
        ],
    )


def length_and_script(report: Plain) -> Group:
    """Return the lengths and Thai shares of kept and of dropped documents."""
    lengths = {side: report[f"{side}_lengths"] for side in ("kept", "dropped")}
    shares = {side: report[f"{side}_thai_share"] for side in ("kept", "dropped")}
    charts: list[Section] = []
    if any(lengths.values()):
        used = [LENGTHS.index(int(start)) for side in lengths.values() for start in side]
        starts = LENGTHS[min(used) : max(used) + 1]
        names = [f"{_length_name(start)} characters" for start in starts]
        ticks = {
            place: _short_number(start)
            for place, start in enumerate(starts)
            if len(starts) < 8 or str(start).strip("0") == "1"
        }
        axis = "characters in a document"
        charts.append(_two_sided("Document length", names, starts, lengths, ticks, axis))
    if any(shares.values()):
        step = 100 // SHARE_BINS
        starts = tuple(range(0, 100, step))
        names = [f"{start}-{start + step} % Thai" for start in starts]
        ticks = {place // step: f"{place} %" for place in range(0, 101, 25)}
        axis = "share of Thai letters among the letters of a document"
        charts.append(_two_sided("Share of Thai", names, starts, shares, ticks, axis))
    note = "Columns show the share of a bin in the kept documents, and below in the dropped ones."
    return Group("Length and script", charts, note)


def _two_sided(
    title: str,
    names: Sequence[str],
    starts: Sequence[int],
    sides: Mapping[str, Mapping[str, int]],
    ticks: Mapping[int, str],
    axis: str,
) -> Chart:
    above, below = (
        Series(f"{side} documents", [sides[side].get(str(start), 0) for start in starts], tone)
        for side, tone in (("kept", KEPT), ("dropped", REST))
    )
    return Chart(histogram(title, names, above, below, ticks, axis))


def cluster_sizes(kind: str, sizes: Mapping[str, int]) -> Chart:
    """Return how many clusters of duplicates have how many documents."""
    bins: Counter[int] = Counter()
    for size, number in sizes.items():
        bins[int(size) if int(size) < 5 else length_bin(int(size))] += number
    starts = sorted(bins)
    labels = [f"{start if start < 5 else _length_name(start)} documents" for start in starts]
    series = [Series("clusters", [bins[start] for start in starts], TONES[0])]
    return Chart(stacked_bars(f"Clusters by size: {kind}", labels, series))


def _reason_name(fate: str, reason: str) -> str:
    return reason if fate == "dropped" else f"quarantined: {reason}"


def _fates(counts: Sequence[Plain], report: Plain, by: str) -> list[Series]:
    """Return what became of the documents or characters of each count, as colours of a bar."""
    tones = _tones(report)
    prefix = "" if by == "document" else "characters_"

    def series(name: str, tone: str, number: Callable[[Plain], int]) -> Series:
        return Series(name, [max(number(count), 0) for count in counts], tone)

    def dropped(reason: str, count: Plain) -> int:
        return int(count[f"{prefix}dropped"].get(reason, 0))

    def others(count: Plain) -> int:
        reasons: Mapping[str, int] = count[f"{prefix}dropped"]
        return sum(number for reason, number in reasons.items() if reason not in tones)

    def removed(count: Plain) -> int:
        return sum(count["characters_removed"].values()) if prefix else 0

    return [
        series("kept", KEPT, lambda count: int(count[f"{prefix}kept"])),
        *(series(reason, tone, partial(dropped, reason)) for reason, tone in tones.items()),
        series("other reasons", REST, others),
        series("quarantined", ASIDE, lambda count: sum(count[f"{prefix}quarantined"].values())),
        series("removed within documents", GONE, removed),
    ]


def _tones(report: Plain) -> dict[str, str]:
    """Return the colours of the most frequent reasons, the same in every chart."""
    reasons = [reason for reason, _ in by_number(report["dropped"])]
    return dict(zip(reasons, TONES if len(reasons) <= len(TONES) else TONES[:-1], strict=False))


def _used(series: Sequence[Series]) -> list[Series]:
    return [one for one in series if any(one.values)]


def _largest(report: Plain, most: int) -> tuple[list[str], list[Plain]]:
    """Return the sources with the most documents, and if there are more, the sum of the others."""
    ordered = sorted(report["sources"].items(), key=lambda one: (-one[1]["documents"], one[0]))
    names = [_short(name) for name, _ in ordered[:most]]
    counts: list[Plain] = [count for _, count in ordered[:most]]
    if len(ordered) > most:
        rest = Count()
        for _, count in ordered[most:]:
            rest.add(Count.parse(count))
        names.append(f"({len(ordered) - most:,} more)")
        counts.append(rest.plain())
    return names, counts


def _length_name(start: int) -> str:
    """Return the bin that begins at a length in words."""
    place = LENGTHS.index(start)
    if place == len(LENGTHS) - 1:
        return f"{start:,} and more"
    last = LENGTHS[place + 1] - 1
    return f"{start:,}" if last == start else f"{start:,}-{last:,}"


UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def _short_number(number: int) -> str:
    """Return a number of at most four digits with its unit, as `1.23 M`."""
    for size, unit in UNITS:
        if number >= size:
            return (
                f"{number / size:.3g} {unit}"
                if number < 999.5 * size
                else f"{number // size:,} {unit}"
            )
    return f"{number} "


def _long(number: int) -> str:
    return f"{number:,}" if number < 10**9 else _short_number(number)


def _short(name: str, most: int = 60) -> str:
    shown = excerpt(name) or "(no name)"
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def counted(number: int, word: str) -> str:
    """Return a number with what it counts."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
