"""Encoded rows: texts as windows of pieces, with the place where each word is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.data.rows import Example
from finetune.model.align import Place, place_words
from finetune.model.windows import Window, cut_windows
from thaitok.alignment import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts, the windows of each, and for each of its words the piece to read it at.

    `spans` are the words' characters. Without words there are neither spans nor places. `cut`
    counts the texts of which some windows are left out.
    """

    texts: list[str]
    windows: list[list[Window]]
    places: list[list[Place | None]]
    spans: Sequence[Sequence[Span]] = ()
    cut: int = 0

    def swallowed(self) -> int:
        """Count the words without a piece of their own: no head can tell them apart."""
        return sum(not (place and place.own) for places in self.places for place in places)

    def parts(self, rows: int) -> Iterator[Encoded]:
        """Yield the rows in parts of so many, in order."""
        for start in range(0, len(self.windows), rows):
            part = slice(start, start + rows)
            yield Encoded(self.texts[part], self.windows[part], self.places[part], self.spans[part])

    def words(self, row: int) -> list[str]:
        """Return the words of a row."""
        return [self.texts[row][start:end] for start, end in self.spans[row]]


def encode_words(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    max_length: int,
) -> Encoded:
    """Cut texts to windows and place their words; no word is lost, however long the text."""
    windows = cut_windows(tokenizer, texts, max_length)
    places = [place_words(of, found) for of, found in zip(spans, windows, strict=True)]
    return Encoded(list(texts), windows, places, spans)


def encode_texts(
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    max_length: int,
    windows: int,
) -> Encoded:
    """Cut each text, or pair of texts, to at most so many windows: its first and spread ones.

    Of a pair the second text is cut, and one window taken.
    """
    pairs = [example.pair for example in examples]
    texts = [example.text for example in examples]
    if any(pair is not None for pair in pairs):
        texts, before = [pair or "" for pair in pairs], texts
        found = cut_windows(tokenizer, texts, max_length, before, spans=False)
        windows = 1
    else:
        found = cut_windows(tokenizer, texts, max_length, spans=False)
    cut = sum(len(of) > windows for of in found)
    return Encoded(texts, [_spread(of, windows) for of in found], [], cut=cut)


def _spread(windows: list[Window], count: int) -> list[Window]:
    """Take `count` windows, evenly spread, with the first among them."""
    if len(windows) <= count:
        return windows
    return [windows[number * len(windows) // count] for number in range(count)]


def encode_questions(
    tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
) -> Encoded:
    """Cut contexts to windows that each begin with the row's question."""
    questions = [example.pair or "" for example in examples]
    contexts = [example.text for example in examples]
    return Encoded(contexts, cut_windows(tokenizer, contexts, max_length, questions), [])
