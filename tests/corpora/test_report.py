from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from corpora.counts import Count, Ledger, excerpt
from corpora.decontaminate import Contamination, Finding, SplitCount
from corpora.report import counts_of, summary_tables, told, totals_of, write_report

PLACES = {"b.jsonl": 0, "a.jsonl": 1}
"""The order of the input is not that of the names."""

EXTRA = {
    "benchmark_examples": {
        "wisesight/test": [{"place": "a.jsonl:3", "item": "ข้อความทดสอบ", "share": 0.75}]
    },
    "index_bytes_a_document": 321,
    "clusters": {"near": {"2": 40, "3": 7, "6": 2, "120": 1}},
    "deduplication": {"index_bytes_per_document": 77.5, "rule": "Jaccard 0.8"},
}  # fmt: skip


def sample(place: str, **more: Any) -> dict[str, Any]:
    file, _, line = place.rpartition(":")
    return {"source": "news", "file": file, "line": int(line), "chars": 9, **more}


def ledger_of(places: list[str]) -> Ledger:
    """Record documents of every fate."""
    ledger = Ledger()
    ledger.benchmarks = Contamination(
        {("wisesight", "test"): SplitCount(2671, 31), ("wongnai", "test"): SplitCount(6203)}
    )
    for place in places:
        number = int(place.rpartition(":")[2])
        source = ("news", "social")[number % 2]
        count = ledger.of(ledger.name(source))
        count.documents += 1
        if number % 10 == 0:
            broken = sample(place, reason="not_utf8", excerpt="\\xff")
            ledger.quarantine(source, "not_utf8", place, lambda one=broken: one)  # type: ignore[misc]
            continue
        count.characters_read += 100 + number
        if number % 100 == 7:
            ledger.benchmarks.add([Finding("wisesight", "test", (number, 7), 0.75, (0,))])
        count.changed_by_rules += 1
        count.shorten("rules", 20)
        left = 80 + number
        if number % 2 == 0:
            ledger.change("a_rule", place, f"{number}  ก", f"{number} ก")
        ledger.change("entities", place, f"ก{number}&nbsp;ข", f"ก{number} ข")
        if number % 10 < 4:
            reason = "near_duplicate" if number % 10 == 3 else "too_short"
            if reason == "near_duplicate":
                ledger.duplicate("near", place, f"แมว{number}", lambda: ("b.jsonl:1", "แมวหนึ่ง"))
            one = sample(place, reason=reason, excerpt=excerpt(f"ทิ้ง{number}"))
            ledger.drop(source, reason, place, lambda one=one: one, characters=left, thai_share=0.2)  # type: ignore[misc]
            continue
        if number % 10 == 5:
            count.cut("repeated_lines", 10)
            left -= 10
        if number % 10 == 6:
            count.mask({"phone": 2}, 5)
            left -= 5
        count.keep(left, 3 * left, 0.9)
        kept = sample(place, excerpt=excerpt(f"เก็บ{number}\nบรรทัด", lines=True))
        ledger.keep_sample(place, lambda one=kept: one)  # type: ignore[misc]
    return ledger


ALL = [f"{file}:{line}" for file in PLACES for line in range(1, 301)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_report(folder, ledger_of(ALL), PLACES, EXTRA)
    return folder


class Text(HTMLParser):
    """The text of a page under each of its titles, and its tags, which must match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.parts: dict[str, str] = {"": ""}
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "h2":
            self.parts[f"{len(self.parts)}"] = ""
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.parts[data] = self.parts.popitem()[1]
        elif self.open and self.open[-1] != "style":
            self.parts[list(self.parts)[-1]] += f"{data}|"


def page_of(folder: Path) -> Text:
    return Text((folder / "report.html").read_text(encoding="utf-8"))


def test_report_json_holds_the_counts_and_all_that_the_page_shows(written: Path) -> None:
    report = json.loads((written / "report.json").read_text(encoding="utf-8"))
    ledger = ledger_of(ALL)
    assert Count.parse(totals_of(report)) == Count.parse(totals_of(counts_of(ledger)))
    assert report["documents"] == 600
    assert report["kept"] == 360
    assert report["dropped"] == {"too_short": 120, "near_duplicate": 60}
    assert report["quarantined"] == {"not_utf8": 60}
    assert report["characters_removed"] == {"rules": 540 * 20, "repeated_lines": 600, "masks": 300}
    assert report["documents_cut"] == {"repeated_lines": 60}
    assert (report["masked"], report["masks"]) == (60, {"phone": 120})
    assert {name: one["documents"] for name, one in report["sources"].items()} == {
        "news": 300, "social": 300
    }  # fmt: skip
    assert sum(report["kept_lengths"].values()) == report["kept"]
    assert report["dropped_thai_share"] == {"20": 180}
    for name, value in EXTRA.items():
        assert report[name] == value
    assert len(report["examples"]["kept"]) == 100
    assert list(report["examples"]["changes"]) == ["a_rule", "entities"]
    assert report["benchmarks"]["wisesight/test"] == {
        "items": 2671, "too_short": 31, "found": 3, "documents": 6, "found_items": [7, 107, 207]
    }  # fmt: skip
    assert report["examples"]["duplicates"]["near"][0]["of"] == "b.jsonl:1"


def test_samples_stand_in_the_order_of_the_input(written: Path) -> None:
    lines = (written / "dropped" / "too_short.jsonl").read_text(encoding="utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    places = [(PLACES[one["file"]], one["line"]) for one in samples]
    assert len(places) == 100
    assert places == sorted(places)
    assert {place for place, _ in places} == {0, 1}
    files = {path.name for path in (written / "dropped").iterdir()}
    assert files == {"too_short.jsonl", "near_duplicate.jsonl", "quarantined.jsonl"}


def test_the_report_is_the_same_bytes_however_the_tasks_came(tmp_path: Path, written: Path) -> None:
    places = list(ALL)
    random.Random(1).shuffle(places)
    joined = Ledger()
    for task in (2, 0, 1):
        plain = json.loads(json.dumps(ledger_of(places[task::3]).plain()))
        joined.join(Ledger.parse(plain))
    assert list(joined.changes) != list(ledger_of(ALL).changes)
    write_report(tmp_path, joined, PLACES, EXTRA)
    for path in written.rglob("*.*"):
        assert (tmp_path / path.relative_to(written)).read_bytes() == path.read_bytes(), path


def test_the_page_shows_every_part(written: Path) -> None:
    parts = page_of(written).parts
    assert list(parts)[1:] == [
        "Sources", "Reasons", "Length and script", "Changes within documents", "Duplicates",
        "Benchmarks", "Measures", "Dropped documents", "Kept documents",
    ]  # fmt: skip
    assert "documents read|600|from 2 sources" in parts[""]
    assert "kept|360|60 %" in parts[""]
    assert "300 documents, 60 % kept" in parts["Sources"]
    assert "120 documents (20 %)" in parts["Reasons"]
    assert "quarantined: not_utf8|60 documents (10 %), 0 characters" in parts["Reasons"]
    assert "180 dropped documents (100 %)" in parts["Length and script"]
    assert "cut: repeated_lines|60|600" in re.sub(
        r"\|\s*\|", "|", parts["Changes within documents"]
    )
    assert "phone|120" in parts["Changes within documents"]
    assert "kept: b.jsonl:1|แมว|หนึ่ง|" in parts["Duplicates"]
    assert "5-9 documents|2|" in parts["Duplicates"]
    found = "wisesight/test|2,671|31|3|6|wongnai/test|6,203|0|0|0"
    assert found in re.sub(r"\|\s*\|", "|", parts["Benchmarks"])
    assert "a.jsonl:3 · share 0.75" in parts["Benchmarks"]
    assert "ข้อความทดสอบ" in parts["Benchmarks"]
    assert "index bytes per document|77.5" in parts["Measures"]
    assert "index bytes a document|321" in parts["Measures"]
    assert "120 documents; see dropped/too_short.jsonl" in parts["Dropped documents"]
    assert len(re.findall(r"ทิ้ง\d+", parts["Dropped documents"])) == 20
    assert len(re.findall(r"เก็บ\d+\nบรรทัด", parts["Kept documents"])) == 30


def test_changes_are_marked_and_duplicates_stand_side_by_side(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    assert len(re.findall("<mark[^>]*>&amp;nbsp;</mark>", page)) == 6
    pair = re.search(r"dropped: ([\w.:]+)</b>(.*?)</p><p>.*?kept: b.jsonl:1</b>(.*?)</p>", page)
    assert pair
    plain = [re.sub("<.*?>", "", part) for part in pair.groups()]
    assert plain[1] == "แมว" + plain[0].partition(":")[2]
    assert plain[2] == "แมวหนึ่ง"


def test_an_empty_ledger_has_a_report_too(tmp_path: Path) -> None:
    report = write_report(tmp_path, Ledger(), {})
    assert report["documents"] == 0
    parts = page_of(tmp_path).parts
    assert list(parts) == [""]
    assert "documents read|0|from 0 sources" in parts[""]
    assert list((tmp_path / "dropped").iterdir()) == []
    assert summary_tables(tmp_path) == []


HOSTILE = ["<script>alert(1)</script>", "\u202e<b>evil", "a\nb\x00", "", "x" * 200, "مصدر", "&amp;"]


def test_hostile_names_and_huge_numbers_do_not_break_the_page(tmp_path: Path) -> None:
    ledger = Ledger()
    for number, name in enumerate(HOSTILE):
        one = sample("a.jsonl:1", source=name, reason="spam", excerpt=name)
        ledger.drop(name, "spam", f"{name}:{number}", lambda one=one: one, characters=10**17)  # type: ignore[misc]
        count = ledger.of(name)
        count.documents, count.kept = 10**15 + 1, 10**15
        count.characters_read = count.characters_kept = 10**18
        count.kept_lengths[LAST] = 10**15
        ledger.change(name, "a.jsonl:1", name + "1", name)
    ledger.benchmarks = Contamination({(name, name): SplitCount() for name in HOSTILE})
    write_report(tmp_path, ledger, PLACES, {name: {name: name} for name in HOSTILE})
    page = page_of(tmp_path)
    assert not page.tags & {"script", "b>evil"}
    assert "\u202e" not in page.parts["Sources"]
    assert "\\u202e<b>evil" in page.parts["Sources"]
    assert "(no name)" in page.parts["Sources"]
    assert "documents read|7,000 T|" in page.parts[""]
    assert max(map(len, page.parts["Sources"].split("|"))) < 200


LAST = 50_000_000


def test_a_thousand_sources_are_summed_up(tmp_path: Path) -> None:
    ledger = Ledger()
    for number in range(1000):
        count = Count(documents=number + 1, kept=number, characters_kept=7)
        count.drop("short", 3)
        ledger.of(f"s{number}").add(count)
    report = write_report(tmp_path, ledger, {})
    assert len(report["sources"]) == 1000
    assert (tmp_path / "report.html").stat().st_size < 100_000
    sources, reasons = summary_tables(tmp_path)
    assert [row[0] for row in sources.rows] == [
        *(f"s{number}" for number in range(999, 979, -1)), "(980 more)", "all"
    ]  # fmt: skip
    for column in range(1, 6):
        *each, total = (int(str(row[column])) for row in sources.rows)
        assert sum(each) == total
    assert sources.rows[-1] == ("all", 500_500, 499_500, 1000, 0, 7000)
    assert reasons.rows == [("short", 1000, pytest.approx(0.2, abs=0.001), 3000)]


def test_columns_of_numbers_are_numbers_on_the_terminal(written: Path) -> None:
    tables = summary_tables(written)
    assert len(tables) == 3
    for table in tables:
        for row in table.rows:
            assert isinstance(row[0], str)
            assert all(isinstance(cell, int | float) for cell in row[1:])
            assert len(row) == len(table.columns)


def test_a_name_the_report_has_is_refused(tmp_path: Path) -> None:
    for name in ("documents", "sources", "examples", "benchmarks"):
        with pytest.raises(ValueError, match=name):
            write_report(tmp_path, Ledger(), {}, {name: {}})


def test_the_manifest_takes_the_totals_alone() -> None:
    totals = totals_of(counts_of(ledger_of(ALL)) | EXTRA)
    assert {"documents", "kept", "dropped", "quarantined", "bytes_kept"} <= set(totals)
    assert not {"sources", "kept_lengths", "benchmarks"} & set(totals)


def test_reasons_are_told_the_most_frequent_first() -> None:
    count = Count()
    for reason in ("a", "b", "b"):
        count.drop(reason, 1)
    count.quarantined["c"] += 3
    assert told(count) == "c 3, b 2, a 1"
