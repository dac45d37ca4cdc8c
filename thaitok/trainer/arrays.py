"""The arrays that training works on: edges over places in compressed rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of places (characters of words, or words of phrases) and the pieces over them.

    Row r has the places `starts[r]` to `starts[r + 1]`; edges `first[i]` to `first[i + 1]` begin
    at place i, and each covers `length` places with piece `piece`. A tuple, as numba takes it.
    """

    starts: Longs
    first: Longs
    length: Bytes
    piece: Ints


def only(rows: Rows, alive: Flags) -> Rows:
    """Drop the edges of pieces that are not alive, and number the others anew."""
    kept = alive[rows.piece]
    counted = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=counted[1:])
    renumber = (np.cumsum(alive) - 1).astype(np.int32)
    piece = renumber[rows.piece[kept]]
    return Rows(rows.starts, counted[rows.first], rows.length[kept], piece)
