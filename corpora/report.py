"""The report of a corpus: report.json, the samples of what was dropped, the page, the terminal."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corpora.counts import HISTOGRAMS, Count, Ledger
from corpora.page import corpus_page
from corpora.plots import benchmark_table, reason_table, source_table
from corpora.samples import Sample, Samples
from thaitok.folder import write_json, written
from thaitok.report import Table

TOLD_SOURCES = 20
"""Sources on the terminal."""
SHOWN = {"kept": 30, "changes": 6, "duplicates": 12, "dropped": 10}
"""Samples on the page of each kind and name."""
PLACE = re.compile(r"(.*):([0-9]{1,18})(.*)", re.DOTALL)
NOTHING: Mapping[str, Any] = MappingProxyType({})

Draws = dict[str, list[tuple[str, Sample]]]


def write_report(
    folder: Path, ledger: Ledger, places: Mapping[str, int], extra: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Write report.json, report.html and dropped/; return what report.json holds.

    `places` gives each file's position among the inputs, by which samples are sorted. `extra`
    goes into report.json as it is, and onto the page:
    `clusters` {kind of duplicate: {cluster size: clusters}},
    `benchmark_examples` {benchmark/split: [{key: number or words}]},
    and any other {fact: number or words} or {title: {fact: number or words}}. All of it must
    follow from the input and the settings alone. Raises `ValueError` for a name that the report
    has already.
    """
    report = counts_of(ledger)
    sources = report.pop("sources")
    report |= {"benchmarks": _found(ledger)}
    if taken := sorted({"examples", "sources", *report} & set(extra)):
        raise ValueError(f"the report has {', '.join(taken)} of its own")
    draws = _draws(ledger)
    samples = {kind: _in_order(drawn, places) for kind, drawn in draws.items()}
    _write_dropped(folder / "dropped", samples.pop("dropped"))
    examples = samples | samples.pop("kept")
    report |= {**extra, "examples": examples, "sources": sources}
    few = {kind: _in_order(drawn, places, SHOWN[kind]) for kind, drawn in draws.items()}
    with written(folder / "report.html") as stream:
        stream.write(corpus_page(report, few))
    write_json(folder / "report.json", report)  # last: a run that finds it has nothing to write
    return report


def counts_of(ledger: Ledger) -> dict[str, Any]:
    """Return the totals and, below `sources`, the same of each source."""
    sources = {name: count.plain() for name, count in sorted(ledger.sources.items())}
    return ledger.total().plain() | {"sources": sources}


def totals_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of a report as a manifest holds them: no histograms, sources, samples."""
    return {name: report[name] for name in Count.__slots__ if name not in HISTOGRAMS}


def told(count: Count) -> str:
    """Say in words what took the documents, the most frequent reason first."""
    reasons = Counter(count.dropped)
    reasons.update(count.quarantined)
    return ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common())


def summary_tables(folder: Path) -> list[Table]:
    """Return what the terminal shows of a corpus folder: by source, by reason, by benchmark."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tables = [source_table(report, TOLD_SOURCES), reason_table(report), benchmark_table(report)]
    return [table for table in tables if table.rows]


def _found(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return what was found by benchmark and split: how many items and which."""
    return {
        f"{one['benchmark']}/{one['split']}": {
            "items": one["items"],
            "too_short": one["too_short"],
            "found": len(one["found"]),
            "documents": one["documents"],
            "found_items": one["found"],
        }
        for one in ledger.benchmarks.plain()
    }


def _draws(ledger: Ledger) -> dict[str, Draws]:
    return {
        "kept": _drawn({"kept": ledger.kept}),
        "changes": _drawn(ledger.changes),
        "duplicates": _drawn(ledger.duplicates),
        "dropped": _drawn(ledger.dropped) | _drawn({"quarantined": ledger.quarantined}),
    }


def _drawn(draws: Mapping[str, Samples]) -> Draws:
    return {name: samples.drawn() for name, samples in sorted(draws.items())}


def _in_order(
    draws: Draws, places: Mapping[str, int], most: int | None = None
) -> dict[str, list[Sample]]:
    """Return the samples, or the first `most` drawn, in the order of the input."""

    def position(drawn: tuple[str, Sample]) -> tuple[int, int, str]:
        found = PLACE.fullmatch(drawn[0])
        file, line = (found[1], int(found[2])) if found else (drawn[0], 0)
        return places.get(file, len(places)), line, drawn[0]

    return {
        name: [sample for _, sample in sorted(drawn[:most], key=position)]
        for name, drawn in draws.items()
    }


def _write_dropped(folder: Path, samples: Mapping[str, list[Sample]]) -> None:
    folder.mkdir(exist_ok=True)
    for reason, drawn in samples.items():
        if drawn:
            with written(folder / f"{reason}.jsonl") as stream:
                for sample in drawn:
                    stream.write(json.dumps(sample, ensure_ascii=False) + "\n")
