from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from thaitok import bulk
from thaitok.bulk import encode_texts
from thaitok.crew import cores
from thaitok.errors import UserError
from thaitok.tokenizer import BulkEncoder, load_tokenizer

Trained = Callable[..., Path]
TEXTS = ["แมวนั่ง บนเสื่อ", "", " ", "กกก 555 <s>", "ABC\u200b" * 50, "\n"] * 40


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_promise_2_ids_do_not_depend_on_workers_or_blocks(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, workers: int, tmp_path: Path
) -> None:
    monkeypatch.setattr(bulk, "BLOCK_CHARS", 100)
    monkeypatch.setattr(bulk, "TASK_CHARS", 1000)
    found = list(encode_texts(trained(), iter(TEXTS), workers, tmp_path))
    fast = load_tokenizer(trained()).encode_batch(TEXTS, add_special_tokens=False)
    assert [ids.tolist() for ids in found] == [encoding.ids for encoding in fast]
    assert {ids.dtype for ids in found} == {np.dtype(np.uint16)}
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_workers_are_the_cores_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS has none
    assert cores() == 64


def test_no_text_gives_no_ids(trained: Trained) -> None:
    assert list(encode_texts(trained(), [], 2)) == []
    assert [len(ids) for ids in encode_texts(trained(), [""], 2)] == [0]


def test_a_folder_without_a_tokenizer_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no spm\.model here"):
        next(encode_texts(tmp_path, ["ก"], 2))


def test_ids_beyond_two_bytes_take_four(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = BulkEncoder(trained())
    encoder.code = "I"
    assert encoder.encode("แมว นั่ง") == BulkEncoder(trained()).encode("แมว นั่ง")


def test_bulk_encoding_loads_neither_torch_nor_transformers() -> None:
    code = "import sys, thaitok.bulk; print(*{'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
