from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import ngrams
from corpora.ngrams import code_points, gram_hashes, without_space

SOUND = st.text(st.characters(exclude_categories=["Cs"]))
FEW = st.text("กขคab ๅ่", max_size=60)


def grams(text: str, n: int) -> list[str]:
    return [text[at : at + n] for at in range(len(text) - n + 1)]


@given(SOUND)
def test_code_points_are_the_text(text: str) -> None:
    assert code_points(text).tolist() == [ord(letter) for letter in text]


@given(FEW, FEW, st.integers(1, 9))
def test_equal_grams_have_equal_hashes_and_no_others(a: str, b: str, n: int) -> None:
    hashes = [h for text in (a, b) for h in gram_hashes(code_points(text), n).tolist()]
    spelled = grams(a, n) + grams(b, n)
    assert len(hashes) == len(spelled)
    assert len(set(zip(spelled, hashes, strict=True))) == len(set(spelled)) == len(set(hashes))


@given(SOUND, st.integers(1, 9))
def test_the_hash_is_the_polynomial_that_the_docstring_names(text: str, n: int) -> None:
    """A hash that changes with the machine would make another corpus there."""
    word = (1 << 64) - 1

    def by_hand(gram: str) -> int:
        value = 0
        for letter in gram:
            spread = (ord(letter) + 1) * int(ngrams._SPREAD) & word
            value = (value * ngrams._BASE + (spread ^ spread >> 29)) & word
        value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 & word
        return value ^ value >> 32

    assert gram_hashes(code_points(text), n).tolist() == [by_hand(g) for g in grams(text, n)]


def test_grams_are_told_apart_and_spread_over_high_and_low_bits() -> None:
    letters = "".join(map(chr, range(0xE01, 0xE3B)))
    text = "".join(a + b + c for a in letters[:40] for b in letters for c in letters[::3])
    different = len(set(grams(text, 5)))
    hashes = np.unique(gram_hashes(code_points(text), 5))
    assert len(hashes) == different > 40_000
    for bits in (hashes >> np.uint64(56), hashes & np.uint64(0xFF)):
        counts = np.bincount(bits.astype(np.int64), minlength=256)
        # Chi-square over 255 degrees of freedom: 255 with a deviation of 23.
        assert ((counts - different / 256) ** 2).sum() / (different / 256) < 255 + 6 * 23


@given(SOUND, st.integers(1, 7))
def test_white_space_goes_whatever_the_blocks(text: str, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "BLOCK_CHARS", block)
        assert without_space(text) == "".join(text.split())
