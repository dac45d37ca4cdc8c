from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpora.store
from corpora.store import Record, RecordReader, read_records, write_records


def record(number: int, text: str = "แมวกินปลา") -> Record:
    return Record(
        place=f"a:{number}",
        text=text,
        file="a",
        line=number,
        own_id=None,
        source="s",
        counted="s",
        thai_share=1.0,
    )


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_records_come_back_in_order_and_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(corpora.store, "FRAME_BYTES", 500)  # some four records a frame
    stores = [tmp_path / "a.docs", tmp_path / "b.docs"]
    records = [record(number) for number in range(count)]
    write_records(stores[0], records[: count // 3])
    write_records(stores[1], records[count // 3 :])
    assert [one for store in stores for one in read_records(store)] == records
    reader = RecordReader(stores)
    assert len(reader) == count
    assert [reader[index] for index in range(count)] == records
    assert [reader[index] for index in reversed(range(count))] == records[::-1]


@settings(max_examples=50)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_comes_back(tmp_path_factory: Any, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("store") / "a.docs"
    records = [record(number, text) for number, text in enumerate(texts)]
    write_records(path, records)
    assert list(read_records(path)) == records


def test_a_store_that_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Any:
        yield record(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_records(tmp_path / "a.docs", failing())
    assert not list(tmp_path.iterdir())
