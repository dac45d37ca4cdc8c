"""The linear baselines of whole texts: a support vector machine on TF-IDF of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finetune.measure.naive import Predict, Rows, frequent_labels, majority
from finetune.measure.thresholds import best_threshold

READ = 1500
"""Characters of a text that count: about what a model of 416 pieces reads."""


def tfidf_svm(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Fit a linear SVM on TF-IDF of runs of 2 to 4 characters: no segmenter, no tuning.

    The two texts of a pair have runs of their own.
    """
    from sklearn.svm import LinearSVC

    gold = [example.gold[0] for example in train]
    if len(set(gold)) < 2 or not _readable(train):
        return majority(train, validation, labels)
    describe = _describer(train)
    model = LinearSVC(random_state=0).fit(describe(train), gold)
    return lambda rows: [[str(label)] for label in model.predict(describe(rows))] if rows else []


def tfidf_svm_sets(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Fit one such SVM a label, each with the threshold that is best on validation."""
    if not labels or not _readable(train):
        return frequent_labels(train, validation, labels)
    describe = _describer(train)
    described = describe(train)
    models = [_one_label(described, _holds(train, label)) for label in labels]

    def margins(rows: Rows) -> npt.NDArray[np.float64]:
        read = describe(rows)
        return np.stack([model(read) for model in models], axis=1)

    holds = np.stack([_holds(validation, label) for label in labels], axis=1)
    columns = zip(margins(validation).T, holds.T, strict=True)
    thresholds = np.array([best_threshold(scores, right) for scores, right in columns])

    def predict(rows: Rows) -> list[list[str]]:
        return [
            [label for label, said in zip(labels, row, strict=True) if said]
            for row in (margins(rows) > thresholds if rows else [])
        ]

    return predict


def _one_label(described: Any, holds: npt.NDArray[np.bool_]) -> Any:
    """Return what gives rows their margins (rows,): above 0 where the label is likelier."""
    from sklearn.svm import LinearSVC

    if holds.all() or not holds.any():
        return lambda rows: np.full(rows.shape[0], 1.0 if holds.all() else -1.0)
    return LinearSVC(random_state=0).fit(described, holds).decision_function


def _describer(train: Rows) -> Any:
    """Return what describes rows by TF-IDF of their characters: a sparse matrix, a row each."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    def fitted(texts: list[str]) -> Any:
        return TfidfVectorizer(
            analyzer="char", ngram_range=(2, 4), min_df=2 if len(train) > 1000 else 1,
            sublinear_tf=True, dtype=np.float32,
        ).fit(texts)  # fmt: skip

    first = fitted(_texts(train))
    if all(row.pair is None for row in train):
        return lambda rows: first.transform(_texts(rows))
    second = fitted(_pairs(train))
    return lambda rows: sparse.hstack(
        [first.transform(_texts(rows)), second.transform(_pairs(rows))], format="csr"
    )


def _texts(rows: Rows) -> list[str]:
    return [row.text[:READ] for row in rows]


def _pairs(rows: Rows) -> list[str]:
    return [(row.pair or "")[:READ] for row in rows]


def _holds(rows: Rows, label: str) -> npt.NDArray[np.bool_]:
    return np.array([label in row.gold for row in rows], dtype=bool)


def _readable(train: Rows) -> bool:
    """Whether both sides have a run of two characters to learn from."""
    pairs = _pairs(train) if any(row.pair is not None for row in train) else None
    return all(
        any(len(text) > 1 for text in side) for side in (_texts(train), pairs) if side is not None
    )
