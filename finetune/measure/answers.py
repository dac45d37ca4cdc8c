"""Answers of extractive question answering: exact match and F1 of words and of characters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

ANSWER_FIGURES = ("f1", "exact_match", "char_f1")


def answer_figures(predicted: str, gold: Sequence[str]) -> tuple[float, float, float]:
    """Return F1 of words, exact match and F1 of characters: each the best over the gold answers.

    F1 is of bags, as SQuAD's (Rajpurkar et al. 2016, arXiv 1606.05250); words are pythainlp's
    newmm, as in thai2transformers' squad_newmm. Nothing to compare with scores 0.
    """
    said = normalize_answer(predicted)
    right = [normalize_answer(answer) for answer in gold]
    return (
        max((_f1(answer_words(said), answer_words(answer)) for answer in right), default=0.0),
        float(said in right),
        max((_f1(_characters(said), _characters(answer)) for answer in right), default=0.0),
    )


def normalize_answer(answer: str) -> str:
    """Return an answer as it is compared: SQuAD's rule, as far as it makes sense for Thai.

    Lower case, no invisible characters, one space for any white space, and no white space or
    punctuation at the edges. Inside, punctuation stays, which SQuAD deletes: 1,250 and พ.ศ. are
    words. Thai has no articles. What is punctuation alone stays.
    """
    visible = "".join(ch for ch in answer.lower() if unicodedata.category(ch) != "Cf")
    spaced = " ".join(visible.split())
    first, end = 0, len(spaced)
    while first < end and not _counts(spaced[first]):
        first += 1
    while end > first and not _counts(spaced[end - 1]):
        end -= 1
    return spaced[first:end] or spaced


@lru_cache(maxsize=2**16)
def answer_words(normalized: str) -> tuple[str, ...]:
    """Cut a normalised answer to newmm's words, without those of punctuation and white space."""
    from pythainlp.tokenize import word_tokenize

    words = word_tokenize(normalized, engine="newmm", keep_whitespace=False)
    return tuple(word for word in words if any(map(_counts, word))) or tuple(words)


def _characters(normalized: str) -> tuple[str, ...]:
    return tuple(normalized.replace(" ", ""))


def _counts(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character)[0] != "P"


def _f1(said: Sequence[str], right: Sequence[str]) -> float:
    shared = sum((Counter(said) & Counter(right)).values())
    return 2 * shared / (len(said) + len(right)) if shared else 0.0
