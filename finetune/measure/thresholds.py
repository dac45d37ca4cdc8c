"""The threshold at which a label is taken to hold: chosen on validation, by F1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def best_threshold(scores: npt.NDArray[np.float64], holds: npt.NDArray[np.bool_]) -> float:
    """Return the threshold of the highest F1: scores above it are taken to hold.

    `scores` and `holds` are (rows,) of validation. The threshold lies in the middle between the
    two scores it parts; of equally good ones the highest is taken. Of a label that never holds
    it is infinity.
    """
    if not holds.any():
        return float("inf")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(holds[order])
    f1 = 2 * hits / (np.arange(1, len(holds) + 1) + holds.sum())
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0  # no threshold parts equal scores
    best = int(f1.argmax())
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best] - 1.0
    return float(ranked[best] + below) / 2
