"""Drop words that follow themselves, as WangchanBERTa's cleaning did, without cutting all text.

The original cuts every text into words with newmm of pythainlp only to find a word equal to the
one before it. Here newmm sees the few places where that can be: a word that follows itself is a
word of the dictionary, an emoji, or a number joined at its colon, so its characters stand twice
in a row, which arrays find fast; and `thaitok.newmm` knows how much around them must be cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from thaitok.emoji import EMOJI
from thaitok.newmm import CUTS, dictionary, word_lengths, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.uint32]
    Places = NDArray[np.int64]

END = "\ufdd0"
"""Stands between the texts of a batch: a noncharacter, to which no rule applies."""

LAST = "</s>"
"""The original's mark for the end of a text: a text whose last word it is loses that word."""

WINDOW_CHARS = 1 << 19
"""Arrays are made of so many characters at a time."""

STRIDE = 256
"""Characters compared at once, so that a text of one endless repetition takes no minutes."""

NUMBER = re.compile(r"[๐-๙][\d.,:]*")
MIXED_CLOCK = re.compile(r":[^\D๐-๙]")
FINAL_LAST = re.compile(rf"{LAST}(?={END}|\Z)")
AFTER_EMOJI = re.compile(f"[\u0e00-\u0e7f\t\r{END}]|\\Z")
WORDLIKE = re.compile(r"[-a-zA-Z.,]|[^\D๐-๙]")


def windows(text: str, overlap: int) -> Iterator[tuple[int, Codes]]:
    """Yield the code points of a text in overlapping windows, each with its first index."""
    import numpy as np

    for start in range(0, len(text), WINDOW_CHARS):
        window = text[start : start + WINDOW_CHARS + overlap]
        yield start, np.frombuffer(window.encode("utf-32-le", "surrogatepass"), np.uint32)


def drop_doubled_words(text: str) -> str:
    """Drop each word equal to the word before it, in texts with `END` between them.

    Spaces have been written as the space token and there is no line feed. As in the original,
    an emoji counts as a word where newmm leaves emoji alone, and a final `LAST` is lost.
    """
    import numpy as np

    places = [*_doubled_in_dictionary(text), *_doubled_emoji(text), *_clocks(text)]
    places += (last.start() for last in FINAL_LAST.finditer(text))
    if not places:
        return text
    bounds = _bounds(text)
    pieces = np.unique(np.searchsorted(bounds, places, "right") - 1)
    spans = np.stack([bounds[pieces], bounds[pieces + 1]], 1).tolist()
    return "".join(_without_doubles(text, spans))


def _without_doubles(text: str, spans: list[list[int]]) -> Iterator[str]:
    """Yield the text with the words of some pieces only once; one piece may end as the next begins.

    That next one then has a place of its own, since only numbers with a colon can do so.
    """
    done, before = 0, ""
    for start, end in spans:
        if start > done:
            before = ""
        yield text[done:start]
        words = words_of(text[start:end], text[end : end + 1])
        if words[-1] == LAST and text[end : end + 1] in ("", END):
            words = words[:-1]
        yield "".join(word for last, word in pairwise((before, *words)) if word != last)
        done, before = end, words[-1] if words else ""
    yield text[done:]


def _bounds(text: str) -> Places:
    """Return where newmm starts afresh for certain, the text's beginning and end included."""
    import numpy as np

    found = [np.array([0])]
    for start, codes in windows(text, 1):
        thai = codes - 0x0E00 < 0x80  # unsigned: what is below wraps round
        cuts, end = np.zeros_like(thai), codes == ord(END)
        for first, last in CUTS:
            cuts |= codes - ord(first) <= ord(last) - ord(first)
        fresh = thai[:-1] & cuts[1:] | cuts[:-1] & thai[1:]
        found.append(start + 1 + np.flatnonzero(fresh | end[:-1] | end[1:]))
    return np.concatenate([*found, [len(text)]])


@lru_cache(maxsize=1)
def _letters() -> list[int]:
    return [ord(word) for word in dictionary() if len(word) == 1]


def _doubled_in_dictionary(text: str) -> Iterator[int]:
    """Yield a place in each stretch of text that holds some word of the dictionary twice."""
    import numpy as np

    for start, codes in windows(text, 2 * word_lengths()[-1]):
        window = text[start : start + len(codes)]
        halves = codes.astype(np.uint16)  # 16 bits do: what is found is looked at again
        fours = np.empty(max(len(codes) - 3, 0), np.uint64)
        for first in range(4):
            some = halves[first : first + (len(codes) - first) // 4 * 4].view(np.uint64)
            fours[first::4] = some
        for length in word_lengths():
            near = _repeats(halves, length) if length < 4 else _distant_repeats(fours, length)
            for place in _really_doubled(window, near.tolist(), length):
                yield start + place


def _repeats(codes: NDArray[np.uint16], length: int) -> Places:
    """Return where `length` characters equal the next `length`, for small lengths."""
    import numpy as np

    same = codes[length:] == codes[:-length]
    runs = same[: len(same) - length + 1].copy()
    for shift in range(1, length):
        runs &= same[shift : len(same) - length + 1 + shift]
    found: Places = np.flatnonzero(runs)
    if length == 1:  # three letters are words; a doubled character is in every line
        found = found[np.isin(codes[found], _letters())]
    return found


def _distant_repeats(fours: NDArray[np.uint64], length: int) -> Places:
    """Return places in all stretches of `length` characters that equal the next `length`.

    `fours` holds the four characters from each place on. Such a stretch has `length - 3` places
    whose four return `length` later, so one of them is a multiple of `length - 3`, and one is
    half of that away from it, to the left or to the right. Summed over lengths, each character
    is looked at 5 times instead of 80.
    """
    import numpy as np

    step = length - 3
    if len(fours) <= length:
        return np.empty(0, np.int64)
    found = np.flatnonzero(fours[:-length:step] == fours[length::step]) * step
    left, right = (
        fours.take(side, mode="clip") == fours.take(side + length, mode="clip")
        for side in (found - step // 2, found + step // 2)
    )
    both: Places = found[left | right]
    return both


def _really_doubled(text: str, places: list[int], length: int) -> Iterator[int]:
    """Yield where a word of the dictionary stands twice, once in each periodic stretch."""
    done, size, words = 0, len(text), dictionary()
    for place in places:
        if place < done:
            continue
        first = place
        while first > done and text[first - 1] == text[first - 1 + length]:
            first -= 1
        while place + length + STRIDE < size and (
            text[place : place + STRIDE] == text[place + length : place + length + STRIDE]
        ):
            place += STRIDE
        while place + length < size and text[place] == text[place + length]:
            place += 1
        # After `length` starts the same words come again.
        for start in range(first, min(place - length + 1, first + length)):
            if text[start : start + length] in words:
                yield start
                break
        done = place


def _doubled_emoji(text: str) -> Iterator[int]:
    """Yield where an emoji follows itself among emoji that newmm leaves alone."""
    import numpy as np

    done = 0
    for start, codes in windows(text, 1):
        same = codes[1:] == codes[:-1]
        beyond = (codes[1:] > 0x2000) | (codes[1:] == 0xA9) | (codes[1:] == 0xAE)
        for place in (start + np.flatnonzero(same & beyond)).tolist():
            if place < done or not (emoji := EMOJI.match(text, place)):
                continue
            done = emoji.end()
            if AFTER_EMOJI.match(text, done) and _begins_word(text, place):
                yield place


def _begins_word(text: str, place: int) -> bool:
    """Tell whether a word may begin with the emoji that reach up to a place."""
    while place and EMOJI.match(text[place - 1]):
        place -= 1
    while place and WORDLIKE.match(text[place - 1]):
        place -= 1
    # Any other character is cut together with all up to the next Thai one.
    return not place or bool(AFTER_EMOJI.match(text, place - 1))


def _clocks(text: str) -> Iterator[int]:
    """Yield where a number in Thai digits has a colon with other digits after it.

    Numbers are joined at the colon after newmm, together with what newmm left on the last one,
    so that ๑:2!๑:2! is a word twice.
    """
    if MIXED_CLOCK.search(text):
        for number in NUMBER.finditer(text):
            if MIXED_CLOCK.search(number[0]):
                yield number.start()
