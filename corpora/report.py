"""The report of a corpus: exact counts by source and reason, and samples to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.counts import Count, Ledger, Sample
from thaitok.folder import write_json, written
from thaitok.report import Table, html_page

SHOWN_SOURCES = 100
SHOWN_SAMPLES = 10


def write_report(folder: Path, ledger: Ledger, places: Mapping[str, int]) -> dict[str, Any]:
    """Write report.json, report.html and dropped/; return the counts of the manifest.

    `places` gives each file's position among the inputs, by which samples are sorted.
    """
    samples = {
        reason: _in_order(drawn.drawn(), places) for reason, drawn in sorted(ledger.dropped.items())
    }
    samples["quarantined"] = _in_order(ledger.quarantined.drawn(), places)
    (folder / "dropped").mkdir(exist_ok=True)
    for reason, drawn in samples.items():
        if drawn:
            _write_samples(folder / "dropped" / f"{reason}.jsonl", drawn)
    counts = counts_of(ledger)
    with written(folder / "report.html") as stream:
        stream.write(html_page("Corpus report", _tables(counts, samples)))
    write_json(folder / "report.json", counts)
    return counts


def counts_of(ledger: Ledger) -> dict[str, Any]:
    """Return the totals and, below `sources`, the same of each source."""
    sources = {name: count.plain() for name, count in sorted(ledger.sources.items())}
    return ledger.total().plain() | {"sources": sources}


def told(count: Count) -> str:
    """Say in words what took the documents, the most frequent reason first."""
    reasons = Counter(count.dropped)
    reasons.update(count.quarantined)
    return ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common())


def _in_order(drawn: list[tuple[str, Sample]], places: Mapping[str, int]) -> list[Sample]:
    samples = [sample for _, sample in drawn]
    return sorted(samples, key=lambda sample: (places[sample["file"]], sample["line"]))


def _write_samples(path: Path, samples: list[Sample]) -> None:
    with written(path) as stream:
        for sample in samples:
            stream.write(json.dumps(sample, ensure_ascii=False) + "\n")


def _tables(counts: dict[str, Any], samples: dict[str, list[Sample]]) -> list[Table]:
    total = counts["documents"]
    return [
        Table(
            "Documents",
            ("", "documents", "percent"),
            [
                (name, number, 100 * number / max(total, 1))
                for name, number in _fates(counts).items()
            ],
            "Every document read is kept, dropped or quarantined, once.",
        ),
        Table(
            "Text",
            ("", "number"),
            [
                ("documents changed by the text rules", counts["changed_by_rules"]),
                ("characters read", counts["characters_read"]),
                ("characters kept", counts["characters_kept"]),
                ("bytes kept (UTF-8)", counts["bytes_kept"]),
            ],
        ),
        _source_table(counts["sources"]),
        *(_sample_table(reason, drawn) for reason, drawn in samples.items() if drawn),
    ]


def _fates(counts: dict[str, Any]) -> dict[str, int]:
    fates = {"read": counts["documents"], "kept": counts["kept"]}
    for fate in ("dropped", "quarantined"):
        fates |= {f"{fate}: {reason}": number for reason, number in counts[fate].items()}
    return fates


def _source_table(sources: dict[str, dict[str, Any]]) -> Table:
    largest = sorted(sources.items(), key=lambda item: -item[1]["documents"])[:SHOWN_SOURCES]
    return Table(
        "Sources",
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
            for name, count in largest
        ],
        f"The {len(largest)} largest of {len(sources)}; report.json has the reasons of each.",
    )


def _sample_table(reason: str, samples: list[Sample]) -> Table:
    return Table(
        f"Samples: {reason}",
        ("place", "source", "reason", "excerpt"),
        [
            (f"{one['file']}:{one['line']}", one["source"], one["reason"], one["excerpt"])
            for one in samples[:SHOWN_SAMPLES]
        ],
        f"More in dropped/{reason}.jsonl.",
    )
