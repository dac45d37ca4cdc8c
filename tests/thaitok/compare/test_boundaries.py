"""Crossed boundaries, lost edges and misaligned tokens, against counting by hand and by sets."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaitok.compare.boundaries import boundaries_of, edges_of, gold_block, measure_boundaries
from thaitok.compare.gold import GoldText
from thaitok.compare.load import load_tokenizer_any
from thaitok.compare.spans import Tokens, block_of


def tokens_of(texts: list[list[str]]) -> Tokens:
    """Return the tokens that these parts of texts would be."""
    sizes = [len(part.encode()) for parts in texts for part in parts]
    edges = np.array([0, *accumulate(sizes)], np.int64)
    bounds = np.array([0, *accumulate(len(parts) for parts in texts)], np.int64)
    return Tokens(np.zeros(len(sizes), np.int64), edges[:-1], edges[1:], bounds)


def gold_of(words: list[str], spans: tuple[tuple[int, int], ...] = ()) -> GoldText:
    edges = [0, *accumulate(map(len, words))]
    full = [(edges[number], edges[number + 1]) for number, word in enumerate(words) if word.strip()]
    return GoldText("".join(words), tuple(full), spans)


def test_crossing_is_counted_as_by_hand() -> None:
    # Gold ใน|ประเทศ|ไทย, a space, แมว|กิน; boundaries that count: 2 and 1.
    gold = gold_block([gold_of(["ใน", "ประเทศ", "ไทย", " ", "แมว", "กิน"])])
    found = boundaries_of(gold, tokens_of([["ในประเทศ", "ไท", "ย แมว", "กิน"]]))
    assert found.crossed == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(2 / 3)
    # The tokens part before ไท, before ย and before กิน; the second is no boundary.
    assert found.precision == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.tokens_per_word == pytest.approx(4 / 5)
    assert found.misaligned == 0, "ในประเทศ is made of whole words"


def test_a_token_of_parts_of_words_is_misaligned() -> None:
    gold = gold_block([gold_of(["ใน", "ประเทศ", " ", "แมว", "กิน"])])
    found = boundaries_of(gold, tokens_of([["ในประ", "เทศ", " แมวกิน"]]))
    assert found.crossed == 1
    assert found.misaligned == pytest.approx(1 / 3), " แมวกิน begins with a space: that is whole"


def test_a_token_that_begins_between_two_spaces_is_whole() -> None:
    gold = gold_block([gold_of(["ก", " ", " ", "ข", "ค"])])
    assert boundaries_of(gold, tokens_of([["ก ", " ขค"]])).misaligned == 0


def test_an_edge_inside_a_token_is_lost() -> None:
    text = "เมื่อวันที่ 5 มีนาคม"
    gold = gold_block([GoldText(text, spans=((5, 13), (5, 20)))])
    # 13 is after the 5, beside a space, and 20 the end of the text: 5 alone can be lost.
    assert edges_of(gold, tokens_of([["เมื่อวันที่", " 5 มีนาคม"]])).model_dump() == {
        "edges": 1,
        "lost": 1.0,
    }
    assert edges_of(gold, tokens_of([["เมื่อ", "วันที่ 5 มีนาคม"]])).lost == 0


def test_an_edge_inside_a_character_is_no_boundary() -> None:
    # แ|มว in bytes: a token that ends inside แ does not part at it, and one crosses แ|ม.
    gold = gold_block([gold_of(["แ", "มว"])])
    ids = np.zeros(3, np.int64)
    tokens = Tokens(ids, np.array([0, 2, 5]), np.array([2, 5, 9]), np.array([0, 3]))
    found = boundaries_of(gold, tokens)
    assert (found.crossed, found.precision, found.f1) == (1.0, 0.0, 0.0)


def test_text_in_no_token_is_a_place_as_a_whole() -> None:
    gold = gold_block([gold_of(["กข", "คง"])])
    ids = np.zeros(2, np.int64)
    for starts, ends in (([0, 9], [3, 12]), ([0, 6], [3, 12])):
        tokens = Tokens(ids, np.array(starts), np.array(ends), np.array([0, 2]))
        found = boundaries_of(gold, tokens)
        assert (found.crossed, found.precision) == (0.0, 1.0)


CUTS = st.lists(st.booleans(), min_size=24, max_size=24)


@given(
    texts=st.lists(
        st.text(alphabet="กขab \u200b😀", min_size=1, max_size=8), min_size=1, max_size=3
    ),
    gold_cuts=CUTS,
    token_cuts=CUTS,
)
def test_the_measures_are_those_of_sets(
    texts: list[str], gold_cuts: list[bool], token_cuts: list[bool]
) -> None:
    def cut(text: str, marks: list[bool]) -> list[str]:
        places = [0, *(n for n in range(1, len(text)) if marks[n]), len(text)]
        return [text[one:two] for one, two in pairwise(places)]

    words = [cut(text, gold_cuts) for text in texts]
    parts = [cut(text, token_cuts) for text in texts]
    gold: set[tuple[int, int]] = set()
    parted: set[tuple[int, int]] = set()
    for number, text in enumerate(texts):
        unseen = {n for n, ch in enumerate(text) if ch in " \u200b"}
        judged = {n for n in range(1, len(text)) if not {n - 1, n} & unseen}
        full = [word for word in words[number]]
        places = [0, *accumulate(map(len, full))]
        edges = {
            place
            for word, one, two in zip(full, places, places[1:], strict=False)
            if word.strip()
            for place in (one, two)
        }
        gold |= {(number, place) for place in edges & judged}
        parted |= {(number, n) for n in accumulate(map(len, parts[number])) if n in judged}
    found = boundaries_of(gold_block([gold_of(one) for one in words]), tokens_of(parts))
    assert found.crossed == (len(gold - parted) / len(gold) if gold else None)
    assert found.precision == (len(gold & parted) / len(parted) if parted else None)


def test_no_gold_is_no_figure() -> None:
    found = boundaries_of(gold_block([]), tokens_of([]))
    assert (found.tokens, found.crossed, found.f1) == (0, None, None)
    assert edges_of(gold_block([GoldText("ก")]), tokens_of([["ก"]])).lost is None


def test_who_cuts_everything_crosses_nothing_and_has_low_precision(zoo: dict[str, Path]) -> None:
    gold = [gold_of(["แมว", "นั่ง", "อยู่", "บน", "เสื่อ"]), gold_of(["สุข", " ", "ใจ"])]
    block = gold_block(gold)
    letters = boundaries_of(block, tokens_of([list(one.text) for one in gold]))
    assert (letters.crossed, letters.recall) == (0.0, 1.0)
    assert letters.precision is not None
    assert letters.precision < 0.4
    for path in zoo.values():
        found = measure_boundaries(load_tokenizer_any(path), block)
        assert found.tokens > 0
        assert found.crossed is not None
        assert found.recall == pytest.approx(1 - found.crossed)
    assert block_of([]).size == 0
