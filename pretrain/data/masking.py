"""Masking: which tokens are predicted, and what the model sees in their place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pretrain.config import MaskConfig


def mask_row(
    ids: NDArray[np.int64],
    special: NDArray[np.bool_],
    draw: np.random.Generator,
    config: MaskConfig,
    mask_id: int,
    replacements: Sequence[int] | NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mask one row and return (what the model sees, places to predict), places in order.

    Exactly `round(probability * n)` of the n tokens that are not special are chosen, at least
    one; of these `masked` become the mask, `random` a piece drawn from `replacements`, and the
    rest stays (BERT, arXiv 1810.04805 §3.1). Special tokens are never touched.
    """
    places = np.flatnonzero(~special)
    count = min(len(places), max(1, round(config.probability * len(places))))
    chosen = draw.permutation(places)[:count]
    masked = round(config.masked * count)
    swapped = masked + round(config.random * count)
    seen = ids.copy()
    seen[chosen[:masked]] = mask_id
    seen[chosen[masked:swapped]] = draw.choice(replacements, swapped - masked)
    return seen, np.sort(chosen)
