"""The compiled sums against sums over every cut, written out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.trainer import lattice
from thaitok.trainer.arrays import Rows, only
from thaitok.trainer.seeds import Words, lay_out

LETTERS = "กขค"
words_and_pieces = st.tuples(
    st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=1, max_size=4),
    st.lists(st.text(LETTERS, min_size=2, max_size=4), max_size=8, unique=True),
)


def rows_of(words: list[str], pieces: list[str]) -> Rows:
    laid = Words.of(words, np.ones(len(words)))
    text, found = "".join(words), []
    room = np.repeat(laid.starts[1:], np.diff(laid.starts))
    for place in range(len(text)):
        for number, piece in enumerate(pieces):
            if text.startswith(piece, place) and place + len(piece) <= room[place]:
                found.append((place, len(piece), number))
    columns = [np.array(column, kind) for column, kind in zip(
        zip(*found, strict=True), (np.int64, np.uint8, np.int32), strict=True)]  # fmt: skip
    return lay_out(laid.starts, len(text), *([column] for column in columns))


def cuts(word: str, pieces: list[str]) -> Iterator[list[int]]:
    if not word:
        yield []
    for number, piece in enumerate(pieces):
        if word.startswith(piece):
            yield from ([number, *rest] for rest in cuts(word[len(piece) :], pieces))


def chances(pieces: list[str]) -> np.ndarray:
    return np.array([0.5 / (number + 2) for number in range(len(pieces))])


@settings(max_examples=60, deadline=None)
@given(words_and_pieces)
def test_words_are_summed_and_counted_over_all_cuts(given_: tuple[list[str], list[str]]) -> None:
    words, pieces = given_[0], [*LETTERS, *given_[1]]
    rows, chance = rows_of(words, pieces), chances(pieces)
    total, counts = np.zeros(len(words)), np.zeros(len(pieces))
    weight = np.arange(1.0, len(words) + 1)
    lattice.sum_words(rows, chance, 0, len(words), total)
    lattice.count_words(rows, chance, weight, 0, len(words), counts)
    expected: Counter[int] = Counter()
    for number, word in enumerate(words):
        paths = {tuple(cut): float(np.prod(chance[cut])) for cut in cuts(word, pieces)}
        assert math.isclose(total[number], sum(paths.values()), rel_tol=1e-9)
        for path, probability in paths.items():
            for piece in path:
                expected[piece] += weight[number] * probability / total[number]
    assert np.allclose(counts, [expected[number] for number in range(len(pieces))])


@settings(max_examples=60, deadline=None)
@given(words_and_pieces)
def test_the_loss_of_a_piece_is_that_of_its_best_other_cut(
    given_: tuple[list[str], list[str]],
) -> None:
    words, pieces = given_[0], [*LETTERS, *given_[1]]
    rows, score = rows_of(words, pieces), np.log(chances(pieces))
    text = "".join(words)
    begins = np.repeat(np.arange(len(text)), np.diff(rows.first))
    places = np.full(len(pieces), -1, np.int64)
    places[rows.piece] = begins
    sizes = np.array([len(piece) for piece in pieces], np.int32)
    counts, loss = np.arange(2.0, len(pieces) + 2), np.full(len(pieces), np.inf)
    lattice.lose_pieces(rows, score, counts, counts.sum(), 1.5, places, sizes, loss)
    for number, piece in enumerate(pieces):
        if places[number] < 0 or len(piece) == 1:
            assert math.isinf(loss[number])
            continue
        others = [cut for cut in cuts(piece, pieces) if cut != [number]]
        best = max(sum(score[cut]) for cut in others)
        own, total = counts[number], counts.sum()
        possible = []
        for cut in others:
            if math.isclose(sum(score[cut]), best, abs_tol=1e-12):
                summed = math.log(total + own * (len(cut) - 1))
                alternative = sum(math.log(counts[one] + own) - summed for one in cut)
                possible.append(own * (math.log(own / total) - alternative + 1.5 * (len(cut) - 1)))
        assert any(math.isclose(loss[number], one, rel_tol=1e-9) for one in possible)


Floats = np.ndarray


def paths(
    row: list[int], phrases: list[list[int]], score: Floats, log_word: Floats
) -> Iterator[tuple[float, list[int], list[int]]]:
    """Yield probability, phrases and single words of every way to cut a row."""
    if not row:
        yield 1.0, [], []
        return
    for chance, used, single in paths(row[1:], phrases, score, log_word):
        yield chance * math.exp(log_word[row[0]]), used, [row[0], *single]
    for number, phrase in enumerate(phrases):
        if row[: len(phrase)] == phrase:
            for chance, used, single in paths(row[len(phrase) :], phrases, score, log_word):
                yield chance * math.exp(score[number]), [number, *used], single


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=5), min_size=1, max_size=3),
    st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=3), max_size=4, unique_by=tuple),
)
def test_phrases_are_counted_over_all_cuts(rows: list[list[int]], phrases: list[list[int]]) -> None:
    log_word = np.log([0.3, 0.2, 0.1])
    score = np.log([0.4 / (number + 3) for number in range(len(phrases))] or [1.0])
    found, base = [], 0
    for row in rows:
        for place in range(len(row)):
            for number, phrase in enumerate(phrases):
                if row[place : place + len(phrase)] == phrase:
                    found.append((base + place, len(phrase), number))
        base += len(row)
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    places, lengths, pieces = (
        [np.array(column, kind)]
        for column, kind in zip(columns, (np.int64, np.uint8, np.int32), strict=True)
    )
    starts = np.cumsum([0, *map(len, rows)])
    over = lay_out(starts, base, places, lengths, pieces)
    counts, alone = np.zeros(len(score)), np.zeros(3)
    weight = np.arange(1.0, len(rows) + 1)
    tokens = np.array([word for row in rows for word in row], np.int32)
    lattice.count_phrases(over, tokens, score, log_word, weight, 0, len(rows), counts, alone)
    expected, words = np.zeros(len(score)), np.zeros(3)
    for row, times in zip(rows, weight, strict=True):
        every = list(paths(row, phrases, score, log_word))
        total = sum(chance for chance, _, _ in every)
        for chance, used, single in every:
            np.add.at(expected, used, times * chance / total)
            np.add.at(words, single, times * chance / total)
    assert np.allclose(counts, expected)
    assert np.allclose(alone, words)


def test_edges_of_dropped_pieces_go_and_the_others_are_numbered_anew() -> None:
    pieces = ["ก", "ข", "กข", "ขก"]
    rows = rows_of(["กขก", "ขก"], pieces)
    left = only(rows, np.array([True, True, False, True]))
    assert left.piece.max() == 2
    begins = np.repeat(np.arange(5), np.diff(left.first))
    found = {
        (int(b), int(n), int(p)) for b, n, p in zip(begins, left.length, left.piece, strict=True)
    }
    assert found == {(0, 1, 0), (1, 1, 1), (1, 2, 2), (2, 1, 0), (3, 1, 1), (3, 2, 2), (4, 1, 0)}


def test_a_long_run_of_rare_signs_does_not_break_the_sums() -> None:
    pieces, word = ["ก", "ข"], "ข" * 300
    rows = rows_of([word, "ก"], pieces)
    chance, counts = np.array([1.0, 1e-9]), np.zeros(2)
    lattice.count_words(rows, chance, np.ones(2), 0, 2, counts)
    assert counts.tolist() == [1.0, 0.0]
