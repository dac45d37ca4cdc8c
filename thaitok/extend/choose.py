"""Choosing pieces for the words of one script: a union with the old ones, EM, and pruning.

The unigram model (Kudo 2018, arXiv 1804.10959) restricted to one script. A best cut of a text
divides at each change of script, since no piece mixes two; so new pieces and new scores of one
script leave the cuts of every other one as they were. Old pieces stay whatever their use.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma

from thaitok.trainer import lattice
from thaitok.trainer.arrays import Flags, Floats, Ints, Longs, Rows, only
from thaitok.trainer.seeds import Words, lay_out, substrings

SEEDS = 200_000
"""Most substrings to begin with."""
LEAST_SEED = 2.0
"""How often one must come; 1 gave no better pieces."""
SHRINK = 0.75
"""Share of the candidates that a round keeps (SentencePiece's)."""
EM_STEPS = 2
LAST_STEPS = 4
"""EM steps between rounds, and after the last one, for the scores."""
TOKEN_GAIN = 5.0
"""Nats that a saved token is worth beside the likelihood when pieces are pruned: 0 leaves .01
tokens a word more, 10 none less."""
PRIOR = 0.05
"""Weight of the old scores against the words, so that old pieces the corpus lacks stay probable."""
LEAST_EXPECTED = 0.1
LONGEST_WORD = lattice.LONGEST - 1
"""Characters; a longer one is no word."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pieces that may be chosen or are there already, and the words over them."""

    texts: tuple[str, ...]
    fixed: Flags
    """(pieces,) those that stay: the old ones."""
    prior: Floats
    """(pieces,) what is added to the expected counts."""
    places: Longs
    sizes: Ints
    """(pieces,) where each stands in some word: the place of its first character, and how many."""
    score: Floats
    rows: Rows
    weight: Floats
    """(words,) their counts."""

    @property
    def new(self) -> int:
        """How many are not old."""
        return int((~self.fixed).sum())

    def taken(self, alive: Flags) -> Candidates:
        """Return these pieces only."""
        return replace(
            self,
            texts=tuple(text for text, one in zip(self.texts, alive, strict=True) if one),
            fixed=self.fixed[alive],
            prior=self.prior[alive],
            places=self.places[alive],
            sizes=self.sizes[alive],
            score=self.score[alive],
            rows=only(self.rows, alive),
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """New pieces, most useful first, and the scores of old and new ones together."""

    new: tuple[str, ...]
    scores: Mapping[str, float]
    """Natural log-probabilities, whose mass is that of the old pieces of the script."""


def find_candidates(
    counts: Mapping[str, float],
    old: Mapping[str, float],
    longest: int,
    wanted: Collection[str] | None = None,
) -> Candidates:
    """Lay the counted words out over old pieces (with their scores) and candidates.

    Candidates are the words' frequent substrings, or those of `wanted` that stand in a word.
    """
    words = sorted(word for word in counts if len(word) <= LONGEST_WORD)
    laid = Words.of(words, np.array([counts[word] for word in words], np.float64))
    if wanted is None:
        seeds = substrings(laid, longest, LEAST_SEED, SEEDS)
        where = zip(seeds.places.tolist(), seeds.sizes.tolist(), strict=True)
        wanted = [laid.text(*one) for one in where]
    texts = [*old, *sorted(set(wanted) - old.keys())]
    rows, places, sizes, expected = _lattice(laid, texts)
    fixed = np.arange(len(texts)) < len(old)
    alive = fixed | (places >= 0)
    mass = np.exp(np.fromiter(old.values(), np.float64, len(old)))
    prior = np.zeros(len(texts))
    prior[: len(old)] = mass / mass.sum() * PRIOR * laid.counts.sum()
    score = np.log(np.maximum(expected, LEAST_EXPECTED) / max(1.0, expected.sum()))
    found = Candidates(tuple(texts), fixed, prior, places, sizes, score, rows, laid.counts)
    return found.taken(alive)


def _lattice(words: Words, texts: Sequence[str]) -> tuple[Rows, Longs, Ints, Floats]:
    """Return all edges of pieces over words, one place and size of each piece, and its count."""
    number = {text: one for one, text in enumerate(texts)}
    begins = {text[:end] for text in texts for end in range(1, len(text))}
    at: list[int] = []
    length: list[int] = []
    piece: list[int] = []
    for start, end in zip(words.starts[:-1].tolist(), words.starts[1:].tolist(), strict=True):
        word = words.text(start, end - start)
        for first in range(len(word)):
            for last in range(first + 1, len(word) + 1):
                text = word[first:last]
                if (one := number.get(text)) is not None:
                    at.append(start + first)
                    length.append(last - first)
                    piece.append(one)
                if text not in begins:
                    break
    where, long = np.array(at, np.int64), np.array(length, np.uint8)
    which = np.array(piece, np.int32)
    places = np.full(len(texts), -1, np.int64)
    sizes = np.zeros(len(texts), np.int32)
    places[which[::-1]], sizes[which[::-1]] = where[::-1], long[::-1]
    weight = np.repeat(words.counts, np.diff(words.starts))
    counts = np.bincount(which, weight[where], len(texts)).astype(np.float64)
    rows = lay_out(words.starts, len(words.characters), [where], [long], [which])
    return rows, places, sizes, counts


def choose(candidates: Candidates, sizes: Sequence[int], mass: float) -> Iterator[Chosen]:
    """Yield the best pieces of each size, the largest size first.

    `mass` is the probability that old pieces of the script have together, which the union gets.
    A size below that of all candidates is cut from the same rounds whatever other sizes are asked
    for, so that a plan's row is what `add` gives.
    """
    state = _em(candidates)
    for size in sorted(sizes, reverse=True):
        while (smaller := int(state.new * SHRINK)) > size:
            state = _em(_pruned(state, smaller))
        last = _pruned(state, size)
        for _ in range(LAST_STEPS):
            last = replace(last, score=_logs(_expect(last)))
        yield _chosen(last, mass)


def _em(state: Candidates) -> Candidates:
    """Take the EM steps of a round; digamma favours few pieces, as SentencePiece does."""
    for _ in range(EM_STEPS):
        counts = _expect(state)
        state = replace(state, score=digamma(counts) - digamma(counts.sum()))
    return state


def _expect(state: Candidates) -> Floats:
    counts = np.zeros(len(state.score))
    lattice.count_words(state.rows, np.exp(state.score), state.weight, 0, len(state.weight), counts)
    return np.maximum(counts + state.prior, LEAST_EXPECTED)


def _logs(counts: Floats) -> Floats:
    return np.asarray(np.log(counts / counts.sum()))


def _pruned(state: Candidates, size: int) -> Candidates:
    """Keep the `size` new pieces whose loss would cost most."""
    if state.new <= size:
        return state
    loss = np.where(state.fixed, np.inf, _losses(state))
    order = np.argsort(-loss, kind="stable")
    alive = np.zeros(len(order), bool)
    alive[order[: int(state.fixed.sum()) + size]] = True
    return state.taken(alive)


def _losses(state: Candidates) -> Floats:
    """Return what the words would lose in nats (and tokens) without each piece.

    One that no others can write, a letter that was unknown, counts as a token saved.
    """
    counts = _expect(state)
    loss = np.full(len(counts), np.inf)
    lattice.lose_pieces(
        state.rows, state.score, counts, float(counts.sum()), TOKEN_GAIN,
        state.places, state.sizes, loss,
    )  # fmt: skip
    return np.where(np.isinf(loss), TOKEN_GAIN * counts, loss)


def _chosen(state: Candidates, mass: float) -> Chosen:
    order = np.argsort(-np.where(state.fixed, -np.inf, _losses(state)), kind="stable")
    new = tuple(state.texts[one] for one in order[: state.new].tolist())
    scores = state.score + math.log(mass)
    return Chosen(new, dict(zip(state.texts, scores.tolist(), strict=True)))
