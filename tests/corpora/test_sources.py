from __future__ import annotations

import re

import pytest

from corpora.hub import parse_hub
from corpora.inputs import format_of
from corpora.sources import Source, row_for, source_of, sources_table

BENCHMARKS = {"wisesight", "wongnai", "prachathai"}


@pytest.mark.parametrize("row", sources_table(), ids=lambda row: row.name)
def test_each_row_can_be_read_or_says_why_not(row: Source) -> None:
    assert re.fullmatch("[a-z0-9_]+", row.name) and row.about and row.licence and row.checked
    if not row.repo:
        assert row.warning
        return
    spec = parse_hub(f"hub:{row.name}")
    assert (spec.repo, spec.revision, spec.column) == (row.repo, row.revision, row.column)
    assert (spec.config, spec.split, spec.files) == (row.config, row.split, row.files)
    assert not (row.config and row.files)
    named = row.revision in ("main", "refs/convert/parquet")
    assert named or re.fullmatch("[0-9a-f]{40}", row.revision)
    if row.files:
        assert format_of(row.files.replace("*", "x"))


@pytest.mark.parametrize("row", sources_table(), ids=lambda row: row.name)
def test_sizes_have_a_source_and_gates_and_benchmarks_a_warning(row: Source) -> None:
    assert (row.bytes is None) == (not row.measured)
    assert not row.gated or "gated" in row.warning
    assert row.name not in BENCHMARKS or "benchmark" in row.warning
    assert "script" not in row.checked or row.revision != "main" or row.files or not row.repo


def test_names_are_unique_and_every_benchmark_is_there() -> None:
    names = [row.name for row in sources_table()]
    assert len(names) == len(set(names)) and set(names) >= BENCHMARKS
    assert {"wikipedia", "fineweb2", "culturax", "oscar2301", "mc4", "cc100", "thaigov"} <= {*names}


def test_rows_are_found_by_name_and_by_repository() -> None:
    row = source_of("fineweb2")
    assert row is not None and source_of("fineweb3") is None
    assert row_for("huggingfacefw/FineWeb-2", "tha_Thai") == row
    assert row_for("HuggingFaceFW/fineweb-2", "lao_Laoo") == row, "its warnings hold all the same"
    assert row_for("org/other") is None
