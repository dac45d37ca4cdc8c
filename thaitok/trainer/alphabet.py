"""The alphabet of a tokenizer: which characters are pieces, and which are unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thaitok.trainer.arrays import Flags
from thaitok.trainer.counting import Counted
from thaitok.trainer.scripts import script_of

THAI = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]")
ALWAYS = re.compile("[!-~\u0e01-\u0e3a\u0e3f-\u0e5b]")
"""ASCII and Thai: in the alphabet whenever they are in use, however seldom."""
LEAST_EMOJI = 5
"""Emoji that come this often are in it too: rare beside letters, they carry a post's mood."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Characters that are pieces, and those left out with their counts, most frequent first."""

    characters: frozenset[str]
    left_out: tuple[tuple[str, int], ...]

    @property
    def thai(self) -> bool:
        """Whether there is any Thai in it."""
        return any(map(THAI.match, self.characters))

    def covered(self, words: list[str]) -> Flags:
        """Say of each word whether all its characters are in the alphabet."""
        missing = {character for character, _ in self.left_out}
        return np.fromiter((missing.isdisjoint(word) for word in words), bool, len(words))


def count_characters(counted: Counted) -> Counter[str]:
    """Count the characters of counted words."""
    counts: Counter[str] = Counter()
    for word, count in zip(counted.words, counted.counts.tolist(), strict=True):
        for character in word:
            counts[character] += count
    return counts


def alphabet_of(counts: Mapping[str, float], coverage: float) -> Alphabet:
    """Choose the most frequent characters that make up `coverage` of all, spaces aside."""
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    wanted = coverage * sum(counts.values())
    chosen, covered = set(), 0.0
    for character in ranked:
        emoji = counts[character] >= LEAST_EMOJI and script_of(character) == "emoji"
        if covered < wanted or emoji or ALWAYS.match(character):
            chosen.add(character)
        covered += counts[character]
    left = tuple((one, round(counts[one])) for one in ranked if one not in chosen)
    return Alphabet(frozenset(chosen), left)
