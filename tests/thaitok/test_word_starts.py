from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaitok import word_starts
from thaitok.corpus import read_texts
from thaitok.rules import normalize
from thaitok.tokenizer import load_tokenizer
from thaitok.word_starts import PhraseEncoder
from thaitok.words import segment


@pytest.fixture(scope="module")
def encoder(tokenizer: Path) -> PhraseEncoder:
    return PhraseEncoder(tokenizer)


def one_by_one(encoder: PhraseEncoder, text: str) -> tuple[list[int], list[bool]]:
    """Encode phrase by phrase, as the offsets of SentencePiece have it."""
    ids: list[int] = []
    starts: list[bool] = []
    for number, phrase in enumerate(normalize(text).split(" ")):
        ids += [encoder.bulk.space] if number else []
        starts += [True] if number else []
        if phrase:
            found, places = encoder.bulk.encode_phrase_offsets(phrase)
            words = {0, *accumulate(map(len, segment(phrase)))}
            ids += found
            starts += [place in words for place in places]
    return ids, starts


PARTS = (
    *("แมว", "นั่ง", "กรุงเทพมหานคร", "เสื่อ", "น้ำ", "ไม่", "iPhone", "2.50", "็", "ๆ", "ฯ"),
    *(" ", "  ", "\n", "<", "<_>", "</s>", "龘", "龘龘龘", "🙂", "é", "กกกกกก", "-", "ำ"),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), max_size=8))
def test_many_texts_are_marked_as_one_by_one(
    encoder: PhraseEncoder, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    monkeypatch.setattr(word_starts, "FEW", 3)
    encoder.known = {"": encoder.space}
    ids, starts, lengths = encoder.encode(texts)
    wanted = [one_by_one(encoder, text) for text in texts]
    assert ids.tolist() == [one for found, _ in wanted for one in found]
    assert starts.tolist() == [one for _, found in wanted for one in found]
    assert lengths.tolist() == [len(found) for found, _ in wanted]


def test_real_text_is_marked_as_one_by_one(
    encoder: PhraseEncoder, real_lines: Callable[[str, int], list[str]]
) -> None:
    for name in ("social_open", "thaigov_v2"):
        lines = real_lines(name, 1000)
        wanted = [one_by_one(encoder, line) for line in lines]
        ids, starts, _ = encoder.encode(lines)
        assert ids.tolist() == [one for found, _ in wanted for one in found]
        assert starts.tolist() == [one for _, found in wanted for one in found]


def test_word_starts_are_where_a_piece_begins_a_word(
    tokenizer: Path, encoder: PhraseEncoder
) -> None:
    text = "นายสมชายไปทำงาน ที่กรุงเทพมหานคร"
    _, starts, _ = encoder.encode([text])
    words = [word for phrase in text.split(" ") for word in (*segment(phrase), " ")]
    begins = {0, *accumulate(map(len, words))}
    pieces = load_tokenizer(tokenizer).encode(text, add_special_tokens=False).offsets
    assert starts.tolist() == [begin in begins for begin, _ in pieces]


def test_a_forgetful_encoder_gives_the_same(
    encoder: PhraseEncoder, tokenizer: Path, monkeypatch: pytest.MonkeyPatch, corpus: Path
) -> None:
    texts = list(read_texts([corpus]))
    wanted = encoder.encode(texts)
    monkeypatch.setattr(word_starts, "KEEP", 500)
    forgetful = PhraseEncoder(tokenizer)
    found = [forgetful.encode(texts[at : at + 50]) for at in range(0, len(texts), 50)]
    assert forgetful.held < 100_000
    for column in range(3):
        assert np.array_equal(np.concatenate([one[column] for one in found]), wanted[column])
