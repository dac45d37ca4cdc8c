from __future__ import annotations

from pathlib import Path

import pytest

from thaitok.console import texts_of
from thaitok.errors import UserError


def test_texts_are_a_line_each_with_one_context_for_all(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("ใคร\r\n\nไปไหน\n", encoding="utf-8")
    assert list(texts_of(None, file, None)) == ["ใคร", "", "ไปไหน"]
    assert next(texts_of(None, file, "ที่นี่")) == ("ใคร", "ที่นี่")
    assert list(texts_of("ใคร", None, None)) == ["ใคร"]


def test_objects_bring_their_own_context(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"text": "ใคร", "context": "สมชาย"}\n{"text": "ไป"}\n', encoding="utf-8")
    assert list(texts_of(None, file, None)) == [("ใคร", "สมชาย"), "ไป"]
    assert list(texts_of(None, file, "ที่นี่")) == [("ใคร", "สมชาย"), ("ไป", "ที่นี่")]


@pytest.mark.parametrize("line", ["ใคร", "[1]", "{}", '{"text": 1}', '{"text": "ก", "context": 2}'])
def test_a_line_that_is_no_such_object_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"text": "ไป"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"texts\.jsonl:2: is not"):
        list(texts_of(None, file, None))
