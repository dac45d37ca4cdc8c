from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import letters as letters_module
from corpora.benchmarks import DecontaminationConfig, find_splits, read_items, texts_of
from corpora.decontaminate import BenchmarkIndex, Contamination, Finding, build_index, cut
from corpora.letters import letters_of, windows
from thaitok.errors import UserError
from thaitok.rules import clean_text

WORDS = (
    *("แมว", "นั่ง", "บน", "เสื่อ", "หน้า", "บ้าน", "วันนี้", "อากาศ", "ดี", "มาก", "ท้องฟ้า", "แจ่มใส"),
    *("นาย", "สมชาย", "ไป", "ทำงาน", "ที่", "กรุงเทพ", "ร้าน", "อาหาร", "อร่อย", "ราคา", "ไม่", "แพง"),
    *("รัฐบาล", "ประกาศ", "มาตรการ", "ช่วยเหลือ", "ประชาชน", "เด็ก", "อ่าน", "หนังสือ", "ห้องสมุด"),
)
SHORT = "ขอเปลี่ยนโปรโมชั่นหน่อยค่ะ"


def prose(seed: int, words: int) -> str:
    """Return a line of Thai words that no other seed gives."""
    rng = random.Random(seed)
    return "".join(rng.choice(WORDS) + rng.choice(("", "", " ")) for _ in range(words)).strip()


def write(path: Path, records: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records).encode()
    path.write_bytes(zstandard.compress(lines) if path.suffix == ".zst" else lines)
    return path


LONG = [prose(seed, 60) for seed in range(20)]
ARTICLE = "\n".join(prose(seed, 80) for seed in range(100, 110))


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    write(tmp_path / "bench" / "reviews" / "test.jsonl", [{"text": text} for text in LONG])
    write(
        tmp_path / "bench" / "calls" / "validation.jsonl.zst",
        [{"text": SHORT, "label": "a"}, {"text": "ครับ"}, {"text": ARTICLE}],
    )
    return tmp_path / "bench"


@pytest.fixture
def index(bench: Path) -> BenchmarkIndex:
    return build_index(DecontaminationConfig(benchmarks=(str(bench),)))


def names(findings: Sequence[Finding]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.benchmark, one.split, one.items) for one in findings]


def test_an_item_is_found_wherever_it_stands(index: BenchmarkIndex) -> None:
    around = "\n".join([prose(500, 90), LONG[3], prose(501, 90)])
    inside = prose(502, 50) + LONG[4] + prose(503, 50)
    found = index.find([around, prose(504, 200), inside, ""])
    assert [names(one) for one in found] == [
        [("reviews", "test", (4,))],
        [],
        [("reviews", "test", (5,))],
        [],
    ]
    assert found[0][0].lines == (1,)
    assert found[0][0].share == 1


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 19), st.integers(0, 400), st.integers(0, 400), st.integers(0, 2**32))
def test_layout_case_and_signs_do_not_hide_an_item(
    item: int, before: int, after: int, seed: int
) -> None:
    rng = random.Random(seed)
    text = "".join(ch + rng.choice(("", "", "", " ", "\n", ",", "!", "😀")) for ch in LONG[item])
    document = prose(seed, before) + "\n" + text + "\n" + prose(seed + 1, after)
    found = shared_index().find([document])[0]
    assert ("t", "test", (item + 1,)) in names(found)


_SHARED: list[BenchmarkIndex] = []


def shared_index() -> BenchmarkIndex:
    if not _SHARED:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "t" / "test.jsonl", [{"text": text} for text in LONG])
            config = DecontaminationConfig(benchmarks=(f"{folder}/t",))
            _SHARED.append(build_index(config))
    return _SHARED[0]


def test_thai_and_arabic_digits_and_case_are_one(tmp_path: Path) -> None:
    text = "มาตรา ๑๒๓ แห่งพระราชบัญญัติ IPhone พ.ศ. ๒๕๖๔ ให้ใช้บังคับตั้งแต่วันถัดจากวันประกาศเป็นต้นไป ณ วันที่ ๑"
    write(tmp_path / "law" / "test.jsonl", [{"text": text}])
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "law"),)))
    other = text.translate({0x0E50 + n: str(n) for n in range(10)}).replace("IPhone", "iphone")
    assert index.find([other])[0]


def test_a_short_item_must_be_a_whole_line_or_document(index: BenchmarkIndex) -> None:
    calls = [("calls", "validation", (1,))]
    assert names(index.find(["สวัสดี\n" + SHORT + " !\nลาก่อน"])[0]) == calls
    assert names(index.find([SHORT[:12] + "\n" + SHORT[12:]])[0]) == calls
    assert not index.find(["เมื่อวานลูกค้าบอกว่า" + SHORT])[0]
    assert not index.find(["สวัสดี\n" + SHORT[:12] + "\n" + SHORT[12:]])[0]


def test_an_item_over_two_documents_is_in_neither(tmp_path: Path) -> None:
    item = LONG[0][:150]
    write(tmp_path / "b" / "test.jsonl", [{"text": item}])
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "b"),)))
    first, second = prose(1, 100) + item[:90], item[90:] + prose(2, 100)
    assert index.find([first, second]) == [[], []]
    assert index.find([first + second])[0]


def test_an_item_of_one_n_gram_is_found_where_a_document_begins(tmp_path: Path) -> None:
    items = ["".join(map(chr, letters_of(text)[:57])) for text in LONG]
    write(tmp_path / "b" / "test.jsonl", [{"text": item} for item in items])
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "b"),)))
    documents = [
        prose(n, 50) if n % 2 == 0 else items[n // 2 - 500] + prose(n, 90)
        for n in range(1000, 1040)
    ]
    assert all(index.find(documents)[1::2])


def test_a_piece_of_a_long_line_is_no_line(
    index: BenchmarkIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters_module, "WINDOW_CHARS", 64)
    assert not index.find(["ก" * 64 + SHORT])[0]
    assert not index.find([SHORT.ljust(64) + "ก" * 64])[0]
    assert index.find(["ก" * 64 + "\n" + SHORT])[0]


def test_items_are_cleaned_as_documents_are(tmp_path: Path) -> None:
    write(
        tmp_path / "b" / "test.jsonl",
        [{"text": "&#3609;น&nbsp;\u0e19\u0e4d\u0e32 &amp; เเมว&lt;b"}],
    )
    config = DecontaminationConfig(benchmarks=(str(tmp_path / "b"),), min_chars=5)
    assert build_index(config).find([clean_text("นน น้ำ".replace("้", "") + " & แมว<b")])[0]


def test_very_short_items_are_never_looked_for(index: BenchmarkIndex) -> None:
    assert not index.find(["ครับ"])[0]
    counts = Contamination.none_of(index).splits
    assert (counts["calls", "validation"].items, counts["calls", "validation"].too_short) == (3, 1)


def test_a_share_of_the_item_decides(bench: Path) -> None:
    text = LONG[7]
    half = text[: int(len(text) * 0.6)] + prose(77, 300)
    for share, found in ((0.4, True), (0.7, False)):
        config = DecontaminationConfig(benchmarks=(str(bench),), share=share)
        assert bool(build_index(config).find([half])[0]) == found


def test_a_part_of_an_item_is_found_where_documents_are_parts(index: BenchmarkIndex) -> None:
    paragraph = ARTICLE.split("\n")[4]
    found = index.find([paragraph, paragraph + "\n" + prose(900, 300)])
    assert names(found[0]) == [("calls", "validation", (3,))]
    assert found[0][0].share < 0.3
    assert not found[1]


def test_cutting_leaves_the_other_lines(index: BenchmarkIndex) -> None:
    before, after = prose(600, 30), prose(601, 30)
    document = f"{before}\n\n{LONG[2]}\n\n{after}"
    assert cut(document, index.find([document])[0]) == f"{before}\n\n{after}"
    article = f"{before}\n{ARTICLE}\n{after}"
    assert cut(article, index.find([article])[0]) == f"{before}\n{after}"
    assert cut(document, []) == document


def test_items_of_one_text_are_found_together(tmp_path: Path) -> None:
    context = prose(1, 100)
    write(
        tmp_path / "qa" / "validation.jsonl",
        [{"context": context, "question": "ใคร"}, {"context": context}, {"context": prose(2, 90)}],
    )
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "qa"),)))
    assert names(index.find([context])[0]) == [("qa", "validation", (1, 2))]


def test_a_wrapper_of_many_items_is_none_of_them(tmp_path: Path) -> None:
    wrapper = prose(5, 60)
    items = [{"text": wrapper + prose(100 + n, 5)} for n in range(40)]
    write(tmp_path / "w" / "test.jsonl", items)
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "w"),)))
    assert not index.find([wrapper + prose(7, 200)])[0]
    assert 8 in {item for one in index.find([items[7]["text"]])[0] for item in one.items}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from((0, 1, 40, 700)), st.integers(0, 30), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.integers(64, 3000),
)
def test_neither_windows_nor_neighbours_change_what_is_found(
    shapes: list[tuple[int, int, bool]], size: int
) -> None:
    texts = [
        prose(n, words) + (" " if size % 2 else "\n") + (LONG[item % 20] if there else "")
        for n, (words, item, there) in enumerate(shapes)
    ]
    index = shared_index()
    alone = [names(index.find([text])[0]) for text in texts]
    together = index.find(texts)
    assert [names(one) for one in together] == alone
    small = pytest.MonkeyPatch()
    small.setattr(letters_module, "WINDOW_CHARS", size)
    try:
        cut_up = index.find(texts)
    finally:
        small.undo()
    assert [[(names([f]), f.lines) for f in one] for one in cut_up] == [
        [(names([f]), f.lines) for f in one] for one in together
    ]


@settings(deadline=None, max_examples=60)
@given(st.text("กa \n.A๑", max_size=300), st.integers(1, 40), st.integers(0, 9))
def test_windows_hold_all_letters_in_their_lines(text: str, size: int, overlap: int) -> None:
    small = pytest.MonkeyPatch()
    small.setattr(letters_module, "WINDOW_CHARS", size)
    try:
        parts = list(windows([text], overlap))
    finally:
        small.undo()
    lines: dict[int, str] = {}
    for number, part in enumerate(parts):
        old = min(overlap, sum(map(len, lines.values()))) if number else 0
        places = np.arange(old, len(part.letters))
        for place, row in zip(places, part.line_of(places), strict=True):
            line = int(part.number[row])
            lines[line] = lines.get(line, "") + chr(part.letters[place])
        wholes = {int(n) for n, whole in zip(part.number, part.whole, strict=True) if whole}
        assert wholes <= set(range(text.count("\n") + 1))
    expected = {n: "".join(map(chr, letters_of(line))) for n, line in enumerate(text.split("\n"))}
    assert lines == {n: line for n, line in expected.items() if line}


def test_the_index_survives_its_file(index: BenchmarkIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "index.npz")
    again = BenchmarkIndex.load(tmp_path / "index.npz")
    texts = [LONG[0], ARTICLE, prose(999, 50)]
    assert again.find(texts) == index.find(texts)
    assert index.find(texts)[0]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["index.npz"]
    assert again.nbytes == index.nbytes > 0


def test_no_benchmarks_find_nothing() -> None:
    assert build_index(DecontaminationConfig()).find(["แมว", ""]) == [[], []]


def test_counts_of_tasks_join_and_survive_json(index: BenchmarkIndex) -> None:
    whole = Contamination.none_of(index)
    joined = Contamination.none_of(index)
    for texts in ([LONG[0], LONG[1]], [LONG[1] + "\n" + ARTICLE], [prose(3, 9)]):
        task = Contamination.none_of(index)
        for findings in index.find(texts):
            task.add(findings)
            whole.add(findings)
        joined.join(Contamination.parse(json.loads(json.dumps(task.plain()))))
    assert joined == whole
    row = next(row for row in joined.plain() if row["benchmark"] == "reviews")
    assert (row["found"], row["documents"], row["items"]) == ([1, 2], 3, 20)


def test_a_hostile_document_is_bounded(index: BenchmarkIndex) -> None:
    index.find(["ก"])  # tables that are built once
    hostile = ("\n" * 500_000, "ก" * 500_000, "." * 500_000, "a b\n" * 100_000)
    for text, found in (
        (LONG[0] * 5000, [("reviews", "test", (1,))]),
        *((one, []) for one in hostile),
    ):
        tracemalloc.start()
        try:
            assert names(index.find([text])[0]) == found
            # 22 MB where most is taken; looked at as one piece, 62.
            assert tracemalloc.get_traced_memory()[1] < 32_000_000
        finally:
            tracemalloc.stop()


def test_fields_are_texts_not_labels_or_ids() -> None:
    assert texts_of({"id": "x" * 50, "text": "ก", "label": "y" * 50}) == ["ก"]
    assert texts_of({"tokens": ["แมว", " ", "นั่ง"], "tags": ["N", "P", "V"]}) == ["แมว นั่ง"]
    assert texts_of({"title": "ก", "label": "x"}) == ["ก"]
    assert texts_of({"title": "ก", "context": "ข", "question": "ค"}) == ["ข", "ค"]
    assert texts_of({"question": "ก", "choices": {"text": ["ข", "ค"], "label": ["A", "B"]}}) == [
        "ก",
        "ข",
        "ค",
    ]


def test_splits_and_names(bench: Path, tmp_path: Path) -> None:
    write(bench / "reviews" / "train.jsonl", [{"text": LONG[0]}])
    single = write(tmp_path / "mine.jsonl", [{"text": LONG[0]}])
    paths = (str(bench), str(single), str(bench / "reviews" / "train.jsonl"))
    found = find_splits(DecontaminationConfig(benchmarks=paths))
    assert [(one.benchmark, one.split) for one in found] == [
        ("calls", "validation"),
        ("mine", "all"),
        ("reviews", "test"),
        ("reviews", "train"),
    ]
    only = DecontaminationConfig(benchmarks=(str(bench),), splits=("validation",))
    assert [one.benchmark for one in find_splits(only)] == ["calls"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a/test.jsonl", b"[1]\n", "a/test.jsonl:1: is no JSON object"),
        ("a/test.jsonl", b'{"text": "\xe0\xb8\x81"}\n{"tex', "a/test.jsonl:2: is no JSON object"),
        ("a/test.jsonl", b'{"label": "x"}\n', "has no text to look for: its items have label"),
        ("a/test.jsonl", b"", "it is empty"),
        ("a/test.jsonl.zst", b"nonsense", "cannot be read"),
        ("a/other.txt", b"x", "holds no benchmark"),
    ],
)
def test_a_broken_benchmark_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "a"),)))


def test_two_benchmarks_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        write(tmp_path / folder / "b" / "test.jsonl", [{"text": "ก"}])
    paths = (str(tmp_path / "x"), str(tmp_path / "y"))
    with pytest.raises(UserError, match="is a second b test"):
        find_splits(DecontaminationConfig(benchmarks=paths))
    with pytest.raises(UserError, match="no such benchmark"):
        find_splits(DecontaminationConfig(benchmarks=(str(tmp_path / "none"),)))


def test_items_are_numbered_by_line(tmp_path: Path) -> None:
    path = tmp_path / "b" / "test.jsonl"
    write(path, [{"text": "ก"}])
    path.write_bytes(path.read_bytes() + b"\n" + path.read_bytes())
    split = find_splits(DecontaminationConfig(benchmarks=(str(path),)))[0]
    assert [line for line, _ in read_items(split)] == [1, 3]


def test_real_items_are_found_and_other_text_is_not(
    real_lines: Callable[[str, int], list[str]], tmp_path: Path
) -> None:
    lines = [line for line in real_lines("thaigov_v2", 3000) if len(letters_of(line)) > 100]
    lines = list(dict.fromkeys(lines))
    write(tmp_path / "gov" / "test.jsonl", [{"text": line} for line in lines[:100]])
    index = build_index(DecontaminationConfig(benchmarks=(str(tmp_path / "gov"),)))
    documents = ["\n".join(lines[at : at + 10]) for at in range(0, 1000, 10)]
    found = {item for one in index.find(documents[:10]) for f in one for item in f.items}
    assert found == set(range(1, 101))
    assert not any(index.find(real_lines("msdocs_th", 2000)))
