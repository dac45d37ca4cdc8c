"""A small grammar: patterns with slots become words with their part of speech and entity."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a space, its universal part of speech, and its BIO entity tag."""

    text: str
    upos: str = "X"
    entity: str = "O"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a slot may hold: one of a list of words, or one of a list of patterns."""

    words: Mapping[str, Sequence[str]]
    """Words by slot; taken as they are, so they may hold any character."""
    upos: Mapping[str, str]
    """Part of speech of the words of a slot."""
    rules: Mapping[str, Sequence[str]]
    """Patterns by slot."""
    entities: Mapping[str, str]
    """Entity type of a slot; the outermost one counts."""


TRIES = 8
"""How often a slot is filled anew when its word stands in the pattern already."""

_PIECE = re.compile(
    r"\{(?P<slot>@?[a-z_]+)\}"
    r"|\{(?P<least>\d+)-(?P<most>\d+)\}"
    r"|(?P<space> )"
    r"|(?P<word>[^{}| /]+)(?:/(?P<upos>[A-Z]+))?"
)


def expand(pattern: str, grammar: Grammar, rng: random.Random, domain: str = "") -> list[Word]:
    """Fill a pattern.

    In a pattern `{slot}` is a slot, `{2-9}` a number between the two, `|` a word boundary that
    is not written, `word/VERB` a word with its part of speech, and a space a space. `{@slot}`
    is the slot of the domain: in domain `food` it is `{food_slot}`.

    >>> grammar = Grammar({"animal": ["แมว"]}, {"animal": "NOUN"}, {}, {})
    >>> [word.text for word in expand("{animal}|นอน/VERB ครับ", grammar, random.Random(1))]
    ['แมว', 'นอน', ' ', 'ครับ']
    """
    words: list[Word] = []
    used: set[str] = set()
    for piece in _parse(pattern, domain):
        # "Rice instead of rice": a pattern that has a slot twice means two different things.
        for _ in range(TRIES):
            filled = _fill(piece, grammar, rng, domain)
            if not piece.slot or text_of(filled) not in used:
                break
        if piece.slot:
            used.add(text_of(filled))
        words += filled
    return words


def text_of(words: Sequence[Word]) -> str:
    """Return the words as running text."""
    return "".join(word.text for word in words)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a pattern: a slot, or a number to draw, or else a word as it is."""

    slot: str
    numbers: tuple[int, int] | None
    word: Word


@cache
def _parse(pattern: str, domain: str) -> tuple[_Piece, ...]:
    return tuple(_piece(match, domain) for match in _PIECE.finditer(pattern))


def _piece(match: re.Match[str], domain: str) -> _Piece:
    slot = (match["slot"] or "").replace("@", f"{domain}_")
    numbers = (int(match["least"]), int(match["most"])) if match["least"] else None
    return _Piece(slot, numbers, Word(match["word"] or " ", match["upos"] or "X"))


def _fill(piece: _Piece, grammar: Grammar, rng: random.Random, domain: str) -> list[Word]:
    if piece.numbers:
        return [Word(f"{rng.randint(*piece.numbers):,}", "NUM")]
    if not piece.slot:
        return [piece.word]
    words = _choose(piece.slot, grammar, rng, domain)
    kind = grammar.entities.get(piece.slot)
    if kind is None:
        return words
    return [
        replace(word, entity=f"{'I' if index else 'B'}-{kind}") for index, word in enumerate(words)
    ]


def _choose(slot: str, grammar: Grammar, rng: random.Random, domain: str) -> list[Word]:
    if slot in grammar.words:
        return [Word(rng.choice(grammar.words[slot]), grammar.upos.get(slot, "X"))]
    return expand(rng.choice(grammar.rules[slot]), grammar, rng, domain)
