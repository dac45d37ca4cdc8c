"""Where newmm of pythainlp ends words for certain, and the words of a piece between such ends.

newmm starts afresh between a Thai character and one of `CUTS`, and before some leading vowels:
nothing before such a place has a say in what follows. That rests on the dictionary, whose words
begin with a Thai character that is no digit, and hold none of `CUTS` and no Latin letter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from thaitok.emoji import EMOJI, TONED

CUTS = (("!", '"'), ("'", ")"), ("<", "?"), ("\u00a0", "\u00a0"), ("‘", "”"))
"""Ranges of characters in no word of the dictionary and no part of a Latin word or a number."""

LONG_PIECE = 500
LONGEST_PIECE = 20_000
"""In characters: what newmm is given at once where it can be helped, and at most.

Its time grows with the square of the length: 20,000 characters take it 0.1 s."""

THAI = re.compile("[\u0e00-\u0e7f]")
CUT = re.compile("[" + "".join(f"{first}-{last}" for first, last in CUTS) + "]")
LEADING_VOWEL = re.compile("[เ-ไ]")


@lru_cache(maxsize=1)
def dictionary() -> frozenset[str]:
    """Return the words of newmm's dictionary that text without spaces can hold."""
    from pythainlp.corpus import thai_words

    return frozenset(word.strip() for word in thai_words() if " " not in word.strip())


@lru_cache(maxsize=1)
def word_lengths() -> tuple[int, ...]:
    """Return the lengths of words in the dictionary, ascending."""
    return tuple(sorted({len(word) for word in dictionary()}))


def words_of(piece: str, following: str) -> list[str]:
    """Cut a piece of text into words; `following` is the character after it, if any."""
    if len(piece) <= LONG_PIECE:
        return list(_newmm_cached(piece, following))
    words, start = [], 0
    while start < len(piece):
        end = _sure_end(piece, start + LONG_PIECE // 2)
        if end - start > LONGEST_PIECE:
            words.append(piece[start:end])
        else:
            words += _newmm(piece[start:end], piece[end : end + 1] or following)
        start = end
    return words


def _newmm(piece: str, following: str) -> list[str]:
    from pythainlp.tokenize import word_tokenize

    # Where a cluster of Thai letters ends may depend on what follows, and whether anything does.
    context = "<" if CUT.match(following) and THAI.match(piece[-1]) else ""
    words: list[str] = []
    for word in word_tokenize(piece + context, engine="newmm"):
        if EMOJI.fullmatch(word) and not TONED.search(word):
            words += word
        else:
            words.append(word)
    return words[:-1] if context else words


@lru_cache(maxsize=1 << 12)
def _newmm_cached(piece: str, following: str) -> tuple[str, ...]:
    return tuple(_newmm(piece, following))


def _sure_end(piece: str, start: int) -> int:
    """Return the first place from `start` on where newmm starts afresh for certain, or the end.

    It is before a leading vowel, where a cluster of letters always ends, if no word of the
    dictionary reaches over it and one begins at it, so that unknown letters before it end there.
    """
    for vowel in LEADING_VOWEL.finditer(piece, start):
        place = vowel.start()
        if _begins_known_word(piece, place) and not _inside_known_word(piece, place):
            return place
    return len(piece)


def _begins_known_word(piece: str, place: int) -> bool:
    words = dictionary()
    return any(
        LEADING_VOWEL.match(piece, place + length) and piece[place : place + length] in words
        for length in word_lengths()
    )


def _inside_known_word(piece: str, place: int) -> bool:
    words, lengths = dictionary(), word_lengths()
    return any(
        piece[start : start + length] in words
        for start in range(place - 1, max(place - lengths[-1], -1), -1)
        for length in lengths
        if length > place - start
    )
