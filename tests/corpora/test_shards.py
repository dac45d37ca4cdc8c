from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from corpora import CleanConfig, CorpusDocument, clean_corpus, read_documents, read_texts
from corpora.shards import json_line, write_parts
from thaitok.corpus import read_packed
from thaitok.errors import UserError


def test_parts_hold_the_lines_in_order(tmp_path: Path) -> None:
    records = [{"n": i, "text": "ก" * 30} for i in range(10)]
    lines = [json_line(record) for record in records]
    assert write_parts(tmp_path, lines, shard_bytes=2 * len(lines[0]) + 1) == 4
    parts = sorted(tmp_path.iterdir())
    assert [part.name for part in parts] == [f"part-{i:05d}.jsonl.zst" for i in range(4)]
    assert [record for part in parts for record in read_packed(part)] == records
    assert write_parts(tmp_path, [], 1) == 0


def test_a_corpus_is_read_back_in_order(
    jsonl: Callable[..., Path], config: Callable[..., CleanConfig]
) -> None:
    texts = [f"เอกสารที่ {i}\u2028บรรทัด" for i in range(50)]
    jsonl("a.jsonl", [{"text": text, "id": i} for i, text in enumerate(texts)])
    clean_corpus(config(shard_bytes=700))
    out = config().out
    cleaned = [text.replace("\u2028", "\n") for text in texts]
    assert list(read_texts([out])) == cleaned
    assert list(read_documents(out))[7] == CorpusDocument("7", cleaned[7], "a")
    assert len(list(out.glob("part-*"))) > 5


def test_what_is_no_finished_corpus_is_refused(
    tmp_path: Path, jsonl: Callable[..., Path], config: Callable[..., CleanConfig]
) -> None:
    with pytest.raises(UserError, match="no such corpus folder"):
        next(read_documents(tmp_path / "gone"))
    with pytest.raises(UserError, match=r"it has no manifest\.json"):
        next(read_documents(tmp_path))
    jsonl("a.jsonl", [{"text": f"เอกสารที่ {i}"} for i in range(500)])
    clean_corpus(config())
    part = config().out / "part-00000.jsonl.zst"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0xFF
    part.write_bytes(data)
    with pytest.raises(UserError, match=r"part-00000.jsonl.zst: is damaged"):
        list(read_documents(config().out))
