"""Gold rows to windows of pieces for a model, and its logits back to labels of texts and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.model.align import Place, Span, Window, cut_windows, place_words
from finetune.model.decode import Array, allowed, carry_on, is_bio, viterbi
from finetune.model.heads import forward, pad

IGNORED = -100
"""The label of a piece that carries none: PyTorch's cross entropy passes it over."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts cut to windows; `places` says of each row's words where to read them.

    For labels of whole texts there are no places and one window a row; `cut` counts the texts
    that did not fit.
    """

    windows: list[Window]
    places: list[list[Place | None]]
    cut: int

    def swallowed(self) -> int:
        """Count the words without a piece of their own: no head can tell them apart."""
        return sum(not (place and place.own) for places in self.places for place in places)


def encode_words(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    max_length: int,
) -> Encoded:
    """Cut texts to windows and place their words; no word is lost, however long the text."""
    windows = cut_windows(tokenizer, texts, max_length)
    places: list[list[Place | None]] = []
    base = 0
    for row, of_row in groupby(windows, key=lambda window: window.row):
        found = list(of_row)
        places.append([place and Place(place.window + base, place.piece, place.own)
                       for place in place_words(spans[row], found)])  # fmt: skip
        base += len(found)
    return Encoded(windows, places, 0)


def encode_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
) -> Encoded:
    """Cut each text to its first `max_length` pieces."""
    windows = cut_windows(tokenizer, texts, max_length)
    first = {window.row: window for window in reversed(windows)}
    rows = Counter(window.row for window in windows)
    return Encoded(
        [first[row] for row in range(len(texts))], [], sum(many > 1 for many in rows.values())
    )


def encode(
    tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
) -> Encoded:
    """Encode gold rows: by words where they have words, else as whole texts."""
    texts = [example.text for example in examples]
    if examples and examples[0].words:
        return encode_words(tokenizer, texts, [example.spans for example in examples], max_length)
    return encode_texts(tokenizer, texts, max_length)


def training_rows(
    encoded: Encoded, examples: Sequence[Example], labels: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the Trainer's rows: {"input_ids", "labels"}.

    A word's label stands on its own piece in the one window it is read in, and the label that
    carries it on (I- after B-) on the word's further pieces, so that plain `pipeline` joins them
    to whole entities. Pieces read in another window carry none.
    """
    number = {label: index for index, label in enumerate(labels)}
    if not encoded.places:
        return [
            {"input_ids": list(window.ids), "labels": number[example.gold[0]]}
            for window, example in zip(encoded.windows, examples, strict=True)
        ]
    rows = [
        {"input_ids": list(window.ids), "labels": [IGNORED] * len(window.ids)}
        for window in encoded.windows
    ]
    for example, places in zip(examples, encoded.places, strict=True):
        for label, span, place in zip(example.gold, example.spans, places, strict=True):
            if place and place.own:
                marks = rows[place.window]["labels"]
                marks[place.piece] = number[label]
                further = number.get(f"I-{label[2:]}" if label.startswith("B-") else label, IGNORED)
                for piece in _further(encoded.windows[place.window], place.piece, span):
                    marks[piece] = further
    return rows


def _further(window: Window, first: int, word: Span) -> Iterator[int]:
    """Yield the pieces of a word after its first one."""
    for piece in range(first + 1, len(window.spans)):
        start, end = window.spans[piece]
        if start >= word[1] or start == end:
            return
        yield piece


def collate(rows: Sequence[dict[str, Any]], pad_id: int) -> dict[str, Tensor]:
    """Make a batch of training rows: ids, mask and labels, (rows, longest) or (rows,)."""
    ids = [row["input_ids"] for row in rows]
    labels = [row["labels"] for row in rows]
    return {
        "input_ids": pad(ids, pad_id),
        "attention_mask": pad([[1] * len(row) for row in ids], 0),
        "labels": torch.tensor(labels) if isinstance(labels[0], int) else pad(labels, IGNORED),
    }


def log_probabilities(
    model: PreTrainedModel, windows: Sequence[Window], *, batch_size: int, pad_id: int
) -> list[Array]:
    """Return each window's log-probabilities: (pieces, labels), or (labels,) of a text."""
    found: list[Array] = [np.zeros(0)] * len(windows)
    for index, logits in forward(model, windows, batch_size=batch_size, pad_id=pad_id):
        found[index] = torch.log_softmax(logits, dim=-1).double().cpu().numpy()
    return found


def word_scores(
    places: Sequence[Place | None], pieces: Sequence[Array], labels: Sequence[str], unread: Array
) -> Array:
    """Return the log-probabilities (words, labels) of one row's words.

    A word without a piece of its own takes those of the piece that covers it, inside the
    entity that this one begins; a word without any piece takes `unread`.
    """
    scores = np.empty((len(places), len(labels)))
    for word, place in enumerate(places):
        if place is None:
            scores[word] = unread
        else:
            covering = pieces[place.window][place.piece]
            scores[word] = covering if place.own else carry_on(covering, labels)
    return scores


def decode_words(
    encoded: Encoded, pieces: Sequence[Array], labels: Sequence[str], unread: Array
) -> list[list[int]]:
    """Return the best valid labels, as numbers, of each row's words."""
    begins, follows = allowed(labels if is_bio(labels) else ["O"] * len(labels))
    return [
        viterbi(word_scores(places, pieces, labels, unread), begins, follows)
        for places in encoded.places
    ]


def unread_scores(labels: Sequence[str], train: Iterable[Example] = ()) -> Array:
    """Return the scores of a word that no piece reads: the most frequent tag of training.

    In BIO tags it begins no entity and else is level, so that the neighbours decide: inside an
    entity that goes on after it, else O, the first of equals.
    """
    if is_bio(labels):
        begins = np.array([label.startswith("B-") for label in labels])
        return np.where(begins, NEVER, -np.log(len(labels)))
    counts = Counter(label for example in train for label in example.gold)
    shares = np.array([counts[label] + 1.0 for label in labels])
    return np.asarray(np.log(shares / shares.sum()))


NEVER = -100.0
"""The log-probability of what cannot be."""
