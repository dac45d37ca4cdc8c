from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate, chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok import segmenter
from thaitok.rules import normalize_many
from thaitok.segmenter import mark_words
from thaitok.trie import LOW
from thaitok.words import LONGEST, listed_words, segment

WORDS = sorted(listed_words())
CONSONANTS, MARKS = "กขคนยรวอหสมดต", "ะัาำิีึืฺุูเแโใไๅ็่้๊๋์ํ๎ๆฯ"
OTHERS = "abZ-09๑๙,. \t\r\n!?🙂龘é…/_\u200b\x00"
POOLS = (
    *(CONSONANTS + MARKS, CONSONANTS + MARKS + OTHERS, MARKS, OTHERS),
    *("เโแกยค์ิี่ะา", "กค์ุิ่ยิเ", "0๑,.a-", "เร็ิีืัะ่์ยว "),
)


def by_nlpo3(phrases: Sequence[str]) -> list[int]:
    return list(accumulate(map(len, chain.from_iterable(map(segment, phrases))), initial=0))


def drawn(chance: random.Random) -> str:
    """Draw letters of one pool, now and then with words of the list between them."""
    pool, size = chance.choice(POOLS), chance.randint(0, chance.choice((4, 12, 40)))
    listed = chance.random() < 0.3
    text = "".join(
        chance.choice(WORDS) if listed and chance.random() < 0.6 else chance.choice(pool)
        for _ in range(size)
    )
    return text * (20 if chance.random() < 0.02 else 1)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64))
def test_words_are_those_of_nlpo3(seed: int) -> None:
    chance = random.Random(seed)
    phrases = [drawn(chance) for _ in range(100)]  # of 10,000 in all
    assert np.flatnonzero(mark_words(phrases)).tolist() == by_nlpo3(phrases), phrases


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(st.sampled_from(POOLS[1])), st.text())))
def test_any_text_is_cut_as_nlpo3_cuts_it(phrases: list[str]) -> None:
    assert np.flatnonzero(mark_words(phrases)).tolist() == by_nlpo3(phrases)


@pytest.mark.parametrize(
    "name", ["thaigov_v2", "msdocs_th", "social_open", "thailaw_ocs", "wiki_contexts"]
)
def test_real_phrases_are_cut_as_nlpo3_cuts_them(
    real_lines: Callable[[str, int], list[str]], name: str
) -> None:
    lines = normalize_many(real_lines(name, 300))
    phrases = list(dict.fromkeys(chain.from_iterable(line.split(" ") for line in lines)))
    assert np.flatnonzero(mark_words(phrases)).tolist() == by_nlpo3(phrases)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("เรียก์", ["เรียก", "์"]),  # a silenced end that the rules leave to what follows
        ("ฬฬฬabc-d12,500.75๑.๒ก", ["ฬฬฬ", "abc-d", "12,500.75", "๑.๒", "ก"]),
        ("!\r\n!\r!", ["!", "\r\n", "!\r!"]),
        ("1,.2", ["1", ",.", "2"]),
    ],
)
def test_quirks_of_nlpo3(text: str, words: list[str]) -> None:
    assert segment(text) == words, "nlpo3 is another one"
    assert np.flatnonzero(mark_words([text])).tolist() == [0, *accumulate(map(len, words))]


def test_what_many_edges_do() -> None:
    """Behind 50 unknown stretches nlpo3 takes the shortest word, and it forgets at a cut."""
    text = "!a" * 30 + "กรุงเทพมหานคร"
    assert segment(text)[-1] != "กรุงเทพมหานคร" == segment(text[40:])[-1]
    long = text + "ก" * (LONGEST - 10) + "กรุงเทพมหานคร"
    border = [("!a" * count)[:count] + "กรุงเทพมหานคร" for count in range(44, 56)]
    assert len({segment(phrase)[-1] for phrase in border}) == 2, "it is among them"
    for phrases in ([text], [text[40:]], [long], [text, long, "", text], border):
        assert np.flatnonzero(mark_words(phrases)).tolist() == by_nlpo3(phrases)


def test_no_phrases_and_empty_ones_have_one_place() -> None:
    assert mark_words([]).tolist() == mark_words(["", ""]).tolist() == [True]


def test_the_trie_holds_the_words_and_no_others() -> None:
    symbol, rules = segmenter._rules()

    def held(word: str) -> bool:
        cell = 0
        for letter in word:
            following = (int(rules.cells[cell]) & LOW) // 2 + int(symbol[ord(letter)])
            if rules.cells[following] >> 32 != cell:
                return False
            cell = following
        return bool(rules.cells[cell] & 1)

    chance, listed = random.Random(1), set(WORDS)
    assert all(map(held, WORDS))
    parts = {word[: chance.randint(1, len(word))] for word in WORDS}
    assert {part for part in parts if held(part)} == parts & listed
