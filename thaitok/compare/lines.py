"""Texts made ready to be measured: their lines, words, phrases and Latin words, found once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaitok.compare.spans import Block, Ints, block_of
from thaitok.words import segment

LATIN = re.compile("[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of documents that are not blank: what tokenizers are given, one by one.

    Lines and not documents, since SentencePiece makes a space of a line end or does not know it,
    by which it would be judged and not by how it cuts Thai.
    """

    block: Block
    documents: Ints
    """(lines,) the number of each line's document."""
    words: int
    """Words of nlpo3 in the phrases."""
    phrases: int
    """What white space delimits."""
    latin: Ints
    """(Latin words, 2) where runs of two Latin letters or more begin and end, in bytes."""

    @property
    def characters(self) -> int:
        """Characters of the lines, the denominator for every tokenizer."""
        return len(self.block.characters) - 1


def lines_of(texts: Sequence[str] | Lines) -> Lines:
    """Cut documents into lines and count their words; what is `Lines` already stays."""
    if isinstance(texts, Lines):
        return texts
    numbered = [
        (number, line)
        for number, text in enumerate(texts)
        for line in text.split("\n")
        if line.strip()
    ]
    block = block_of([line for _, line in numbered])
    phrases = [phrase for _, line in numbered for phrase in line.split()]
    return Lines(
        block=block,
        documents=np.array([number for number, _ in numbered], np.int64),
        words=sum(len(segment(phrase)) for phrase in phrases),
        phrases=len(phrases),
        latin=_latin_words(block),
    )


def _latin_words(block: Block) -> Ints:
    found = [
        (number, *match.span())
        for number, text in enumerate(block.texts)
        for match in LATIN.finditer(text)
    ]
    places = np.array(found, np.int64).reshape(-1, 3)
    sides = [block.at(places[:, 0], places[:, side]) for side in (1, 2)]
    return np.stack(sides, axis=1)
