"""Words, their text and its pieces: which piece speaks for which word.

Words are joined to natural text and the text is tokenised as it is in pretraining and in use;
`is_split_into_words` would tokenise each word alone, as neither of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thaitok.alignment import Span, join_words, widen

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "Place", "Span", "Window", "cut_windows", "join_words", "locate_words", "place_words",
]  # fmt: skip


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
class Window:
    """A stretch of a text that fits the model; a short text is one window.

    `spans` gives each piece its characters in the text; special pieces have an empty span.
    """

    row: int
    ids: tuple[int, ...]
    spans: tuple[Span, ...]


def cut_windows(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
) -> list[Window]:
    """Tokenise texts to windows of up to `max_length` pieces, specials included.

    Windows of one text stand together, in order, and share a quarter of their pieces, so that
    every word is well inside one of them. `row` is the text's index in `texts`.
    """
    if not texts:
        return []
    room = max_length - tokenizer.num_special_tokens_to_add()
    found = tokenizer(
        list(texts),
        truncation=True,
        max_length=max_length,
        stride=max(room // 4, 0),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    rows, ids = found["overflow_to_sample_mapping"], found["input_ids"]
    spans = [[(int(a), int(b)) for a, b in offsets] for offsets in found["offset_mapping"]]
    windows = []
    for number, row in enumerate(rows):
        text = texts[row]
        if number + 1 < len(rows) and rows[number + 1] == row:
            # What follows belongs to the first piece that is in the next window alone.
            text = text[: _next_start(spans[number], spans[number + 1], len(text))]
        windows.append(Window(row, tuple(ids[number]), tuple(widen(text, spans[number]))))
    return windows


def _next_start(spans: Sequence[Span], following: Sequence[Span], size: int) -> int:
    """Return where the first piece of the following window begins that is not in this one."""
    last = max((end for start, end in spans if start < end), default=0)
    return next((start for start, end in following if start < end and start >= last), size)


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
