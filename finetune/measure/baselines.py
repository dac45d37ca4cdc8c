"""Baselines: what a model must beat to be worth its cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from finetune.data.rows import Example
from finetune.data.tasks import Kind
from finetune.model.decode import allowed, viterbi

Rows = Sequence[Example]
Predict = Callable[[Rows], list[list[str]]]
"""Labels of each row: one for a text, or one a word."""

Fit = Callable[[Rows, Sequence[str]], Predict]
"""Learns from training rows and the task's labels."""


def majority(train: Rows, labels: Sequence[str]) -> Predict:
    """Answer the most frequent label of training, always."""
    label = _most_common(Counter(example.gold[0] for example in train))
    return lambda rows: [[label] for _ in rows]


def most_frequent_tag(train: Rows, labels: Sequence[str]) -> Predict:
    """Answer each word's most frequent tag in training; for a new word, the most frequent tag."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        for word, tag in zip(example.words, example.gold, strict=True):
            counts[word][tag] += 1
    tags = {word: _most_common(counter) for word, counter in counts.items()}
    other = _most_common(sum(counts.values(), Counter()))
    return lambda rows: [[tags.get(word, other) for word in row.words] for row in rows]


def tfidf_svm(train: Rows, labels: Sequence[str]) -> Predict:
    """Fit a linear SVM on TF-IDF of runs of 2 to 4 characters: no segmenter, no tuning."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    gold = [example.gold[0] for example in train]
    if len(set(gold)) < 2 or all(len(example.text) < 2 for example in train):
        return majority(train, labels)
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 4), min_df=2 if len(train) > 1000 else 1,
                        sublinear_tf=True, dtype=np.float32),
        LinearSVC(random_state=0),
    )  # fmt: skip
    model.fit([example.text[:READ] for example in train], gold)
    return lambda rows: [[str(label)] for label in model.predict([row.text[:READ] for row in rows])]


READ = 1500
"""Characters of a text that count: about what a model of 416 pieces reads."""


def linear_words(train: Rows, labels: Sequence[str]) -> Predict:
    """Fit logistic regressions on each word's neighbourhood and the tag before it.

    One regression a tag, by averaged stochastic gradient; Viterbi finds the best valid
    sequence (a maximum-entropy Markov model, McCallum et al. 2000): what a CRF sees, normalised
    by the word. The tag before is worth 4.4 points of F1 on thainer's validation split.
    """
    from scipy import sparse
    from sklearn.linear_model import SGDClassifier

    tags = sorted({tag for example in train for tag in example.gold})
    if len(tags) < 2:
        return lambda rows: [tags * len(row.words) for row in rows]
    number = {tag: at for at, tag in enumerate(tags)}
    gold = [[number[tag] for tag in example.gold] for example in train]
    before = [at for row in gold for at in (len(tags), *row[:-1])]  # len(tags): a row begins
    known = sparse.eye(len(tags) + 1, format="csr", dtype=np.float32)[before]
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=8, tol=None, average=True,
                          random_state=0)  # fmt: skip
    model.fit(
        sparse.hstack([_hashed(train), known], format="csr"), [at for row in gold for at in row]
    )
    weights, bias = model.coef_, model.intercept_
    if len(tags) == 2:  # one regression, for the second tag
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    of_words = np.ascontiguousarray(weights[:, :HASHES].T)
    of_tags = weights[:, HASHES:].T  # (before, after)
    begins, follows = allowed(tags)

    def predict(rows: Rows) -> list[list[str]]:
        margins = _hashed(rows) @ of_words + bias
        ends = np.cumsum([len(row.words) for row in rows])[:-1]
        found = []
        for part in np.split(margins, ends):
            steps = part[:, None, :] + of_tags[None, :-1]
            steps[0] = part[0] + of_tags[-1]
            path = viterbi(-np.logaddexp(0.0, -steps), begins, follows)  # log of the logistic
            found.append([tags[at] for at in path])
        return found

    return predict


HASHES = 2**20
"""Columns the features of words are hashed to."""


def _hashed(rows: Rows) -> Any:
    """Return the features of every word of the rows as a sparse matrix (words, HASHES)."""
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(HASHES, input_type="string", alternate_sign=False, dtype=np.float32)
    return hasher.transform(described for row in rows for described in features(row.words))


BASELINES: Mapping[Kind, Mapping[str, Fit]] = {
    "sequence": {"majority": majority, "tfidf_svm": tfidf_svm},
    "ner": {"most_frequent_tag": most_frequent_tag, "linear_words": linear_words},
    "pos": {"most_frequent_tag": most_frequent_tag, "linear_words": linear_words},
}
"""The baselines of each kind of task: the naive one first."""


def features(words: Sequence[str]) -> Iterator[list[str]]:
    """Describe each word by itself, its letters and its neighbours, two on either side."""
    shapes = [_shape(word) for word in words]
    last = len(words) - 1
    for at, word in enumerate(words):
        near = {
            step: (words[at + step], shapes[at + step]) if 0 <= at + step <= last else ("\n", "\n")
            for step in (-2, -1, 0, 1, 2)
        }
        described = ["", f"w={word}", f"s={shapes[at]}"]
        described += [f"p={word[:size]}" for size in (1, 2, 3, 4) if size <= len(word)]
        described += [f"e={word[-size:]}" for size in (1, 2, 3, 4) if size <= len(word)]
        for step in (-2, -1, 1, 2):
            described += [f"w{step}={near[step][0]}", f"s{step}={near[step][1]}"]
        for pair in ((-2, -1), (-1, 0), (0, 1), (1, 2)):
            described.append(f"{pair}={near[pair[0]][0]}\t{near[pair[1]][0]}")
        yield described


def _shape(word: str) -> str:
    """Name the kinds of characters in a word, a run of one kind once: `IPhone 5` → `AaT`."""
    kinds = "".join(map(_character_kind, word[:32]))
    return "".join(kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind)


def _character_kind(character: str) -> str:
    if "\u0e00" <= character <= "\u0e7f":
        return "d" if "\u0e50" <= character <= "\u0e59" else "ก"
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return "_" if character.isspace() else character


def _most_common(counts: Counter[Any]) -> str:
    """Return the most frequent key; of equal ones the first in order, whatever came first."""
    return str(min(counts, key=lambda key: (-counts[key], key)))
