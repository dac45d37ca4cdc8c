"""Words and phrases in one lattice: EM on counted units, and pruning to the size asked for.

The objective is that of the unigram tokenizer (Kudo 2018, arXiv 1804.10959) on two levels, so
that a piece lies inside a word or covers whole words: pieces over several words save tokens, and
each of them swallows a boundary, so that they have a budget.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma

from thaitok.trainer import lattice
from thaitok.trainer.arrays import Flags, Floats
from thaitok.trainer.counting import Counted
from thaitok.trainer.lattice import chunks
from thaitok.trainer.phrases import PhraseOptions
from thaitok.trainer.pieces import Pieces, seed_pieces
from thaitok.trainer.seeds import Words

log = logging.getLogger(__name__)

SHRINK = 0.75
"""Share of the pieces that a round keeps (SentencePiece's; .9 gave nothing)."""
NEARLY = 1.1
"""The last cut is made from this many times the size asked for (SentencePiece's)."""
EM_STEPS = 2
LAST_STEPS = 4
"""EM steps after the last cut, which SentencePiece leaves out: half of the bits gained."""
LEAST_EXPECTED = 0.5
"""A piece expected less often than this is dropped (SentencePiece's)."""


@dataclass(frozen=True, slots=True)
class MixedOptions:
    """How many pieces of which kind, and what a saved token is worth."""

    size: int
    """Pieces, without special and byte pieces."""
    seeds: int
    """Most substrings to begin with."""
    least: float
    """How often a substring must come to be one."""
    phrases: PhraseOptions
    budgets: Mapping[str, int]
    """Most pieces of each class; `phrase` are those over several words."""
    token_gain: float
    """Nats that a saved token is worth beside the likelihood."""

    def of_size(self, size: int) -> MixedOptions:
        """Return the options for another size, with budgets in proportion."""
        scaled = {name: most * size // self.size for name, most in self.budgets.items()}
        return replace(self, size=size, budgets=scaled)


class TooFewPieces(Exception):
    """The corpus cannot fill the vocabulary: `possible` pieces are there."""

    def __init__(self, possible: int) -> None:
        super().__init__(possible)
        self.possible = possible


def train_mixed(counted: Counted, options: MixedOptions) -> list[tuple[str, float]]:
    """Return the pieces with their log-probabilities, most probable first.

    Raises `TooFewPieces` when the corpus has fewer than the options want, within the budgets.
    """
    words = Words.of(counted.words, counted.counts)
    every, texts, counts = seed_pieces(
        words, counted, options.phrases, options.least, options.seeds
    )
    seeds = Vocabulary(every, counts, _logs(counts))
    vocabulary = _shrunk(words, seeds, options)
    if len(vocabulary.score) < options.size:
        raise TooFewPieces(_possible(words, seeds, options.of_size(len(vocabulary.score))))
    for _ in range(LAST_STEPS):
        vocabulary = _step(words, vocabulary, bayesian=False)
    names = [texts[one] for one in vocabulary.pieces.ids.tolist()]
    scored = zip(names, vocabulary.score.tolist(), strict=True)
    return sorted(scored, key=lambda one: (-one[1], one[0]))


def _possible(words: Words, seeds: Vocabulary, options: MixedOptions) -> int:
    """Return a size that is reached: smaller ones have smaller budgets."""
    while (many := len(_shrunk(words, seeds, options).score)) < options.size:
        options = options.of_size(many)
    return options.size


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces with their expected counts and their log-probabilities."""

    pieces: Pieces
    counts: Floats
    score: Floats

    def only(self, alive: Flags) -> Vocabulary:
        """Return these pieces only, with the scores they have."""
        return Vocabulary(self.pieces.taken(alive), self.counts[alive], self.score[alive])


def _logs(counts: Floats) -> Floats:
    return np.asarray(np.log(counts / counts.sum()))


def _shrunk(words: Words, vocabulary: Vocabulary, options: MixedOptions) -> Vocabulary:
    """Prune to the size asked for in rounds, with EM between them."""
    nearly = int(options.size * NEARLY)
    while True:
        for _ in range(EM_STEPS):
            vocabulary = _step(words, vocabulary, bayesian=True)
        many = len(vocabulary.score)
        if many <= nearly:
            return _pruned(vocabulary, options.size, options)
        vocabulary = _pruned(vocabulary, max(int(many * SHRINK), nearly), options)


def _step(words: Words, vocabulary: Vocabulary, *, bayesian: bool) -> Vocabulary:
    """Take a step of EM; with `bayesian`, drop what is hardly expected.

    Digamma in place of the logarithm favours few pieces (as SentencePiece does).
    """
    counts = _expect(words, vocabulary.pieces, vocabulary.score)
    if bayesian:
        alive = (counts >= LEAST_EXPECTED) | vocabulary.pieces.fixed
        vocabulary, counts = vocabulary.only(alive), counts[alive]
    counts = np.maximum(counts, LEAST_EXPECTED)
    score = digamma(counts) - digamma(counts.sum()) if bayesian else _logs(counts)
    return Vocabulary(vocabulary.pieces, counts, score)


def _expect(words: Words, pieces: Pieces, score: Floats) -> Floats:
    """Return how often each piece is expected, in all cuts by their probability."""
    inside, over, phrases, chance = pieces.inside, pieces.over, pieces.phrases, np.exp(score)
    rows = len(words.counts)
    total = np.zeros(rows)
    alone = np.zeros((lattice.CHUNKS, rows))
    counts = np.zeros((lattice.CHUNKS, len(score)))
    _in_parts(rows, lambda _, part: lattice.sum_words(inside, chance, *part, total))
    log_word = np.log(np.maximum(total, lattice.LEAST_CHANCE))
    _in_parts(
        len(phrases.counts),
        lambda n, part: lattice.count_phrases(
            over, phrases.words, score, log_word, phrases.counts, *part, counts[n], alone[n]
        ),
    )
    weight = phrases.alone + alone.sum(0)
    _in_parts(rows, lambda n, part: lattice.count_words(inside, chance, weight, *part, counts[n]))
    return np.asarray(counts.sum(0))


def _in_parts(rows: int, kernel: Callable[[int, tuple[int, int]], None]) -> None:
    """Run a kernel on parts of the rows, in threads: kernels let go of Python's lock."""
    with ThreadPoolExecutor(lattice.CHUNKS) as pool:
        for _ in pool.map(kernel, range(lattice.CHUNKS), chunks(rows)):
            pass


def _pruned(vocabulary: Vocabulary, wanted: int, options: MixedOptions) -> Vocabulary:
    """Keep the `wanted` pieces whose loss would cost most, within the budgets."""
    loss = _losses(vocabulary, options.token_gain)
    return vocabulary.only(_best(vocabulary.pieces, loss, wanted, options))


def _best(pieces: Pieces, loss: Floats, wanted: int, options: MixedOptions) -> Flags:
    """Choose pieces by their loss; single characters always, classes within their budgets."""
    order = np.argsort(-np.where(pieces.fixed, np.inf, loss), kind="stable")
    allowed = np.ones(len(order), bool)
    for name in pieces.kinds.keys() & options.budgets.keys():
        ranked = (pieces.kinds[name] & ~pieces.fixed)[order]
        budget = options.budgets[name] * (wanted / options.size)
        allowed &= ~ranked | (np.cumsum(ranked) <= budget)
    alive = np.zeros(len(order), bool)
    alive[order[allowed][:wanted]] = True
    return alive


def _losses(vocabulary: Vocabulary, gain: float) -> Floats:
    """Return what the corpus would lose in nats (and tokens) without each piece.

    It is infinite for those without another way to be written.
    """
    pieces, score, counts = vocabulary.pieces, vocabulary.score, vocabulary.counts
    inside, over, words = pieces.inside, pieces.over, pieces.phrases.words
    loss = np.full(len(score), np.inf)
    worth = (score, counts, float(counts.sum()), gain)
    lattice.lose_pieces(inside, *worth, pieces.places, pieces.sizes, loss)
    best = np.zeros(len(inside.starts) - 1)
    lattice.best_of_words(inside, score, best)
    where = (pieces.phrase_places, pieces.phrase_sizes)
    lattice.lose_phrases(over, words, inside, best, *worth, *where, loss)
    return loss
