"""Thai words by nlpo3 (newmm, maximal matching) with the word list that pythainlp carries."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

import nlpo3

DICTIONARY = "pythainlp"
LONGEST = 300
"""Characters handed to the segmenter at once: without spaces its time grows faster than that."""


def segment(phrase: str) -> list[str]:
    """Cut a phrase without spaces into words; joined they give the phrase back."""
    _load_dictionary()
    words: list[str] = []
    for start in range(0, len(phrase), LONGEST):
        words += nlpo3.segment(phrase[start : start + LONGEST], DICTIONARY)
    return words


def listed_words() -> set[str]:
    """Return the words as nlpo3 reads them: without the space at their ends, and none empty."""
    text = files("pythainlp.corpus").joinpath("words_th.txt").read_text(encoding="utf-8")
    return {word.strip() for word in text.split("\n")} - {""}


@cache
def _load_dictionary() -> None:
    with as_file(files("pythainlp.corpus") / "words_th.txt") as path:
        nlpo3.load_dict(str(path), DICTIONARY)
