"""Spans of every kind of tokenizer: in order, inside their text, exact to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaitok.compare.load import load_tokenizer_any
from thaitok.compare.spans import block_of

KINDS = ["bytes.json", "metaspace.json", "gpt2.tiktoken", "nfkc.model", "identity.model",
         "bpe.model", "fallback.model"]  # fmt: skip
TEXTS = st.lists(st.text(alphabet="แมวน้ำกินํา ab™½😀\u200b\u00a0é1.", max_size=12), max_size=4)
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def parts(zoo: dict[str, Path], kind: str, text: str) -> list[str]:
    """Return what each token covers; a part of a character in escapes."""
    tokens = load_tokenizer_any(zoo[kind]).encode(block_of([text]))
    raw = text.encode()
    spans = zip(tokens.starts, tokens.ends, strict=True)
    return [raw[start:end].decode(errors="backslashreplace") for start, end in spans]


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(texts=TEXTS)
def test_spans_are_in_order_and_inside_their_text(
    zoo: dict[str, Path], kind: str, texts: list[str]
) -> None:
    block = block_of(texts)
    tokenizer = load_tokenizer_any(zoo[kind])
    tokens = tokenizer.encode(block)
    assert len(tokens.bounds) == len(texts) + 1
    assert (tokens.starts <= tokens.ends).all()
    assert (tokens.ends[:-1] <= tokens.starts[1:]).all()
    assert (tokens.starts >= block.bases[tokens.texts]).all()
    assert (tokens.ends <= block.bases[tokens.texts + 1]).all()
    each = [list(one) for one in np.split(tokens.ids, tokens.bounds[1:-1])]
    assert each[: len(texts)] == [list(one) for one in tokenizer.ids(texts)]


@MANY
@given(texts=TEXTS)
def test_byte_level_spans_by_offsets_are_those_by_bytes(
    zoo: dict[str, Path], texts: list[str]
) -> None:
    # The same pieces in `tokenizers`, which gives offsets in characters, and in tiktoken, whose
    # spans are sums of lengths. Inside a character only that they are inside can be told.
    block = block_of(texts)
    coarse, exact = (
        load_tokenizer_any(zoo[kind]).encode(block) for kind in ("bytes.json", "gpt2.tiktoken")
    )
    assert len(coarse.ids) == len(exact.ids)
    for one, two in ((coarse.starts, exact.starts), (coarse.ends, exact.ends)):
        inside = block.inside_character(two)
        assert (block.inside_character(one) == inside).all()
        assert (one[~inside] == two[~inside]).all()
    tiled = np.append(0, np.cumsum(exact.ends - exact.starts))
    assert (tiled[:-1] == exact.starts).all()
    assert tiled[-1] == block.size


def test_a_mark_before_a_text_covers_nothing(zoo: dict[str, Path]) -> None:
    assert parts(zoo, "metaspace.json", "แมว แมว") == ["", "แมว", " ", "แมว"]
    assert parts(zoo, "metaspace.json", " แมว")[:2] == [" ", "แมว"]
    # SentencePiece drops the space that a text begins with and puts its own.
    assert "".join(parts(zoo, "nfkc.model", "แมว แมว")) == "แมว แมว"


def test_letters_that_nfkc_makes_of_one_share_its_bytes(zoo: dict[str, Path]) -> None:
    # Sara am becomes two letters: the edge between them is inside a character, not before it.
    text = "น้ำ™"
    assert parts(zoo, "metaspace.json", text) == [
        "", "น้", "\\xe0", "\\xb8\\xb3", "\\xe2", "\\x84\\xa2",
    ]  # fmt: skip


def test_byte_pieces_have_a_byte_each(zoo: dict[str, Path]) -> None:
    tokenizer = load_tokenizer_any(zoo["fallback.model"])
    block = block_of(["แมว😀แมว", "😀"])
    tokens = tokenizer.encode(block)
    spelled = tokenizer.byte_pieces[tokens.ids]
    assert spelled.sum() == 8
    assert ((tokens.ends - tokens.starts)[spelled] == 1).all()
    assert [tokenizer.piece(number) for number in tokens.ids[spelled][:2]] == ["<0xF0>", "<0x9F>"]


def test_a_position_beside_a_space_or_an_edge_is_closed() -> None:
    block = block_of(["กa b", "ก\u200bข"])
    assert np.flatnonzero(~block.closed).tolist() == [1, 2, 3, 7, 8, 13, 14]
    assert block.inside_character(np.array([0, 1, 3, 4, 7])).tolist() == [
        False, True, False, False, True,
    ]  # fmt: skip
    assert block.at(np.array([0, 1]), np.array([1, 2])).tolist() == [3, 12]


def test_around_finds_the_token_that_a_position_is_strictly_inside(zoo: dict[str, Path]) -> None:
    tokens = load_tokenizer_any(zoo["metaspace.json"]).encode(block_of(["แมว แมว"]))
    assert tokens.around(np.array([0, 3, 9, 10, 13])).tolist() == [-1, 1, -1, -1, 3]
