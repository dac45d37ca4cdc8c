"""The page of a corpus: what was kept and dropped, in charts, tables and samples to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpora.counts import Count
from corpora.plots import (
    Plain,
    benchmark_table,
    cluster_sizes,
    counted,
    headline,
    length_and_script,
    overview,
    reason_chart,
    reason_table,
    source_charts,
)
from corpora.samples import Sample, marked
from thaitok.report import Excerpt, Excerpts, Group, Section, Table, html_page

Shown = Mapping[str, Mapping[str, Sequence[Sample]]]
"""Samples by kind (kept, changes, duplicates, dropped) and name."""


SHOWN_ELSEWHERE = {
    *Count.__slots__, "benchmarks", "benchmark_examples", "clusters", "examples", "sources",
}  # fmt: skip
DRAWN = "Drawn by chance, and the same at every run."


def corpus_page(report: Plain, shown: Shown) -> str:
    """Return report.html of a report and the samples that it shows."""
    groups = [
        source_charts(report),
        reason_chart(report),
        length_and_script(report),
        _changes(report, shown["changes"]),
        _duplicates(report, shown["duplicates"]),
        _benchmarks(report),
        _facts(report),
        _dropped(report, shown["dropped"]),
        _kept(shown["kept"]["kept"]),
    ]
    filled = [group for group in groups if group.sections]
    return html_page("Corpus report", [headline(report), overview(report), *filled])


def _changes(report: Plain, samples: Mapping[str, Sequence[Sample]]) -> Group:
    removed = report["characters_removed"]
    steps = [
        ("text rules", report["changed_by_rules"], removed.get("rules", 0)),
        *((f"cut: {reason}", number, removed.get(reason, 0))
          for reason, number in report["documents_cut"].items()),
        ("personal data masked", report["masked"], removed.get("masks", 0)),
        ("segmented", report["segmented"], removed.get("segments", 0)),
    ]  # fmt: skip
    rows = [row for row in steps if row[1]]
    sections: list[Section] = []
    if rows:
        columns = ("step", "documents changed", "characters fewer")
        sections.append(Table("Steps", columns, rows))
    if report["masks"]:
        sections.append(Table("Masks", ("kind", "places"), list(report["masks"].items())))
    for rule, drawn in samples.items():
        sections.append(Excerpts(rule, counted(len(drawn), "example"), list(map(_change, drawn))))
    return Group("Changes within documents", sections, "What differs is marked.")


def _change(sample: Sample) -> Excerpt:
    before, after = marked(sample["before"], sample["after"])
    return Excerpt(sample["place"], [("before", before), ("after", after)])


def _duplicates(report: Plain, samples: Mapping[str, Sequence[Sample]]) -> Group:
    rows = [row for row in reason_table(report).rows if "duplicate" in str(row[0])]
    sections: list[Section] = []
    if rows:
        columns = ("reason", "documents dropped", "% of read", "characters")
        sections.append(Table("Documents", columns, rows))
    for kind, sizes in report.get("clusters", {}).items():
        if sizes:
            sections.append(cluster_sizes(kind, sizes))
    for kind, drawn in samples.items():
        items = list(map(_pair, drawn))
        note = f"{counted(len(items), 'document')}, each beside the one that was kept"
        sections.append(Excerpts(kind, note, items))
    return Group("Duplicates", sections)


def _pair(sample: Sample) -> Excerpt:
    dropped, kept = marked(sample["excerpt"], sample["of_excerpt"])
    head = _head(sample, but=("place", "of", "excerpt", "of_excerpt"))
    names = (f"dropped: {sample['place']}", f"kept: {sample['of']}")
    return Excerpt(head, list(zip(names, (dropped, kept), strict=True)))


def _benchmarks(report: Plain) -> Group:
    table = benchmark_table(report)
    sections: list[Section] = [table] if table.rows else []
    for name, examples in report.get("benchmark_examples", {}).items():
        note = counted(len(examples), "example")
        sections.append(Excerpts(name, note, list(map(_finding, examples))))
    note = "Items of benchmarks found in the text, before their documents were dropped or cut."
    return Group("Benchmarks", sections, note)


BRIEF = 80
"""Words up to here stand in the head of an example, longer ones beside each other."""
TEXTS = ("text", "excerpt", "item", "document")


def _finding(example: Plain) -> Excerpt:
    texts = [
        (key, value)
        for key, value in example.items()
        if isinstance(value, str) and (key in TEXTS or len(value) > BRIEF)
    ]
    return Excerpt(_head(example, but=[key for key, _ in texts]), texts)


def _facts(report: Plain) -> Group:
    rest = {key: value for key, value in report.items() if key not in SHOWN_ELSEWHERE}
    single = {key: value for key, value in rest.items() if not isinstance(value, Mapping)}
    titled = {key: value for key, value in rest.items() if key not in single}
    tables = [
        Table(
            _words(title).capitalize(),
            ("", ""),
            [(_words(key), value) for key, value in facts.items()],
        )
        for title, facts in ({"facts": single} | titled).items()
        if facts
    ]
    return Group("Measures", tables)


def _dropped(report: Plain, samples: Mapping[str, Sequence[Sample]]) -> Group:
    numbers = report["dropped"] | {"quarantined": sum(report["quarantined"].values())}
    sections = [
        Excerpts(
            reason,
            f"{counted(numbers.get(reason, 0), 'document')}; see dropped/{reason}.jsonl",
            [_document(one, but="reason" if one.get("reason") == reason else "") for one in drawn],
        )
        for reason, drawn in sorted(samples.items(), key=lambda one: -numbers.get(one[0], 0))
        if drawn
    ]
    return Group("Dropped documents", sections, DRAWN)


def _kept(drawn: Sequence[Sample]) -> Group:
    note = f"{counted(len(drawn), 'document')}; more in report.json"
    folded = Excerpts("Samples", note, list(map(_document, drawn)), unfolded=True)
    return Group("Kept documents", [folded] if drawn else [], DRAWN)


def _document(sample: Sample, but: str = "") -> Excerpt:
    return Excerpt(_head(sample, but=("excerpt", but)), [("", sample["excerpt"])])


def _head(sample: Plain, but: Sequence[str]) -> str:
    """Say where a sample stands and what else is known of it."""
    named = "file" in sample
    place = f"{sample['file']}:{sample['line']}" if named else str(sample.get("id") or "")
    rest = [
        _fact(key, value)
        for key, value in sample.items()
        if key not in (*but, "file", "line", "id") and value is not None
    ]
    return " · ".join(filter(None, [place, *rest]))


def _fact(key: str, value: object) -> str:
    if key == "chars":
        return f"{value:,} characters"
    if isinstance(value, float):
        return f"{_words(key)} {value:.3g}"
    return str(value) if key in ("source", "reason", "place") else f"{_words(key)} {value}"


def _words(name: str) -> str:
    return name.replace("_", " ")
