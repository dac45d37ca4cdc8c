"""Sums and best paths over the lattice of words and phrases, compiled by numba.

Two levels. Inside a word, pieces are edges over its characters; over a row of words, an edge is
either a word, as all its cuts together, or a phrase piece that covers several whole words.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thaitok.kernel import compiled
from thaitok.trainer.arrays import Floats, Ints, Longs, Rows

CHUNKS = 4
"""Parts that sums are taken over, whatever the number of threads: floats add up alike."""

LONGEST = 512
"""More places than any row has."""
IMPOSSIBLE = -1e300
LEAST_CHANCE = 1e-280
"""A word less probable than this, a long run of rare signs, teaches nothing: it is left out."""


@compiled
def sum_words(inside: Rows, chance: Floats, begin: int, end: int, total: Floats) -> None:
    """Write to `total` the probability of each word, the sum over all its cuts."""
    ahead = np.zeros(LONGEST)
    for row in range(begin, end):
        at, size = inside.starts[row], inside.starts[row + 1] - inside.starts[row]
        ahead[: size + 1] = 0.0
        ahead[0] = 1.0
        for i in range(size):
            if ahead[i] > 0.0:
                for edge in range(inside.first[at + i], inside.first[at + i + 1]):
                    ahead[i + inside.length[edge]] += ahead[i] * chance[inside.piece[edge]]
        total[row] = ahead[size]


@compiled
def count_words(
    inside: Rows, chance: Floats, weight: Floats, begin: int, end: int, counts: Floats
) -> None:
    """Add to `counts` how often each piece is expected in words that come `weight` times."""
    ahead, behind = np.zeros(LONGEST), np.zeros(LONGEST)
    for row in range(begin, end):
        if weight[row] <= 0.0:
            continue
        at, size = inside.starts[row], inside.starts[row + 1] - inside.starts[row]
        ahead[: size + 1] = 0.0
        behind[: size + 1] = 0.0
        ahead[0] = behind[size] = 1.0
        for i in range(size - 1, -1, -1):
            for edge in range(inside.first[at + i], inside.first[at + i + 1]):
                behind[i] += behind[i + inside.length[edge]] * chance[inside.piece[edge]]
        if behind[0] < LEAST_CHANCE:
            continue
        scale = weight[row] / behind[0]
        for i in range(size):
            if ahead[i] > 0.0:
                for edge in range(inside.first[at + i], inside.first[at + i + 1]):
                    j, piece = i + inside.length[edge], inside.piece[edge]
                    path = ahead[i] * chance[piece]
                    ahead[j] += path
                    counts[piece] += scale * path * behind[j]


@compiled
def _log_sum(one: float, two: float) -> float:
    high, low = max(one, two), min(one, two)
    return float(high + np.log1p(np.exp(low - high)))


@compiled
def count_phrases(
    over: Rows,
    words: Ints,
    score: Floats,
    log_word: Floats,
    weight: Floats,
    begin: int,
    end: int,
    counts: Floats,
    alone: Floats,
) -> None:
    """Add to `counts` the expected phrase pieces, to `alone` the words outside of them.

    `words` are those of the rows, `weight` is how often a row comes. In logarithms: over a row
    of rare words probabilities leave the range of floats.
    """
    ahead, behind = np.zeros(LONGEST), np.zeros(LONGEST)
    for row in range(begin, end):
        at, size = over.starts[row], over.starts[row + 1] - over.starts[row]
        ahead[: size + 1] = IMPOSSIBLE
        ahead[0] = behind[size] = 0.0
        for i in range(size - 1, -1, -1):
            behind[i] = behind[i + 1] + log_word[words[at + i]]
            for edge in range(over.first[at + i], over.first[at + i + 1]):
                other = behind[i + over.length[edge]] + score[over.piece[edge]]
                behind[i] = _log_sum(behind[i], other)
        for i in range(size):
            path = ahead[i] + log_word[words[at + i]]
            ahead[i + 1] = _log_sum(ahead[i + 1], path)
            alone[words[at + i]] += weight[row] * np.exp(path + behind[i + 1] - behind[0])
            for edge in range(over.first[at + i], over.first[at + i + 1]):
                j, piece = i + over.length[edge], over.piece[edge]
                path = ahead[i] + score[piece]
                ahead[j] = _log_sum(ahead[j], path)
                counts[piece] += weight[row] * np.exp(path + behind[j] - behind[0])


@compiled
def best_of_words(inside: Rows, score: Floats, best: Floats) -> None:
    """Write to `best` the score of each word's best cut."""
    ahead = np.zeros(LONGEST)
    for row in range(len(best)):
        at, size = inside.starts[row], inside.starts[row + 1] - inside.starts[row]
        ahead[: size + 1] = IMPOSSIBLE
        ahead[0] = 0.0
        for i in range(size):
            for edge in range(inside.first[at + i], inside.first[at + i + 1]):
                j = i + inside.length[edge]
                ahead[j] = max(ahead[j], ahead[i] + score[inside.piece[edge]])
        best[row] = ahead[size]


@compiled
def _best_cut(
    inside: Rows,
    score: Floats,
    at: int,
    size: int,
    banned: int,
    path: Ints,
    ahead: Floats,
    back: Longs,
) -> int:
    """Write the pieces of the best cut of `size` places from `at` to `path`; return how many.

    The edge of `banned` over all of them is not taken. 0 when there is no cut. `ahead` and
    `back` are room to work in.
    """
    ahead[: size + 1] = IMPOSSIBLE
    ahead[0] = 0.0
    for i in range(size):
        for edge in range(inside.first[at + i], inside.first[at + i + 1]):
            j = i + inside.length[edge]
            if j > size or (inside.piece[edge] == banned and j - i == size):
                continue
            reached = ahead[i] + score[inside.piece[edge]]
            if reached > ahead[j]:
                ahead[j] = reached
                back[j] = edge
    if ahead[size] <= IMPOSSIBLE:
        return 0
    many, j = 0, size
    while j > 0:
        path[many] = inside.piece[back[j]]
        many += 1
        j -= inside.length[back[j]]
    return many


@compiled
def _loss(path: Ints, many: int, counts: Floats, total: float, own: float, gain: float) -> float:
    """Return what is lost when a piece that comes `own` times is written as `path` instead.

    SentencePiece's estimate, in which those times are added to the pieces of the path.
    """
    summed = np.log(total + own * (many - 1))
    alternative = 0.0
    for k in range(many):
        alternative += np.log(counts[path[k]] + own) - summed
    return float(own * (np.log(own / total) - alternative + gain * (many - 1)))


@compiled
def lose_pieces(
    inside: Rows,
    score: Floats,
    counts: Floats,
    total: float,
    gain: float,
    places: Longs,
    sizes: Ints,
    loss: Floats,
) -> None:
    """Lower `loss` to that of each piece cut without itself, at a place of a word."""
    ahead, back = np.zeros(LONGEST), np.zeros(LONGEST, np.int64)
    path = np.zeros(LONGEST, np.int32)
    for one in range(len(places)):
        if places[one] < 0 or sizes[one] < 2:
            continue
        many = _best_cut(inside, score, places[one], sizes[one], one, path, ahead, back)
        if many > 0:
            loss[one] = min(loss[one], _loss(path, many, counts, total, counts[one], gain))


@compiled
def lose_phrases(
    over: Rows,
    words: Ints,
    inside: Rows,
    best_word: Floats,
    score: Floats,
    counts: Floats,
    total: float,
    gain: float,
    places: Longs,
    sizes: Ints,
    loss: Floats,
) -> None:
    """Lower `loss` to that of each phrase cut without itself: to shorter ones, and to words."""
    ahead, back = np.zeros(LONGEST), np.zeros(LONGEST, np.int64)
    inner, inner_back = np.zeros(LONGEST), np.zeros(LONGEST, np.int64)
    path, part = np.zeros(8 * LONGEST, np.int32), np.zeros(LONGEST, np.int32)
    for one in range(len(places)):
        if places[one] < 0:
            continue
        at, size = places[one], sizes[one]
        ahead[: size + 1] = IMPOSSIBLE
        ahead[0] = 0.0
        for i in range(size):
            reached = ahead[i] + best_word[words[at + i]]
            if reached > ahead[i + 1]:
                ahead[i + 1] = reached
                back[i + 1] = -1
            for edge in range(over.first[at + i], over.first[at + i + 1]):
                j = i + over.length[edge]
                reached = ahead[i] + score[over.piece[edge]]
                if j <= size and over.piece[edge] != one and reached > ahead[j]:
                    ahead[j] = reached
                    back[j] = edge
        many, j = 0, size
        while j > 0:
            if back[j] >= 0:
                path[many] = over.piece[back[j]]
                many += 1
                j -= over.length[back[j]]
                continue
            j -= 1
            start = inside.starts[words[at + j]]
            letters = inside.starts[words[at + j] + 1] - start
            found = _best_cut(inside, score, start, letters, -1, part, inner, inner_back)
            path[many : many + found] = part[:found]
            many += found
        loss[one] = min(loss[one], _loss(path, many, counts, total, counts[one], gain))


def chunks(rows: int) -> list[tuple[int, int]]:
    """Divide rows into `CHUNKS` parts."""
    edges = [rows * part // CHUNKS for part in range(CHUNKS + 1)]
    return list(pairwise(edges))
