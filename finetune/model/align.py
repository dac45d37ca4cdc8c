"""Words, their text and its pieces: which piece speaks for which word.

Words are joined to natural text and the text is tokenised as it is in pretraining and in use;
`is_split_into_words` would tokenise each word alone, as neither of them does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.model.windows import Window
from thaitok.alignment import Span


def locate_words(words: Sequence[str], text: str) -> list[Span] | None:
    """Find words in the text they came from, with nothing but white space between them.

    None when the words do not rebuild the text.
    """
    spans: list[Span] = []
    end = 0
    for word in words:
        start = end
        while not text.startswith(word, start):
            if start >= len(text) or not text[start].isspace():
                return None
            start += 1
        end = start + len(word)
        spans.append((start, end))
    return None if text[end:].strip() else spans


@dataclass(frozen=True, slots=True)
class Place:
    """The piece that speaks for a word: index of its window and of the piece in it.

    `own` is false when the piece crosses the border from a word before, for which it speaks:
    then the word has no piece of its own, and none to carry its label in training.
    """

    window: int
    piece: int
    own: bool


def place_words(spans: Sequence[Span], windows: Sequence[Window]) -> list[Place | None]:
    """Give each word the first piece that touches it and speaks for no word before.

    `windows` are those of the words' text. A word in two windows is read in the one where it
    is farther from the edge. None is a word without any piece, such as one of zero-width
    characters only.
    """
    best: list[Place | None] = [None] * len(spans)
    inside = [-1] * len(spans)
    for number, window in enumerate(windows):
        for word, place in enumerate(_speakers(spans, window, number)):
            if place is None:
                continue
            depth = min(place.piece, len(window.ids) - 1 - place.piece)
            if depth > inside[word]:
                best[word], inside[word] = place, depth
    return best


def _speakers(spans: Sequence[Span], window: Window, number: int) -> list[Place | None]:
    """Find the speaking piece of each word within one window; the spans are in order."""
    pieces = [(piece, *span) for piece, span in enumerate(window.spans) if span[0] < span[1]]
    places: list[Place | None] = []
    first, taken = 0, -1
    for start, end in spans:
        while first < len(pieces) and pieces[first][2] <= start:
            first += 1
        touching: list[int] = []
        for piece, piece_start, piece_end in pieces[first:]:
            if piece_start >= end or len(touching) == 2:
                break
            if piece_end > start:
                touching.append(piece)
        own = next((piece for piece in touching if piece > taken), None)
        if own is not None:
            taken = own
            places.append(Place(number, own, own=True))
        else:
            places.append(Place(number, touching[0], own=False) if touching else None)
    return places


def reading_order(windows: Sequence[Window]) -> list[list[tuple[int, int]]]:
    """Return the pieces of a text in order, each with its places: (window, piece).

    A piece that two windows share has two, the one farther from its window's edge first.
    """
    order: list[list[tuple[int, int]]] = []
    inside = [
        [piece for piece, (start, end) in enumerate(window.spans) if start < end]
        for window in windows
    ]
    first = 0
    for number, window in enumerate(windows):
        if number:
            first += len(inside[number - 1]) - _shared(windows[number - 1], window)
        for at, piece in enumerate(inside[number], first):
            if at == len(order):
                order.append([])
            order[at].append((number, piece))

    def depth(place: tuple[int, int]) -> int:
        number, piece = place
        return min(piece, len(windows[number].ids) - 1 - piece)

    return [sorted(places, key=depth, reverse=True) for places in order]


def _shared(window: Window, following: Window) -> int:
    """Count the pieces of the following window that are in this one too."""
    end = max((last for first, last in window.spans if first < last), default=0)
    return sum(first < last and first < end for first, last in following.spans)


def visible(text: str, span: Span) -> Span:
    """Take white space and invisible characters off the edges of a span."""
    start, end = span
    while start < end and _unseen(text[start]):
        start += 1
    while start < end and _unseen(text[end - 1]):
        end -= 1
    return start, end


def _unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cf", "Cc")
