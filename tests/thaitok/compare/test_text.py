"""Text by domain, evenly spaced."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from thaitok.compare.text import read_domains
from thaitok.corpus import read_packed
from thaitok.errors import UserError

Write = Callable[[Path, list[dict[str, Any]]], Path]


def test_domains_are_sources_where_there_are_several(tmp_path: Path, jsonl: Write) -> None:
    mixed = [{"text": f"ข้อความ {n}", "source": ("a", "b")[n % 2]} for n in range(5)]
    several = jsonl(tmp_path / "mix.jsonl", mixed)
    one = jsonl(tmp_path / "news.jsonl", [{"text": "ข่าว", "source": "a"}])
    split = jsonl(tmp_path / "wise" / "train.jsonl", [{"text": "แมว"}, {"text": " "}])
    lines = tmp_path / "lines.txt"
    lines.write_text("หนึ่ง\n\nสอง\r\n", encoding="utf-8")
    assert read_domains([several, one, split, lines], 10) == {
        "a": ["ข้อความ 0", "ข้อความ 2", "ข้อความ 4"],
        "b": ["ข้อความ 1", "ข้อความ 3"],
        "news": ["ข่าว"],
        "wise/train": ["แมว"],
        "lines": ["หนึ่ง", "สอง"],
    }


@given(total=st.integers(1, 60), limit=st.integers(1, 60))
def test_a_limit_takes_evenly_spaced_documents(
    tmp_path_factory: pytest.TempPathFactory, total: int, limit: int
) -> None:
    path = tmp_path_factory.mktemp("even") / "a.txt"
    path.write_text("".join(f"{n}\n" for n in range(total)))
    found = [int(one) for one in read_domains([path], limit)["a"]]
    assert len(found) == min(total, limit)
    steps = {two - one for one, two in itertools.pairwise(found)}
    assert max(steps, default=1) - min(steps, default=1) <= 1
    assert found[0] == 0
    assert total - found[-1] <= -(-total // limit), "to the end"


def test_packed_files_and_corpus_folders(
    tmp_path: Path, corpus_of: Callable[[Path, Iterable[str]], Path]
) -> None:
    raw = json.dumps({"text": "แมว"}).encode() + b"\n"
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(raw))
    (tmp_path / "b.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(raw))
    folder = corpus_of(tmp_path / "corpus", ["หนึ่ง", "สอง"])
    paths = [tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.zst", folder]
    assert read_domains(paths, 5) == {"a": ["แมว"], "b": ["แมว"], "corpus": ["หนึ่ง", "สอง"]}


def test_a_damaged_corpus_part_is_one_line(
    tmp_path: Path, corpus_of: Callable[[Path, Iterable[str]], Path]
) -> None:
    part = corpus_of(tmp_path / "corpus", ["หนึ่ง"]) / "part-00000.jsonl.zst"
    pack = zstandard.ZstdCompressor().compress
    raw = part.read_bytes()
    for damaged in (b"x" * len(raw), pack(b"{"), pack(b"\xff"), pack(b"[1]\n")):
        part.write_bytes(damaged)
        with pytest.raises(
            UserError, match=r"part-00000\.jsonl\.zst: is damaged: .*; make the corp"
        ):
            list(read_packed(part))


def test_a_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "ก\\ud800ข"}\n{"text": "\\ud83d\\ude00"}\n')
    assert read_domains([tmp_path / "a.jsonl"], 5) == {"a": ["ก\ufffdข", "😀"]}


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("a.jsonl", b'{"text": "x"}\n[1]\n', r"a\.jsonl:2: is no JSON object"),
        ("a.jsonl", b'{"text": 3}\n', r"a\.jsonl:1: has no field 'text'"),
        ("a.jsonl", b"[" * 100_000, r"a\.jsonl:1: is no JSON object"),
        ("a.txt", b"ok\n\xff\xfe\n", r"a\.txt:2: is not UTF-8 text"),
        ("a.jsonl.gz", b"not packed", r"is damaged"),
        ("a.jsonl.zst", b"not packed", r"is damaged"),
        ("a.txt", b"\n \n", r"a\.txt: holds no text"),
    ],
)
def test_broken_text_is_one_line(tmp_path: Path, name: str, raw: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(UserError, match=said):
        read_domains([tmp_path / name], 5)


def test_a_pipe_is_refused_since_it_can_be_read_but_once() -> None:
    end, begin = os.pipe()  # as of `--text <(cat file)`
    os.write(begin, b"text\n")
    os.close(begin)
    with pytest.raises(
        UserError, match="is neither a file nor a folder, and it is read twice; sav"
    ):
        read_domains([Path(f"/dev/fd/{end}")], 5)
    os.close(end)


def test_missing_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_domains([tmp_path / "none.txt"], 5)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="is no finished corpus folder"):
        read_domains([tmp_path / "folder"], 5)
