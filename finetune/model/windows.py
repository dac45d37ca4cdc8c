"""Windows: texts cut to stretches of pieces that fit a model, with their characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from thaitok.alignment import Span, widen

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text that fits the model; a short text is one window.

    `spans` gives each piece its characters in the text; special pieces, and those of a second
    text before it, have an empty span. `types` are BERT's segments, empty where the tokenizer
    gives none.
    """

    ids: tuple[int, ...]
    spans: tuple[Span, ...]
    types: tuple[int, ...] = ()


def cut_windows(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    max_length: int,
    before: Sequence[str] | None = None,
    *,
    spans: bool = True,
) -> list[list[Window]]:
    """Return each text's windows of up to `max_length` pieces, specials included, in order.

    Windows of one text share a quarter of their pieces, so that every word is well inside one of
    them. With `before`, every window of a text begins with the text of that number, a question,
    say; one of more than half a window is cut there. Without `spans` all spans are empty, which
    the tokenizer then need not find.
    """
    if not texts:
        return []
    room = max_length - tokenizer.num_special_tokens_to_add(pair=before is not None)
    pairs: tuple[Any, ...] = (list(texts),)
    if before is not None:
        first, longest = _shortened(tokenizer, before, room // 2)
        pairs = (first, list(texts))
        room -= longest
    found = tokenizer(
        *pairs,
        truncation=True if before is None else "only_second",
        max_length=max_length,
        stride=max(room // 4, 0),
        return_overflowing_tokens=True,
        return_offsets_mapping=spans,
    )
    rows = found["overflow_to_sample_mapping"]
    return [
        _windows_of(texts[row], found, list(of_row), second=before is not None)
        for row, of_row in groupby(range(len(rows)), key=lambda number: rows[number])
    ]


def _shortened(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], pieces: int
) -> tuple[list[str], int]:
    """Cut texts to their first `pieces` pieces; return them, and the most pieces that one has."""
    found = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)
    cut, longest = [], 0
    for text, offsets in zip(texts, found["offset_mapping"], strict=True):
        fits = len(offsets) <= pieces
        cut.append(text if fits else text[: int(offsets[pieces - 1][1])])
        longest = max(longest, min(len(offsets), pieces))
    return cut, longest


def _windows_of(text: str, found: Any, numbers: Sequence[int], *, second: bool) -> list[Window]:
    """Return the windows of one text, whose pieces are the second sequence where it is a pair."""
    if "offset_mapping" not in found:
        return [
            _window(found, number, [(0, 0)] * len(found["input_ids"][number])) for number in numbers
        ]
    spans = [_spans(found, number, second=second) for number in numbers]
    windows = []
    for at, number in enumerate(numbers):
        # What follows belongs to the first piece that is in the next window alone.
        end = _next_start(spans[at], spans[at + 1], len(text)) if at + 1 < len(spans) else len(text)
        windows.append(_window(found, number, widen(text[:end], spans[at])))
    return windows


def _window(found: Any, number: int, spans: Sequence[Span]) -> Window:
    types = found.get("token_type_ids")
    ids = tuple(found["input_ids"][number])
    return Window(ids, tuple(spans), tuple(types[number]) if types else ())


def _spans(found: Any, number: int, *, second: bool) -> list[Span]:
    offsets = [(int(start), int(end)) for start, end in found["offset_mapping"][number]]
    if not second:
        return offsets
    sequences = found.sequence_ids(number)
    return [span if of == 1 else (0, 0) for span, of in zip(offsets, sequences, strict=True)]


def _next_start(spans: Sequence[Span], following: Sequence[Span], size: int) -> int:
    """Return where the first piece of the following window begins that is not in this one."""
    last = max((end for start, end in spans if start < end), default=0)
    return next((start for start, end in following if start < end and start >= last), size)
