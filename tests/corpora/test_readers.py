from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import CleanConfig
from corpora.columns import check_column
from corpora.inputs import find_files
from corpora.plan import pieces_of
from corpora.readers import read_piece
from corpora.records import Fault, Found
from thaitok.errors import UserError


def read(path: Path, **changes: Any) -> list[Found | Fault]:
    config = CleanConfig(inputs=(str(path),), out=Path("/nowhere"), workers=1, **changes)
    (file,) = find_files(config.inputs, config.out)
    check_column(file, config)
    pieces = pieces_of(file, config)
    return [item for piece in pieces for item in read_piece(piece, config, lambda _: None)]


def told(items: Sequence[Found | Fault]) -> list[tuple[int, str]]:
    return [(one.line, one.text if isinstance(one, Found) else f"!{one.reason}") for one in items]


BAD_LINES = [
    (b"{broken", "not_json"),
    ('{"text": "ตัดกลาง'.encode(), "not_json"),
    (b'{"text": "\xe0\xb9"}', "not_utf8"),
    ('{"text": "ไทย"}'.encode("utf-16"), "nul"),
    (b'["text"]', "not_an_object"),
    (b"3", "not_an_object"),
    (b'{"body": "x"}', "no_text"),
    (b'{"text": null}', "no_text"),
    (b'{"text": ["x"]}', "text_is_no_string"),
    (b'{"text": "x\\ud800"}', "lone_surrogate"),
    (b'{"text": "x\\u0000"}', "nul"),
    (b"[" * 100_000, "nested_too_deep"),
    (b'{"text": ' + b"1" * 5000 + b"}", "not_json"),
    (b'{"text": "' + b"x" * 200_000 + b'"}', "too_many_bytes"),
]


def test_each_bad_line_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"text": "ดี"}'.encode()
    path.write_bytes(b"\n".join(part for line, _ in BAD_LINES for part in (line, good, b" ")))
    items = read(path, max_line_bytes=150_000)
    assert told(items[::2]) == [
        (3 * i + 1, f"!{reason}") for i, (_, reason) in enumerate(BAD_LINES)
    ]
    assert {one.text for one in items[1::2] if isinstance(one, Found)} == {"ดี"}
    assert len(items) == 2 * len(BAD_LINES)


def test_ids_and_sources_are_taken_over_where_they_can_serve(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    ids = ["a", 7, True, None, "", "x" * 300, {"no": 1}, "\ud800", [1]]
    lines = [json.dumps({"text": "ก", "id": one, "source": one}) for one in ids]
    path.write_text("\n".join(lines), encoding="utf-8")
    items = [one for one in read(path) if isinstance(one, Found)]
    assert [one.id for one in items] == ["a", "7", *[None] * 7]
    assert [one.source for one in items] == ["a", "7", *[None] * 7]


def test_wikiextractor(tmp_path: Path) -> None:
    path = tmp_path / "wiki_00"
    path.write_text('{"id": "12", "url": "u", "title": "แมว", "text": "แมวบ้าน"}\n')
    assert read(path) == [Found(1, "แมวบ้าน", "12", None)]


@pytest.mark.parametrize(
    ("mode", "documents"),
    [
        (
            "line",
            [(1, "ก"), (2, "ข"), (5, "ค"), (6, "!not_utf8"), (7, "!too_many_bytes"), (9, "ง")],
        ),
        ("paragraph", [(1, "ก\nข"), (5, "!too_many_bytes"), (9, "ง")]),
        ("file", [(1, "!too_many_bytes")]),
    ],
)
def test_txt(tmp_path: Path, mode: str, documents: list[tuple[int, str]]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("ก\r\nข\n\n \nค\n".encode() + b"\xff\n" + b"x" * 99 + "\n\nง".encode())
    assert told(read(path, txt_documents=mode, max_line_bytes=64)) == documents


def test_txt_file_as_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ก\n\nข\n")
    assert told(read(path, txt_documents="file")) == [(1, "ก\n\nข")]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        '\ufeffid,text,source\n1,"ก, ข\nค ""ง""",s\n'.encode()
        + b"2,\xff,s\n3\n4," + b"x" * 99 + b",s\n"
        + '\n5,จ 5" จอ,s\n'.encode()
        + b'6,"' + b"y\n" * 80
    )  # fmt: skip
    items = read(path, max_line_bytes=64)
    assert items[0] == Found(2, 'ก, ข\nค "ง"', "1", "s")
    assert told(items[1:5]) == [
        (4, "!not_utf8"), (5, "!no_text"), (6, "!too_many_bytes"), (8, 'จ 5" จอ')
    ]  # fmt: skip
    # A quote that never ends is given up after 64 characters; what it swallowed is set aside.
    assert told(items[5:6]) == [(9, "!not_csv")]


def test_a_csv_fault_does_not_change_the_limit_of_others(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    (tmp_path / "a.csv").write_text("text\nก\n")
    read(tmp_path / "a.csv")
    assert csv.field_size_limit() == before


def write_parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=200)
    return path


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet(tmp_path: Path, kind: Any) -> None:
    texts = pa.array([f"เอกสาร {i}" for i in range(500)]).cast(kind)
    path = write_parquet(tmp_path / "a.parquet", id=list(range(500)), text=texts)
    items = read(path)
    assert items[299] == Found(300, "เอกสาร 299", "299", None)
    assert [one.line for one in items] == list(range(1, 501))


def test_parquet_faults(tmp_path: Path) -> None:
    raw = [None, b"\xff", b"x" * 99, b"a\0", "ดี".encode()]
    texts = pa.array(raw, type=pa.binary())
    path = write_parquet(tmp_path / "a.parquet", text=texts, source=pa.array([b"s"] * 5))
    items = read(path, max_line_bytes=64)
    assert told(items) == [
        (1, "!no_text"), (2, "!not_utf8"), (3, "!too_many_bytes"), (4, "!nul"), (5, "ดี")
    ]  # fmt: skip
    assert isinstance(items[4], Found)
    assert items[4].source == "s"


def test_a_damaged_parquet_keeps_what_came_before(tmp_path: Path) -> None:
    texts = [f"{i} " + "ก" * (i % 90) for i in range(10_000)]
    path = write_parquet(tmp_path / "a.parquet", text=texts)
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    items = read(path)
    assert told(items)[-1][1] == "!broken_file"
    assert [one.text for one in items[:-1] if isinstance(one, Found)] == texts[: len(items) - 1]
    assert len(items) > 100
    path.write_bytes(data[:-4])
    assert told(read(path)) == [(1, "!broken_file")]


def test_a_truncated_gz_keeps_what_came_before(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"เอกสารที่ {i * 7919}"}) for i in range(5000)]
    packed = gzip.compress("\n".join(lines).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    items = read(path)
    assert len(items) > 1000
    assert told(items)[-1] == (len(items), "!broken_file")
    assert all(isinstance(one, Found) for one in items[:-1])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p.with_suffix(".csv").write_text("a,b\n1,2\n"), "x.csv:1: has no column 'text'"),
        (lambda p: write_parquet(p.with_suffix(".parquet"), a=["x"], n=[1]), "one of: a"),
        (lambda p: write_parquet(p.with_suffix(".parquet"), text=[1]), "no text column 'text'"),
    ],
)
def test_a_table_without_the_column_is_the_users_fault(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    make(tmp_path / "x")
    (path,) = tmp_path.iterdir()
    with pytest.raises(UserError) as error:
        read(path)
    assert says in str(error.value)


@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from(["jsonl", "txt", "csv"]))
def test_no_bytes_are_fatal(lines: list[bytes], kind: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        path.write_bytes(b"text\n" + b"\n".join(lines))
        items = read(path)
    for one in items:
        if isinstance(one, Found):
            one.text.encode()
    if kind != "csv":
        asked = b"\n".join(lines).split(b"\n")
        assert len(items) == 1 + sum(bool(line.removesuffix(b"\r").strip()) for line in asked)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=6)
)
def test_every_sound_document_is_read_back(texts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        assert told(read(path)) == list(enumerate(texts, 1))
