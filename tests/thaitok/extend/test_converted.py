"""Promise: a tokenizer of another make, whose words begin with the sign of a space, gains alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from transformers import AutoTokenizer

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.extend.vocabulary import read_vocabulary, words_in
from thaitok.tokenizer import BulkEncoder
from thaitok.tokenizer_json import WORD_MARK

Sentences = Callable[[int, int, float], list[str]]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory, sentences: Sentences) -> Path:
    """Return SentencePiece's own defaults: NFKC, a prefix, spaces in pieces."""
    folder = tmp_path_factory.mktemp("spaced")
    with (folder / "old.model").open("wb") as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([*sentences(500, 5, 0.1), "abc xyz jkq vw"]),
            model_writer=model,
            vocab_size=320,
            character_coverage=1.0,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    convert_tokenizer(ConvertConfig(source=str(folder / "old.model"), out=folder / "converted"))
    return folder / "converted"


def test_it_gains_words_with_and_without_a_space(
    converted: Path, mixed: Path, sentences: Sentences, tmp_path: Path
) -> None:
    out = tmp_path / "t"
    extend_tokenizer(ExtendConfig(tokenizer=converted, corpus=(mixed,), out=out, add=60))
    old, new = read_vocabulary(converted), read_vocabulary(out)
    added = new.pieces[len(old) :]
    assert len(added) == 60
    assert any(piece.startswith(WORD_MARK) for piece in added)
    assert not all(piece.startswith(WORD_MARK) for piece in added)
    assert new.scored[WORD_MARK] == old.scored[WORD_MARK]
    before, after = AutoTokenizer.from_pretrained(converted), AutoTokenizer.from_pretrained(out)
    lines = sentences(200, 6, 0.2)
    latin = words_in("latin").search
    for line in lines:
        if not latin(line):
            assert after(line).input_ids == before(line).input_ids
    plain = [word for line in lines for word in line.split(" ") if word and not latin(word)]
    assert len(plain) > 100
    assert after(plain).input_ids == before(plain).input_ids
    assert sum(map(len, after(lines).input_ids)) < 0.95 * sum(map(len, before(lines).input_ids))
    ids = after(lines, add_special_tokens=False).input_ids
    assert BulkEncoder(out).encode_many(lines) == ids


def test_a_term_is_one_piece_and_a_space_before_it_another(
    converted: Path, mixed: Path, tmp_path: Path
) -> None:
    (tmp_path / "terms").write_text("ปัญญาประดิษฐ์\n", encoding="utf-8")
    out = tmp_path / "t"
    config = ExtendConfig(tokenizer=converted, corpus=(mixed,), out=out, words=tmp_path / "terms")
    extend_tokenizer(config)
    tokens = AutoTokenizer.from_pretrained(out).tokenize("ใช้ปัญญาประดิษฐ์ ปัญญาประดิษฐ์")
    assert tokens[-3:] == ["ปัญญาประดิษฐ์", WORD_MARK, "ปัญญาประดิษฐ์"]
