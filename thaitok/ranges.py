"""Code points as runs without gaps, to be written as the class of a regular expression."""

from __future__ import annotations

from collections.abc import Iterable


def runs_of_codes(codes: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last code point of each run, in order.

    >>> runs_of_codes([5, 3, 4, 9])
    [(3, 5), (9, 9)]
    """
    runs: list[tuple[int, int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], code)
        else:
            runs.append((code, code))
    return runs
