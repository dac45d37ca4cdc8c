"""What a text must hold before a rule can change it, found for many texts at once by numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK_CHARS = 1 << 20
"""Characters of texts looked at together."""
_SLICE = 1 << 16
"""Characters in the arrays of one slice: they then stay in the cache, which halves the time."""

ALL = (1 << 32) - 1
ALWAYS = 1 << 31
"""The bit of rules without a trigger: it is set for every text."""

_PAIRS = 7
"""Bits kept for the second character of a pair; as many are kept for the first."""
_SINGLES = 31 - 2 * _PAIRS


@dataclass(frozen=True, slots=True)
class Trigger:
    r"""A condition on one, two or four neighbouring characters.

    `units` is a character class of `re`. The condition is a character of the class (`once`),
    one that stands twice or four times in a row (`twice`, `run`), or, with `then`, one followed
    by a character of a second class. Texts are read as UTF-16, so a class names the characters
    beyond U+FFFF by their surrogates: `[\ud800-\udbff]`.
    """

    units: str
    kind: Literal["once", "twice", "run"] = "once"
    then: str = ""


class Lookout:
    """Finds which of a list of triggers are in which texts. A hit too many costs time alone."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        singles = [trigger for trigger in triggers if not trigger.then]
        pairs = [trigger for trigger in triggers if trigger.then]
        assert len(singles) <= _SINGLES and len(pairs) <= _PAIRS, "more bits are needed"
        self.bits = {trigger: 1 << number for number, trigger in enumerate(singles)}
        self.bits |= {trigger: 1 << _SINGLES + number for number, trigger in enumerate(pairs)}
        """The bit by which a trigger is reported: first those of one class, then the pairs'."""
        masks = {
            kind: sum(self.bits[trigger] for trigger in singles if trigger.kind == kind)
            for kind in ("once", "twice", "run")
        }
        self.once, self.twice, self.run = masks["once"], masks["twice"], masks["run"]
        self.table = _table(tuple(self.bits.items()))

    def look(self, texts: Sequence[str]) -> NDArray[np.uint32]:
        """Return the bits found in each text, shape (texts,); `ALWAYS` is among them.

        All texts are held in UTF-16, the arrays in between for a slice of them at a time.
        """
        import numpy as np

        block = [text.encode("utf-16-le", "surrogatepass") for text in texts]
        raw = b"".join(block)
        sizes = np.fromiter(map(len, block), dtype=np.int64, count=len(block)) // 2
        bits = np.full(len(block), ALWAYS, dtype=np.uint32)
        filled = np.flatnonzero(sizes)
        ends = np.cumsum(sizes)[filled]
        starts = ends - sizes[filled]
        for low in range(0, len(raw) // 2, _SLICE):
            # Each slice reads three units over its end, so that no run is cut. What crosses from
            # one text to the next is a hit too many.
            units = np.frombuffer(raw, "<u2")[low : low + _SLICE + 3]
            inside = slice(
                np.searchsorted(ends, low, "right"), np.searchsorted(starts, low + len(units))
            )
            at = np.maximum(starts[inside] - low, 0)
            bits[filled[inside]] |= np.bitwise_or.reduceat(self._hits(units), at)
        return bits

    def look_at(self, text: str) -> int:
        """Return the bits found in one text."""
        import numpy as np

        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
        found = ALWAYS
        for low in range(0, len(units), _SLICE):
            found |= int(np.bitwise_or.reduce(self._hits(units[low : low + _SLICE + 3])))
        return found

    def _hits(self, units: NDArray[np.uint16]) -> NDArray[np.uint32]:
        """Return the triggers that begin or end at each unit, shape (units,)."""
        import numpy as np

        of = np.asarray(self.table).take(units, mode="wrap")  # twice as fast as table[units]
        hits = of & np.uint32(self.once)
        same = units[1:] == units[:-1]
        at = np.flatnonzero(same)  # a few in a hundred: the rest of the work is on these alone
        hits[at] |= of[at] & np.uint32(self.twice)
        at = np.flatnonzero(same[2:] & same[1:-1] & same[:-2])
        hits[at] |= of[at] & np.uint32(self.run)
        pairs = of[:-1] & (of[1:] >> np.uint32(_PAIRS))
        hits[:-1] |= pairs & np.uint32((1 << _PAIRS) - 1 << _SINGLES)
        return hits


@lru_cache(maxsize=8)
def _table(bits: tuple[tuple[Trigger, int], ...]) -> NDArray[np.uint32]:
    """Return for each UTF-16 unit the triggers whose class holds it, shape (65536,).

    A pair's first class has the pair's own bit, its second class the one `_PAIRS` above it.
    """
    import numpy as np

    every = "".join(map(chr, range(1 << 16)))
    table = np.zeros(1 << 16, dtype=np.uint32)
    for trigger, bit in bits:
        for units, mark in ((trigger.units, bit), (trigger.then, bit << _PAIRS)):
            places = [match.start() for match in re.finditer(units, every)] if units else []
            table[places] |= np.uint32(mark)
    return table
