"""Draws of samples that join over tasks, and excerpts of text that are safe to show."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import partial
from hashlib import blake2b
from typing import Any

EXCERPT_CHARS = 200
BEFORE_CHARS = 40
"""How much is shown of what stands before a change."""
CHANGE_CHARS = 160
"""How much is shown of a text around a change."""
BLOCK_CHARS = 4096
CUT = "…"
CRUMB_SIGNS = 3
"""A match of fewer signs between two differences is marked with them."""
MARK = re.compile("[\u0e31\u0e33-\u0e3a\u0e47-\u0e4e\u0300-\u036f]")
SIGN = re.compile(
    rf"(?:\\(?:[nrt]|x[0-9a-f]{{2}}|u[0-9a-f]{{4}}|U[0-9a-f]{{8}})|.){MARK.pattern}*",
    re.DOTALL,
)
"""What is marked as one: an escape or a character, with the vowels and tones upon it."""

Sample = dict[str, Any]


@dataclass(slots=True)
class Samples:
    """The `limit` samples with the smallest hash of their place.

    That is a draw from the whole corpus which does not depend on the order, so draws of tasks
    join to the draw of all. Of samples from one place the order of their JSON decides.
    """

    limit: int
    _heap: list[tuple[int, str, str]] = field(default_factory=list)

    def offer(self, place: str, sample: Callable[[], Sample]) -> None:
        """Take the sample if its place is drawn; it is made only then."""
        digest = blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        rank = -int.from_bytes(digest)
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, (rank, place, _packed(sample())))
        elif rank >= self._heap[0][0]:
            heapq.heappushpop(self._heap, (rank, place, _packed(sample())))

    def offer_all(self, drawn: Iterable[tuple[str, Sample]]) -> None:
        """Offer what another draw has drawn."""
        for place, sample in drawn:
            self.offer(place, partial(dict, sample))

    def drawn(self) -> list[tuple[str, Sample]]:
        """Return the drawn samples with their places, in no order that means anything."""
        ordered = sorted(self._heap, reverse=True)
        return [(place, json.loads(packed)) for _, place, packed in ordered]


def _packed(sample: Sample) -> str:
    return json.dumps(sample, ensure_ascii=False)


def excerpt(text: str | bytes, characters: int = EXCERPT_CHARS, *, lines: bool = False) -> str:
    """Return the beginning of a text, safe to show: broken bytes and invisible signs escaped.

    With `lines`, line ends stay line ends.
    """
    if isinstance(text, bytes):
        text = text[: 4 * characters].decode("utf-8", "backslashreplace")
    shown = (
        ch if ch.isprintable() or (lines and ch == "\n") else _escaped(ch)
        for ch in text[:characters]
    )
    return "".join(shown)


def _escaped(ch: str) -> str:
    return ch.encode("unicode_escape").decode("ascii")


def beginning(text: str) -> str:
    """Return the beginning of a text, safe to show, and a sign if there is more."""
    return excerpt(text) + (CUT if len(text) > EXCERPT_CHARS else "")


def around_change(before: str, after: str) -> tuple[str, str]:
    """Return excerpts of both texts from shortly before the place where they first differ."""
    begin = max(_common_start(before, after) - BEFORE_CHARS, 0)
    while begin and MARK.match(before, begin) and begin % BEFORE_CHARS:
        begin -= 1  # a mark without its letter cannot be read
    return _window(before, begin), _window(after, begin)


def _window(text: str, begin: int) -> str:
    end = begin + CHANGE_CHARS
    left, right = CUT if begin else "", CUT if end < len(text) else ""
    return left + excerpt(text[begin:end]) + right


def _common_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start.

    By blocks, since a text may have 16 million.
    """
    shorter = min(len(one), len(other))
    start = 0
    while (
        start < shorter and one[start : start + BLOCK_CHARS] == other[start : start + BLOCK_CHARS]
    ):
        start += BLOCK_CHARS
    end = min(start + BLOCK_CHARS, shorter)
    while start < end and one[start] == other[start]:
        start += 1
    return min(start, shorter)


Step = tuple[str, int, int, int, int]
"""An opcode of `difflib`: what happens, and from where to where in both."""
Marks = list[tuple[str, bool]]
"""A text in parts, each with whether the other text lacks it."""


def marked(before: str, after: str) -> tuple[Marks, Marks]:
    """Mark what differs in two excerpts of `around_change`, and end both at the same place.

    An excerpt whose beginning shrank shows more of what follows; that is no difference.
    """
    whole = not (before.endswith(CUT) or after.endswith(CUT))
    signs, others = SIGN.findall(before.removesuffix(CUT)), SIGN.findall(after.removesuffix(CUT))
    steps: Sequence[Step] = SequenceMatcher(None, signs, others, autojunk=False).get_opcodes()
    if not whole:
        steps = _without_the_ragged_end(steps)
    steps = _without_crumbs(steps)
    end = [] if whole else [(CUT, False)]
    old = [("".join(signs[a:b]), kind != "equal") for kind, a, b, _, _ in steps if a < b]
    new = [("".join(others[a:b]), kind != "equal") for kind, _, _, a, b in steps if a < b]
    return old + end, new + end


def _without_crumbs(steps: Sequence[Step]) -> list[Step]:
    """Join differences that only chance matches part: single letters read as confetti."""
    joined: list[Step] = []
    for number, (kind, a, b, c, d) in enumerate(steps):
        between = 0 < number < len(steps) - 1
        differs = kind != "equal" or (between and b - a < CRUMB_SIGNS)
        if differs and joined and joined[-1][0] != "equal":
            _, a, _, c, _ = joined.pop()
        joined.append(("replace" if differs else "equal", a, b, c, d))
    return joined


def _without_the_ragged_end(steps: Sequence[Step]) -> Sequence[Step]:
    """Drop what differs at the end of excerpts, if another difference and a match stand before."""
    kinds = [step[0] == "equal" for step in steps]
    if False not in kinds or True not in kinds[kinds.index(False) :]:
        return steps
    return steps[: len(kinds) - kinds[::-1].index(True)]
