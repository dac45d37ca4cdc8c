from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpora.repeats import ROW, Rows, find_repeats, line_rows, without_echoes, without_lines

FOOTER = "ติดต่อกองบรรณาธิการได้ทุกวัน"
Tasks = list[list[tuple[int, int]]]


def keys_of(text: str, source: str | None = "s", min_chars: int = 15) -> list[int]:
    return [int(key) for key in line_rows([text], source and [source], 0, min_chars)["key"]]


def write_rows(folder: Path, tasks: Tasks) -> list[Path]:
    paths = []
    for number, rows in enumerate(tasks):
        paths.append(folder / f"rows-{number}")
        np.array(rows, dtype=ROW).tofile(paths[-1])
    return paths


def removed(
    folder: Path,
    tasks: Tasks,
    skip: list[NDArray[np.bool_] | None] | None = None,
    **options: int | bool,
) -> Tasks:
    folder.mkdir(exist_ok=True)
    out = [folder / f"out-{number}" for number in range(len(tasks))]
    total = find_repeats(
        write_rows(folder, tasks),
        skip or [None] * len(tasks),
        out,
        folder / "scratch",
        **options,  # type: ignore[arg-type]
    )
    assert not (folder / "scratch").exists()
    found = [np.fromfile(path, dtype=ROW).tolist() for path in out]
    assert total == sum(map(len, found))
    return found


def test_lines_are_known_by_source_without_white_space() -> None:
    text = f"หัวข้อข่าวประจำวันที่หนึ่ง\n{FOOTER}"
    assert keys_of(f"ข่าว\n {FOOTER[:7]}  {FOOTER[7:]}") == keys_of(f"ข่าว\n{FOOTER}")
    assert len(keys_of(text)) == 2
    assert not set(keys_of(text)) & set(keys_of(text, "other"))
    assert not set(keys_of(text)) & set(keys_of(text, None))


def test_each_line_counts_once_a_document_and_short_ones_never() -> None:
    rows = line_rows([f"{FOOTER}\n{FOOTER}\nสั้น", FOOTER, "", f"ก\n{FOOTER}"], None, 7, 15)
    assert rows["document"].tolist() == [7, 8, 10]
    assert len(set(rows["key"].tolist())) == 1
    assert len(line_rows(["กกกกก"], None, 0, 5)) == 1
    assert len(line_rows(["กกกก", "ก ก ก ก", "abcd"], None, 0, 5)) == 0


def test_a_document_of_one_line_has_no_boilerplate() -> None:
    assert not len(line_rows([FOOTER], ["s"], 0))
    assert len(line_rows([FOOTER], None, 0)) == 1


def test_digits_are_one_in_boilerplate_alone() -> None:
    first, second = (f"ข่าว\nที่มา : https://www.thaigov.go.th/news/{n}" for n in (12345, 67890))
    assert keys_of(first) == keys_of(second)
    assert keys_of(first, None) != keys_of(second, None)


def test_lines_are_taken_out_and_the_layout_is_tidied() -> None:
    text = f"หัวข้อข่าวประจำวันที่หนึ่ง\n\n{FOOTER}\n\nเนื้อข่าว 1\n{FOOTER} \n\nเนื้อข่าว 2\n\n{FOOTER}"
    for source in ("s", None):
        keys = set(keys_of(f"ข่าว\n{FOOTER}", source))
        kept = "หัวข้อข่าวประจำวันที่หนึ่ง\n\nเนื้อข่าว 1\n\nเนื้อข่าว 2"
        assert without_lines(text, keys, source) == kept
    assert without_lines(text, set(), None) == text


def test_the_site_around_a_title_goes() -> None:
    def titles(*names: str) -> list[set[int]]:
        return [set(keys_of(f"{name}\nเนื้อข่าวของวันนี้")) for name in names]

    before = "รัฐบาลไทย-ข่าวทำเนียบรัฐบาล-"
    first, second = titles(f"{before}นายกฯ เยือนลาว", f"{before}COVID-19 ลดลง")
    shared = first & second - set(keys_of("ก\nเนื้อข่าวของวันนี้"))
    assert len(shared) == 1
    text = f"{before}นายกฯ เยือนญี่ปุ่น-จีน\nเนื้อข่าวของวันนี้"
    assert without_lines(text, shared, "s") == text.removeprefix(before)
    assert without_lines(text, shared, "other") == text

    longer = f"{before}นายกฯ เยือนญี่ปุ่น-"
    keys = titles(text)[0] & titles(f"{longer}เกาหลี")[0]
    assert len(keys - set(keys_of("ก\nเนื้อข่าวของวันนี้"))) == 2
    assert without_lines(text, keys | shared, "s").startswith("นายกฯ เยือนญี่ปุ่น-จีน")

    after = " | ข่าวสดออนไลน์ทุกวัน"
    first, second = titles(f"แมวหาย{after}", f"หมาหาย{after}")
    shared = first & second - set(keys_of("ก\nเนื้อข่าวของวันนี้"))
    text = f"นกหาย 3 ตัว{after}\nเนื้อข่าวของวันนี้"
    assert without_lines(text, shared, "s") == "นกหาย 3 ตัว\nเนื้อข่าวของวันนี้"


def test_boilerplate_goes_wherever_it_stands(tmp_path: Path) -> None:
    tasks = [[(1, 0), (2, 0), (1, 1)], [(1, 0), (3, 0), (2, 5)]]
    assert removed(tmp_path, tasks, min_documents=3) == [[(1, 0), (1, 1)], [(1, 0)]]


def test_line_deduplication_leaves_the_first(tmp_path: Path) -> None:
    tasks = [[(9, 0), (2, 0), (9, 1)], [(9, 0), (3, 0), (2, 5)]]
    found = removed(tmp_path, tasks, min_documents=2, keep_first=True)
    assert found == [[(9, 1)], [(9, 0), (2, 5)]]


def test_documents_left_out_do_not_count(tmp_path: Path) -> None:
    tasks = [[(9, 0), (9, 1)], [(9, 0), (9, 2)]]
    skip = [np.array([True, False]), None]
    assert removed(tmp_path, tasks, skip, min_documents=4) == [[], []]
    assert removed(tmp_path, tasks, skip, min_documents=3) == [[(9, 1)], [(9, 0), (9, 2)]]
    found = removed(tmp_path, tasks, skip, min_documents=2, keep_first=True)
    assert found == [[], [(9, 0), (9, 2)]]


def simple(tasks: Tasks, min_documents: int, keep_first: bool) -> Tasks:
    """Find repeats in memory."""
    counts = Counter(key for rows in tasks for key, _ in rows)
    seen: set[int] = set()
    found: Tasks = []
    for rows in tasks:
        found.append([])
        for key, document in rows:
            if counts[key] >= min_documents and not (keep_first and key not in seen):
                found[-1].append((key, document))
            seen.add(key)
        found[-1].sort(key=lambda row: (row[1], row[0]))
    return found


KEYS = st.integers(0, 2**64 - 1) | st.integers(0, 15).map(lambda first: first << 60)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(KEYS, min_size=1, max_size=12).flatmap(
        lambda keys: st.lists(
            st.lists(st.sets(st.sampled_from(keys), max_size=5), max_size=12), max_size=4
        )
    ),
    st.integers(1, 5),
    st.booleans(),
    st.integers(1, 9),
    st.integers(1, 20),
)
def test_any_buckets_and_chunks_find_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[list[set[int]]],
    min_documents: int,
    keep_first: bool,
    chunk_rows: int,
    bucket_rows: int,
) -> None:
    tasks = [
        [(key, number) for number, keys in enumerate(task) for key in sorted(keys)]
        for task in documents
    ]
    options = {"min_documents": min_documents, "keep_first": keep_first}
    sizes = {"chunk_rows": chunk_rows, "bucket_rows": bucket_rows}
    folder = tmp_path_factory.mktemp("rows")
    found = removed(folder, tasks, None, **options, **sizes)
    assert found == simple(tasks, min_documents, keep_first)


def test_a_stopped_run_leaves_nothing_that_counts(tmp_path: Path) -> None:
    tasks: Tasks = [[(9, 0), (9, 1)]]
    first = removed(tmp_path, tasks, min_documents=2)
    (tmp_path / "scratch").mkdir()
    np.array([(9, 0, 5)] * 9, dtype=[("k", "<u8"), ("t", "<u4"), ("d", "<u4")]).tofile(
        tmp_path / "scratch" / "bucket-000"
    )
    np.array([(9, 5)] * 9, dtype=ROW).tofile(tmp_path / "scratch" / "task-000000")
    assert removed(tmp_path, tasks, min_documents=2) == first


@pytest.mark.parametrize("same", [0, 1])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, same: int) -> None:
    """Neither with many keys nor with one key in all documents."""
    import tracemalloc

    rng = np.random.default_rng(0)

    def rows(count: int) -> list[Path]:
        made: Rows = np.empty(count, dtype=ROW)
        made["key"] = 5 if same else rng.integers(0, 2**63, count)
        made["document"] = np.arange(count)
        path = tmp_path / f"rows-{count}"
        made.tofile(path)
        return [path]

    peaks = []
    for count in (100_000, 800_000):
        paths = rows(count)
        tracemalloc.start()
        find_repeats(
            *(paths, [None], [tmp_path / "out"], tmp_path / "scratch"),
            min_documents=count + 1,
            keep_first=False,
            chunk_rows=20_000,
            bucket_rows=20_000,
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_real_footers_go_and_news_stays(real_lines: Callable[[str, int], list[str]]) -> None:
    text = "\n".join(real_lines("thaigov_v2", 20_000))
    start = "รัฐบาลไทย-ข่าวทำเนียบรัฐบาล-"
    documents = [start + part.strip("\n") for part in text.split(start)[1:]]
    rows = line_rows(documents, ["gov"] * len(documents), 0)
    keys, counts = np.unique(rows["key"], return_counts=True)
    gone = set(keys[counts >= 50].tolist())
    left = [without_lines(document, gone, "gov") for document in documents]
    assert len(documents) > 500
    assert sum("ที่มา : https://www.thaigov" in one for one in left) < len(left) / 100
    assert sum(one.startswith(start) for one in left) < len(left) / 100
    assert sum(map(len, left)) > 0.9 * sum(map(len, documents))


def test_a_line_that_says_what_the_line_before_said_is_cut() -> None:
    title = "ปลัดกระทรวงกลาโหมมอบแนวทางการปฏิบัติงาน"
    text = f"{title}\n\n{title}\n{title}\nวันนี้มีข่าว\nใช่\nใช่\n{title}"
    assert without_echoes(text) == f"{title}\n\nวันนี้มีข่าว\nใช่\nใช่\n{title}"


@given(st.lists(st.sampled_from(["", "สั้น", "บรรทัดที่ยาวพอจะถูกตัดออก", "อีกบรรทัดที่ยาวพอจะถูกตัด"])))
def test_cutting_echoes_is_idempotent_and_takes_only_echoes(lines: list[str]) -> None:
    text = "\n".join(lines)
    cut = without_echoes(text)
    assert without_echoes(cut) == cut
    left = [line for line in cut.split("\n") if line]
    assert set(left) == set(filter(None, lines))
    assert all(one != other or len(one) < 15 for one, other in itertools.pairwise(left))
