from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpora.hub import HubFile, HubPath, parse_hub
from corpora.hub.files import RangeFile
from corpora.plan import Piece
from thaitok.errors import UserError

Ask = Callable[[str], list[dict[str, Any]]]


def parquet(rows: list[dict[str, Any]], group: int = 1000, **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=group, **how)
    return sink.getvalue()


def jsonl(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def news(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"n{n}", "url": f"https://x.test/{n}", "text": f"ข่าวที่ {n} ของวันนี้"}
        for n in range(first, first + count)
    ]


CARD = b"""---
license: cc-by-4.0
configs:
- config_name: th
  data_files:
  - {split: train, path: th/train-*}
  - {split: test, path: th/test-*}
- config_name: en
  data_files: en/*
---
# News
"""


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("hub:a/b", ("a/b", "main", None, "train", None, None)),
        ("hub:a/b@v1.0:th#body", ("a/b", "v1.0", "th", "train", None, "body")),
        ("hub:a/b@refs/pr/1:th/test", ("a/b", "refs/pr/1", "th", "test", None, None)),
        ("hub:a/b:20231101.th", ("a/b", "main", "20231101.th", "train", None, None)),
        ("hub:a/b:d/*.gz#content", ("a/b", "main", None, "train", "d/*.gz", "content")),
        ("hub:a/b:d/x.parquet", ("a/b", "main", None, "train", "d/x.parquet", None)),
        ("hub:a/b#ข้อความ", ("a/b", "main", None, "train", None, "ข้อความ")),
    ],
)
def test_what_is_given_is_taken_apart(given: str, wanted: tuple[str | None, ...]) -> None:
    spec = parse_hub(given)
    found = (spec.repo, spec.revision, spec.config, spec.split, spec.files, spec.column)
    assert found == wanted


def test_a_name_of_the_table_stands_for_its_row() -> None:
    spec = parse_hub("hub:thaigov")
    assert (spec.repo, spec.column) == ("pythainlp/thaigov-v2-corpus-22032023", "context")
    assert re.fullmatch("[0-9a-f]{40}", spec.revision)
    other = parse_hub("hub:fineweb2@v2:lao_Laoo/test#raw")
    assert (other.revision, other.config, other.split) == ("v2", "lao_Laoo", "test")
    assert other.column == "raw"
    # The same data set by its own name brings the row's warning and column along.
    direct = parse_hub("hub:PyThaiNLP/prachathai67k@refs/convert/parquet:prachathai67k")
    assert direct.column == "body_text" and direct.row and "benchmark" in direct.row.warning


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("hub:", "is no data set of the Hub"),
        ("hub:a/b@", "is no data set of the Hub"),
        ("hub:a/b/c", "is no name of a data set"),
        ("hub:../etc", "is no name of a data set"),
        ("hub:wikipidia", "did you mean hub:wikipedia?"),
        ("hub:cc100", "is not on the Hub"),
    ],
)
def test_a_slip_is_told_in_one_line(given: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        parse_hub(given)
    assert given in str(caught.value)


def test_tables_are_read_by_config_split_and_revision(hub: Any, ask: Ask) -> None:
    repo = hub.repo("org/news")
    first = hub.commit(
        repo,
        {
            "README.md": CARD,
            "th/train-0.parquet": parquet(news(0, 2500)),
            "th/train-1.parquet": parquet(news(2500, 10), group=3),
            "th/test-0.parquet": parquet(news(9000, 2)),
            "en/a.jsonl": jsonl([{"text": "hello"}]),
            "en/b.jsonl": jsonl([{"text": "bye"}]),
        },
    )
    second = hub.commit(repo, {"th/train-1.parquet": parquet(news(7000, 1)), "en/b.jsonl": None})
    whole, test, old, english, pattern, several, no_config, no_split = ask(
        f"""
for given in ["org/news:th", "org/news:th/test", "org/news@{first}:th", "org/news:en",
              "org/news@{first}:en/*",
              "org/news", "org/news:tha", "org/news:th/dev"]:
    read("hub:" + given)
"""
    )
    assert whole["name"] == f"hub:org/news@{second[:12]}:th"
    assert whole["licence"] == "cc-by-4.0" and whole["stems"] == ["news", "news"]
    wanted = [[n + 1, row["text"], row["id"], None] for n, row in enumerate(news(0, 2500))]
    assert whole["items"][0] == wanted
    assert whole["items"][1] == [[1, "ข่าวที่ 7000 ของวันนี้", "n7000", None]]
    assert [item[2] for item in test["items"][0]] == ["n9000", "n9001"]
    assert [len(items) for items in old["items"]] == [2500, 10]
    assert english["items"] == [[[1, "hello", None, None]]]
    assert pattern["items"] == [*english["items"], [[1, "bye", None, None]]]
    # What tells the inputs apart is the commit and each file's own digest.
    blobs = repo.commits[second]
    assert whole["facts"][1] == {
        "name": f"hub:org/news@{second[:12]}/th/train-1.parquet#text as news",
        "bytes": blobs["th/train-1.parquet"].size,
        "sha256": blobs["th/train-1.parquet"].sha256,
    }
    assert old["facts"][1] != whole["facts"][1]
    assert english["facts"][0]["sha256"] == f"git-{blobs['en/a.jsonl'].oid}"
    assert several["error"] == "hub:org/news: has several configs; give one after the colon: th, en"
    assert "has no config 'tha'; give one after the colon: th, en" in no_config["error"]
    assert "has no split 'dev'; give one after the colon: th/train, th/test" in no_split["error"]


def test_lines_are_read_byte_safe_in_any_packing(hub: Any, ask: Ask) -> None:
    rows = [*news(0, 3), {"text": None}, {"text": "มี source", "source": "pantip", "id": 7}]
    raw = jsonl(rows) + b'{"text": "\xff\xfe"}\n[1]\n{"text": "' + b"a" * 5000 + b'"}\n'
    packed = gzip.compress(raw)
    hub.commit(
        hub.repo("org/lines"),
        {
            "data/a.jsonl": raw,
            "data/b.jsonl.gz": packed[: len(packed) - 9],
            "data/c.jsonl.zst": zstandard.compress(raw),
            "csv/d.csv": 'id,text\n1,ก ข\n2,"ค\nง"\n'.encode(),
            "txt/e.txt": "หนึ่ง\nสอง\n\nสาม\n".encode(),
            "lists/f.json": json.dumps(news(0, 2)).encode(),
            "bad/g.parquet": b"PAR1 nothing at all PAR1",
            "bare/h.jsonl.gz": b"no gzip",
            "two.py": b"",
        },
    )
    hub.commit(hub.repo("org/script"), {"script.py": b"x = 1", "data/a.jsonl": jsonl(news(5, 2))})
    lines, csv, txt, listed, broken, bare, beside, script, nothing = ask(
        """
read("hub:org/lines:data/*", max_line_bytes=4000)
for given in ["org/lines:csv/d.csv", "org/lines:txt/*.txt", "org/lines:lists/f.json",
              "org/lines:bad/g.parquet", "org/lines:bare/*", "org/script:data/*.jsonl",
              "org/script", "org/lines:nowhere/*.jsonl"]:
    read("hub:" + given)
"""
    )
    good = [[n + 1, row["text"], row["id"], None] for n, row in enumerate(news(0, 3))]
    faults = [[6, "not_utf8"], [7, "not_an_object"], [8, "too_many_bytes"]]
    wanted = [*good, [4, "no_text"], [5, "มี source", "7", "pantip"], *faults]
    plain, cut, zstd = lines["items"]
    assert plain == zstd == wanted
    assert cut[-1][1] == "broken_file" and cut[:-1] == wanted[: len(cut) - 1]
    assert csv["items"] == [[[2, "ก ข", "1", None], [3, "ค\nง", "2", None]]]
    assert [item[:2] for item in txt["items"][0]] == [[1, "หนึ่ง"], [2, "สอง"], [4, "สาม"]]
    assert [item[1] for item in listed["items"][0]] == [row["text"] for row in news(0, 2)]
    assert broken["items"] == bare["items"] == [[[1, "broken_file"]]]
    assert [item[2] for item in beside["items"][0]] == ["n5", "n6"]
    assert "is read by a script of its own" in script["error"]
    assert "hub:org/script@refs/convert/parquet:CONFIG" in script["error"]
    assert "no file that is read matches" in nothing["error"]


def test_other_formats_go_through_datasets(hub: Any, ask: Ask) -> None:
    hub.commit(hub.repo("org/packed"), {"train.jsonl.bz2": bz2.compress(jsonl(news(0, 4)))})
    read, other = ask('read("hub:org/packed"); read("hub:org/packed#body")')
    assert [item[1] for item in read["items"][0]] == [row["text"] for row in news(0, 4)]
    assert "has no key 'body'" in other["error"] and "text" in other["error"]


def test_the_parquet_copy_stands_in_for_a_script(hub: Any, ask: Ask) -> None:
    repo = hub.repo("org/old")
    hub.commit(repo, {"old.py": b"x = 1", "README.md": b"# Old"})
    copy = {
        "th/train/0000.parquet": parquet(news(0, 3)),
        "th/train/0001.parquet": parquet(news(3, 2)),
        "th/test/0000.parquet": parquet(news(50, 1)),
        "en/partial-train/0000.parquet": parquet([{"text": "part"}]),
    }
    sha = hub.commit(repo, copy, "refs/convert/parquet")
    thai, test, part, several, no_split, no_such = ask(
        """
for given in [":th", ":th/test", ":en", "", ":th/dev", "#body"]:
    read("hub:org/old@refs/convert/parquet" + given)
"""
    )
    assert [item[2] for items in thai["items"] for item in items] == [f"n{n}" for n in range(5)]
    assert thai["name"] == f"hub:org/old@{sha[:12]}:th" and not thai["warnings"]
    assert [item[2] for item in test["items"][0]] == ["n50"]
    assert part["warnings"] == ["the parquet copy holds a part of the data set only"]
    assert "give one after the colon: th, en" in several["error"]
    assert "th/test, th/train" in no_split["error"]
    assert "has no config 'default'" in no_such["error"]


def test_a_missing_column_is_told_with_those_there_are(hub: Any, ask: Ask) -> None:
    hub.commit(hub.repo("org/table"), {"a.parquet": parquet([{"body": "ก", "n": 1, "id": "x"}])})
    hub.commit(hub.repo("org/lines"), {"a.jsonl": jsonl([{"body": "ก"}, {"id": 1}])})
    uneven = {"a.parquet": parquet(news(0, 1)), "b.parquet": parquet([{"body": "ก"}])}
    hub.commit(hub.repo("org/uneven"), uneven)
    table, right, lines, second = ask(
        'for given in ["org/table", "org/table#body", "org/lines", "org/uneven"]:\n'
        '    read("hub:" + given)'
    )
    assert "has no text column 'text'; give another after #, one of: body, id" in table["error"]
    assert right["items"] == [[[1, "ก", "x", None]]]
    assert "has no key 'text'; give another after #, one of: body, id" in lines["error"]
    assert "b.parquet: has no text column 'text'" in second["error"]


def test_only_the_columns_asked_for_are_fetched(hub: Any, ask: Ask) -> None:
    rows = [{"text": f"ข้อความ {n}", "html": os.urandom(3000).hex()} for n in range(4000)]
    data = parquet(rows, group=1000, compression="none")
    hub.commit(hub.repo("org/wide"), {"a.parquet": data})
    (told,) = ask('read("hub:org/wide")')
    assert len(told["items"][0]) == 4000
    # Of the four row groups only the blocks where their texts lie, and those of the footer.
    assert sum(one.sent for one in hub.journal if "/store/" in one.path) < len(data) * 0.6
    asked = [one.range for one in hub.journal if "/store/" in one.path and one.method == "GET"]
    assert all(asked), "a table is never fetched whole"


def test_a_large_table_is_divided_at_its_row_groups(hub: Any, ask: Ask) -> None:
    rows = [{"text": f"{n} " + "ก" * 2000} for n in range(12_000)]
    data = parquet(rows, group=1000, compression="none", use_dictionary=False)
    hub.commit(hub.repo("org/large"), {"a.parquet": data})
    (told,) = ask(
        """
file = resolve_hub(parse_hub("hub:org/large")).files[0]
pieces = hub_pieces(file)
config = CleanConfig(inputs=("x",), out="out")
moves = []
lines = [[item.line for item in read_hub(piece, config, moves.append)] for piece in pieces]
tell({"first": [piece.first for piece in pieces], "ends": [piece.end for piece in pieces],
      "lines": [[one[0], one[-1], len(one)] for one in lines], "moved": sum(moves),
      "disk": sum(piece.disk_bytes for piece in pieces), "bytes": file.bytes})
"""
    )
    assert told["first"] == [1, 11_001] and told["ends"] == [11, 12]
    assert told["lines"] == [[1, 11_000, 11_000], [11_001, 12_000, 1000]]
    assert told["bytes"] - 2 < told["disk"] <= told["bytes"]
    assert 0.99 * told["bytes"] < told["moved"] <= told["bytes"]


def test_long_lists_of_files_come_page_by_page(hub: Any, ask: Ask) -> None:
    hub.page = 7
    files = {f"data/{n:03}.jsonl": jsonl(news(n, 1)) for n in range(30)}
    hub.commit(hub.repo("org/many"), files)
    (told,) = ask(
        'import corpora.hub.resolve as hub; hub.ASKED_AT_ONCE = 8; read("hub:org/many:data/*")'
    )
    assert [items[0][2] for items in told["items"]] == [f"n{n}" for n in range(30)]
    assert sum("cursor=" in one.path for one in hub.journal) == 4
    assert sum("paths-info" in one.path for one in hub.journal) == 4


def test_reading_leaves_no_data_in_the_cache(
    hub: Any, hub_env: Mapping[str, str], ask: Ask
) -> None:
    def kept() -> int:
        files = (path for path in Path(hub_env["HF_HOME"]).rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files)

    table = parquet(news(0, 5000), compression="none")
    files = {"README.md": b"# Cached", "data/train-0.parquet": table}
    hub.commit(hub.repo("org/cached"), files)
    hub.commit(hub.repo("org/arrays"), {"a.json": json.dumps(news(0, 2000)).encode()})
    before = kept()
    whole, arrays = ask('read("hub:org/cached"); read("hub:org/arrays:a.json*")')
    assert len(whole["items"][0]) == 5000 and len(arrays["items"][0]) == 2000
    assert kept() - before < 1000


def test_the_module_is_light_and_its_values_travel() -> None:
    heavy = "{'datasets', 'huggingface_hub', 'pyarrow', 'pandas'}"
    code = f"import corpora.hub, sys; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    place: Any = HubPath("a/b", "0" * 40, "x.jsonl", 3, table=False)
    file = HubFile(place, str(place), "jsonl", "", 3, "sha", "text", "b")
    piece = Piece(file, file.path, "", 3, 3)
    assert pickle.loads(pickle.dumps(piece)) == piece
    assert (file.name, file.stem) == (f"hub:a/b@{'0' * 12}/x.jsonl", "b")


@pytest.mark.parametrize(("block", "kept"), [(1, 1), (3, 2), (7, 1), (64, 8)])
def test_ranges_are_the_bytes_of_the_file(
    monkeypatch: pytest.MonkeyPatch, block: int, kept: int
) -> None:
    data = bytes(range(50))
    path = HubPath("a/b", "0" * 40, "x", len(data), table=True)
    monkeypatch.setattr("corpora.hub.files.fetch", lambda path, start, end: data[start:end])
    raw = RangeFile(path, block, kept)
    stream = io.BufferedReader(raw, 4)
    for start in (0, 49, 13, 13, 50, 2, 77):
        for size in (0, 1, 5, 60):
            stream.seek(start)
            assert stream.read(size) == data[start : start + size]
            assert stream.tell() == min(start + size, max(50, start)) or start > 50
    assert len(raw.blocks) <= kept
    stream.seek(-4, io.SEEK_END)
    assert stream.read() == data[-4:]
