"""The naive baselines, which look at labels alone or at one word, and what every baseline is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from finetune.data.rows import Example

Rows = Sequence[Example]
Predict = Callable[[Rows], list[list[str]]]
"""Predictions of each row, of the form of its gold."""

Fit = Callable[[Rows, Rows, Sequence[str]], Predict]
"""Learns from training rows, may choose a threshold on validation rows, and knows the labels."""


def majority(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Answer the most frequent label of training, always."""
    label = most_common(Counter(example.gold[0] for example in train))
    return lambda rows: [[label] for _ in rows]


def frequent_labels(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Answer the labels that hold of at least half the texts, or else the most frequent one."""
    counts = Counter(label for example in train for label in example.gold)
    often = [label for label in labels if 2 * counts[label] >= len(train)]
    chosen = often or ([most_common(counts)] if counts else [])
    return lambda rows: [list(chosen) for _ in rows]


def most_frequent_tag(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Answer each word's most frequent tag in training; for a new word, the most frequent tag."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        for word, tag in zip(example.words, example.gold, strict=True):
            counts[word][tag] += 1
    tags = {word: most_common(counter) for word, counter in counts.items()}
    other = most_common(sum(counts.values(), Counter()))
    return lambda rows: [[tags.get(word, other) for word in row.words] for row in rows]


def newmm_words(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Cut with pythainlp's newmm, which learns nothing; a word begins only where a cluster does."""
    from pythainlp.tokenize import word_tokenize

    def tags(row: Example) -> list[str]:
        begins, end = set(), 0
        for word in word_tokenize(row.text, engine="newmm"):
            begins.add(end)
            end += len(word)
        return ["B" if start in begins else "I" for start, _ in row.spans]

    return lambda rows: [tags(row) for row in rows]


def most_common(counts: Counter[Any]) -> str:
    """Return the most frequent key; of equal ones the first in order, whatever came first."""
    return str(min(counts, key=lambda key: (-counts[key], key)))
