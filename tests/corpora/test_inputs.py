from __future__ import annotations

import logging
from pathlib import Path

import pytest

from corpora.inputs import InputFile, find_files, format_of
from thaitok.errors import UserError


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.jsonl", ("jsonl", "")),
        ("a.JSONL.GZ", ("jsonl", "gz")),
        ("a.b.json.zst", ("jsonl", "zst")),
        ("a.txt.gz", ("txt", "gz")),
        ("a.csv", ("csv", "")),
        ("a.parquet", ("parquet", "")),
        ("wiki_00", ("jsonl", "")),
        ("wiki_104.gz", ("jsonl", "gz")),
        ("a.parquet.gz", None),
        ("a.gz", None),
        ("wiki", None),
        ("a.docx", None),
    ],
)
def test_format_of(name: str, how: tuple[str, str] | None) -> None:
    assert format_of(name) == how


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def names(*inputs: Path | str, out: Path = Path("/nowhere")) -> list[str]:
    return [file.name for file in find_files(map(str, inputs), out)]


def test_a_folder_is_all_readable_files_below_it_sorted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = tree(
        tmp_path, "b.txt", "a/z.jsonl", "a/AA/wiki_01", ".hidden.txt", ".git/x.txt", "c.docx"
    )
    with caplog.at_level(logging.WARNING):
        assert names(raw) == ["a/AA/wiki_01", "a/z.jsonl", "b.txt"]
    assert ".docx 1" in caplog.text


def test_inputs_keep_their_order_and_no_file_is_read_twice(tmp_path: Path) -> None:
    raw = tree(tmp_path, "b.txt", "a.txt", "c.txt")
    assert names(raw / "b.txt", raw / "[ab].txt", raw) == ["b.txt", "a.txt", "c.txt"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    assert names(tree(tmp_path, "a[1].txt") / "a[1].txt") == ["a[1].txt"]


def test_the_corpus_to_be_made_is_no_input(tmp_path: Path) -> None:
    raw = tree(tmp_path, "a.txt", "corpus/report.json")
    assert names(raw, out=raw / "corpus") == ["a.txt"]


def test_names_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    raw = tree(tmp_path, "x/one.txt", "y/one.txt")
    assert names(raw / "x", raw / "y") == ["x/one.txt", "y/one.txt"]
    assert names(raw / "x") == ["one.txt"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("gone.jsonl", "gone.jsonl: no such file or folder; give"),
        ("*.jsonl", "*.jsonl: no file matches"),
        ("empty", "empty: holds no file to read; give .jsonl"),
        ("a.docx", "a.docx: is of no kind that is read; give .jsonl"),
    ],
)
def test_missing_inputs_are_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, says: str
) -> None:
    (tree(tmp_path, "a.docx") / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        names(given)
    assert says in str(error.value)


def test_the_source_of_a_file_is_its_name_without_suffixes() -> None:
    file = InputFile(Path("raw/wiki.th.jsonl.zst"), "raw/wiki.th.jsonl.zst", "jsonl", "zst", 1)
    assert file.stem == "wiki.th"
