from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.data.entities import entities_of
from finetune.model.decode import (
    allowed,
    carry_on,
    is_bio,
    is_bioes,
    may_end,
    to_bio,
    to_bioes,
    viterbi,
)
from finetune.model.tags import unread_scores

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


BIOES = ("O", *(f"{place}-{kind}" for kind in ("LOC", "PER") for place in "BIES"))


def valid(path: tuple[int, ...]) -> bool:
    tags = ["O", *(LABELS[label] for label in path)]
    return all(
        not after.startswith("I-") or before[1:] == after[1:] for before, after in pairwise(tags)
    )


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_viterbi_finds_the_best_valid_sequence(seed: int, words: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(words, len(LABELS))) * 3
    found = viterbi(scores, *allowed(LABELS))
    assert valid(tuple(found))
    paths = filter(valid, product(range(len(LABELS)), repeat=words))
    best = max(paths, key=lambda path: sum(scores[word, label] for word, label in enumerate(path)))
    assert found == list(best)


@given(st.integers(0, 10_000))
def test_viterbi_takes_scores_that_hang_on_the_label_before(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(4, len(LABELS), len(LABELS)))
    found = viterbi(scores, *allowed(LABELS))

    def total(path: tuple[int, ...]) -> float:
        steps = pairwise(path)
        pairs = [scores[at + 1, a, b] for at, (a, b) in enumerate(steps)]
        return float(scores[0, 0, path[0]] + sum(pairs))

    assert found == list(max(filter(valid, product(range(5), repeat=4)), key=total))


def test_an_inside_tag_without_its_beginning_is_mended() -> None:
    # O, then I-PER the best, B-PER next: the valid sequence begins the entity.
    scores = np.log([[0.9, 0.02, 0.02, 0.05, 0.01], [0.1, 0.01, 0.01, 0.3, 0.58]])
    assert viterbi(scores, *allowed(LABELS)) == [0, 3]


def test_a_word_that_no_piece_reads_goes_with_its_neighbours() -> None:
    scores = np.full((3, 5), -5.0)
    scores[1] = unread_scores(LABELS)
    scores[0, 3] = scores[2, 4] = 0.0  # B-PER ? I-PER
    assert viterbi(scores, *allowed(LABELS)) == [3, 4, 4]
    scores[2] = [0.0, -5, -5, -5, -5]  # B-PER ? O
    assert viterbi(scores, *allowed(LABELS)) == [3, 0, 0]


def test_a_swallowed_word_stands_inside_the_entity_its_piece_begins() -> None:
    scores = np.log([0.1, 0.1, 0.1, 0.6, 0.1])
    moved = np.exp(carry_on(scores, LABELS))
    np.testing.assert_allclose(moved, [0.1, 0, 0.2, 0, 0.7], atol=1e-12)


def test_other_labels_are_not_taken_for_bio() -> None:
    assert is_bio(LABELS)
    assert not is_bio(["NOUN", "VERB"])
    assert not is_bio(["O", "B-PER", "E-PER"])
    assert is_bioes(BIOES) and not is_bioes(LABELS)
    assert not is_bio(["O"])


def valid_bio(tags: list[str]) -> bool:
    return all(
        not after.startswith("I-") or (before != "O" and before[2:] == after[2:])
        for before, after in pairwise(["O", *tags])
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from(LABELS), max_size=8).filter(valid_bio))
def test_bioes_says_what_bio_says(tags: list[str]) -> None:
    bioes = to_bioes(tags)
    assert [to_bio(tag) for tag in bioes] == tags
    begins, follows = allowed(BIOES)
    numbers = [BIOES.index(tag) for tag in bioes]
    if numbers:
        assert begins[numbers[0]] and may_end(BIOES)[numbers[-1]]
        assert all(follows[before, after] for before, after in pairwise(numbers))


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_bioes_paths_are_whole_entities(seed: int, words: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(words, len(BIOES))) * 3
    path = viterbi(scores, *allowed(BIOES), may_end(BIOES))
    tags = [BIOES[label] for label in path]
    assert to_bioes([to_bio(tag) for tag in tags]) == tags


@settings(deadline=None)
@given(st.lists(st.sampled_from(LABELS), max_size=8).filter(valid_bio))
def test_entities_are_those_seqeval_finds(tags: list[str]) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    found = [(kind, first, end - 1) for first, end, kind in entities_of(tags)]
    assert found == get_entities(tags)
