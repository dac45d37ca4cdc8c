from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.trainer.counting import Counted
from thaitok.trainer.phrases import LONGEST_ROW, PhraseOptions, Phrases, find_candidates
from thaitok.trainer.seeds import LEADING_VOWELS, MARKS, Words, substrings


def seeds_of(words: dict[str, float], least: float = 2, most: int = 1000) -> dict[str, float]:
    laid = Words.of(list(words), np.array(list(words.values())))
    seeds = substrings(laid, 40, least, most)
    where = zip(seeds.places.tolist(), seeds.sizes.tolist(), strict=True)
    return dict(zip((laid.text(*one) for one in where), seeds.counts.tolist(), strict=True))


def test_seeds_keep_letter_clusters_whole() -> None:
    seeds = seeds_of({"เด็ก": 5.0, "กิ่ง": 5.0, "เด็กดี": 3.0})
    assert seeds["เด็ก"] == 8
    assert not any(len(piece) > 1 and piece[0] in MARKS for piece in seeds)
    assert not any(len(piece) > 1 and piece[-1] in LEADING_VOWELS for piece in seeds)
    assert "็" in seeds, "single characters stay"


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("กขค", min_size=1, max_size=8), st.integers(1, 9), min_size=1))
def test_seeds_are_the_frequent_substrings_that_no_longer_one_contains_as_often(
    words: dict[str, int],
) -> None:
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                counts[word[start:end]] += count

    def part_of_one_as_frequent(piece: str) -> bool:
        return any(
            counts[longer] == counts[piece]
            for letter in "กขค"
            for longer in (piece + letter, letter + piece)
        )

    expected = {
        piece: float(count)
        for piece, count in counts.items()
        if len(piece) == 1 or (count >= 2 and not part_of_one_as_frequent(piece))
    }
    assert seeds_of({word: float(count) for word, count in words.items()}) == expected


def test_the_lattice_has_every_place_of_every_seed() -> None:
    laid = Words.of(["กขกข", "ขก"], np.array([3.0, 4.0]))
    seeds = substrings(laid, 40, 2, 100)
    text = "".join(["กขกข", "ขก"])
    begins = np.repeat(np.arange(len(text)), np.diff(seeds.rows.first))
    edges = zip(begins.tolist(), seeds.rows.length.tolist(), seeds.rows.piece.tolist(), strict=True)
    found = sorted((begin, text[begin : begin + size]) for begin, size, _ in edges)
    pieces = {
        laid.text(p, s) for p, s in zip(seeds.places.tolist(), seeds.sizes.tolist(), strict=True)
    }
    every = [
        (begin, text[begin:end])
        for begin in range(6)
        for end in range(begin + 1, 7)
        if text[begin:end] in pieces and not begin < 4 < end
    ]
    assert found == sorted(every)


def counted_of(rows: list[tuple[list[int], float]], words: int) -> Counted:
    tokens = np.array([word for row, _ in rows for word in row], np.int32)
    starts = np.cumsum([0, *(len(row) for row, _ in rows)])
    weight = np.array([count for _, count in rows])
    known = tokens >= 0
    counts = np.bincount(tokens[known], np.repeat(weight, np.diff(starts))[known], words)
    return Counted([chr(0xE01 + one) for one in range(words)], counts, tokens, starts, weight)


def candidates_of(
    rows: list[tuple[list[int], float]], *, least: float = 3, npmi: float = 0.0, most: int = 3
) -> dict[tuple[int, ...], float]:
    counted = counted_of(rows, 6)
    usable = np.array([True] * 5 + [False])
    options = PhraseOptions(most, 40, least, npmi)
    found = find_candidates(counted, usable, np.ones(6, np.int32), options)
    tokens = found.phrases.words
    where = zip(found.places.tolist(), found.sizes.tolist(), strict=True)
    texts = [tuple(tokens[place : place + many].tolist()) for place, many in where]
    return dict(zip(texts, found.counts.tolist(), strict=True))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(-1, 5), min_size=1, max_size=7), st.integers(1, 5)),
        min_size=1,
        max_size=6,
    )
)
def test_candidates_are_the_frequent_rows_of_usable_words(
    rows: list[tuple[list[int], int]],
) -> None:
    counts: Counter[tuple[int, ...]] = Counter()
    for row, times in rows:
        for start in range(len(row)):
            for end in range(start + 2, min(start + 3, len(row)) + 1):
                if set(row[start:end]).isdisjoint({-1, 5}):
                    counts[tuple(row[start:end])] += times
    expected = {row: float(count) for row, count in counts.items() if count >= 3}
    assert candidates_of([(row, float(times)) for row, times in rows]) == expected


def test_words_that_merely_meet_are_no_phrase() -> None:
    cohere = [([0, 1], 20.0)]
    meet = [([2, 3], 4.0), *(([word, other], 20.0) for word in (2, 4) for other in (3, 4))]
    found = candidates_of(cohere + meet, npmi=0.5)
    assert (0, 1) in found
    assert (2, 3) not in found


def test_rows_are_cut_where_nothing_crosses_and_equal_ones_counted_once() -> None:
    phrases = Phrases(
        np.array([1, 2, 3, 1, 2], np.int32), np.array([0, 3, 5]), np.array([2.0, 5.0]), np.zeros(4)
    )
    cut, places = phrases.cut(np.array([False, True, False, False, True]))
    assert cut.words.tolist() == [1, 2]
    assert cut.counts.tolist() == [7.0]
    assert cut.alone.tolist() == [0, 0, 0, 2.0]
    assert places.tolist() == [0, 1]


def test_a_row_of_thousands_of_words_is_cut() -> None:
    phrases = Phrases(
        np.arange(1000, dtype=np.int32), np.array([0, 1000]), np.ones(1), np.zeros(1000)
    )
    cut, _ = phrases.cut(np.ones(1000, bool))
    assert np.diff(cut.starts).max() == LONGEST_ROW
    assert cut.words.tolist() == list(range(1000))
