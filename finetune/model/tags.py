"""The head for words: a tag each, entities or parts of speech, valid as a sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.model.align import Place
from finetune.model.crf import Chain
from finetune.model.decode import (
    GOES_ON,
    Array,
    allowed,
    carry_on,
    is_bio,
    may_end,
    to_bio,
    to_bioes,
    viterbi,
)
from finetune.model.encode import Encoded, encode_words
from finetune.model.head import IGNORED, Head, Logits, Row, log_softmax, row_of
from finetune.model.windows import Window
from thaitok.alignment import Span

Scheme = Literal["bio", "bioes"]


class TagHead(Head):
    """One tag a word, read at the word's first piece; entity tags form a valid sequence.

    `scheme` is that of the model's outputs, gold being BIO; `crf` learns how likely one tag
    follows another (Lafferty et al. 2001). `unread` holds the scores of a word that no piece
    reads. `swallowed` tells, of tags that are no entities, which a word had in training where it
    had no piece of its own: {word: {tag: count}}. The piece that covers it speaks for another
    word: its tag was right for 30 % of such words on ud_thai_tud_pos, these for 81 %.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        scheme: Scheme = "bio",
        crf: bool = False,
        transitions: Sequence[Sequence[float]] | None = None,
        unread: Sequence[float] | None = None,
        swallowed: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        super().__init__(labels)
        self.scheme = scheme if is_bio(labels) else "bio"
        self.chain = Chain(len(self.outputs), transitions) if crf or transitions else None
        self.unread = np.array(unread) if unread else unread_scores(self.outputs)
        self.swallowed = {word: dict(tags) for word, tags in (swallowed or {}).items()}
        self.rules = (*allowed(self.outputs), may_end(self.outputs))

    @property
    def outputs(self) -> tuple[str, ...]:
        if self.scheme == "bio":
            return self.labels
        kinds = [label[2:] for label in self.labels if label.startswith("B-")]
        return ("O", *(f"{place}-{kind}" for kind in kinds for place in "BIES"))

    def encode(
        self, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
    ) -> Encoded:
        texts = [example.text for example in examples]
        return encode_words(tokenizer, texts, [example.spans for example in examples], max_length)

    def training_rows(self, encoded: Encoded, examples: Sequence[Example]) -> list[Row]:
        """Label each word's own piece in the one window it is read in, and its further pieces.

        Those carry the label on (I- after B-), so that plain `pipeline` joins them to whole
        entities; so do the spaces between two words of one entity. Pieces read in another window
        carry none. A label is (tag, whether it is a word's first piece).
        """
        self.unread = unread_scores(self.outputs, examples)
        if not is_bio(self.labels) and "B" not in self.labels:
            self.swallowed = count_swallowed(encoded, examples)
        rows = []
        for windows, places, example in zip(encoded.windows, encoded.places, examples, strict=True):
            tags = to_bioes(example.gold) if self.scheme == "bioes" else list(example.gold)
            marks = mark_pieces(windows, places, example.spans, tags, self.outputs)
            rows += [row_of(window, labels) for window, labels in zip(windows, marks, strict=True)]
        return rows

    def collate(self, labels: Sequence[Any]) -> Tensor:
        """Return labels of a batch (rows, pieces, 2): the tag, and whether a word begins."""
        tensors = [torch.tensor(of) for of in labels]
        return pad_sequence(tensors, batch_first=True, padding_value=IGNORED)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        logits = logits.float()
        tags = labels[..., 0]
        loss = cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=IGNORED)
        if self.chain is not None:
            loss = loss + self.chain(logits, tags, labels[..., 1] == 1)
        return loss

    def word_scores(
        self, words: Sequence[str], places: Sequence[Place | None], windows: Sequence[Logits]
    ) -> Array:
        """Return the log-probabilities (words, outputs) of one row's words.

        A word without a piece of its own takes those it had in training, or else of the piece that
        covers it, inside the entity that this one begins; a word without any piece takes `unread`.
        """
        pieces = [log_softmax(logits) for logits in windows]
        scores = np.empty((len(places), len(self.outputs)))
        for number, (word, place) in enumerate(zip(words, places, strict=True)):
            if place is None:
                scores[number] = self.unread
                continue
            covering = pieces[place.window][place.piece]
            if place.own:
                scores[number] = covering
            elif word in self.swallowed:
                scores[number] = self._known(self.swallowed[word])
            else:
                scores[number] = carry_on(covering, self.outputs)
        return scores

    def _known(self, tags: Mapping[str, int]) -> Array:
        counts = np.array([tags.get(label, 0) + 0.01 for label in self.labels])
        return np.asarray(np.log(counts / counts.sum()))

    def best_path(self, scores: Array) -> list[int]:
        """Return the best valid sequence of outputs, by number."""
        if self.chain is not None and len(scores):
            scores = self.chain.steps(scores)
        return viterbi(scores, *self.rules)

    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        found = []
        for row, windows in enumerate(logits):
            scores = self.word_scores(encoded.words(row), encoded.places[row], windows)
            path = self.best_path(scores)
            found.append([to_bio(self.outputs[output]) for output in path])
        return found

    def as_bio(self, windows: Sequence[Logits]) -> list[list[Logits]]:
        """Turn windows' outputs (pieces, outputs) into BIO ones, as the one layer they are."""
        if self.scheme == "bio":
            return [list(windows)]
        number = {label: index for index, label in enumerate(self.labels)}
        folded = []
        for logits in windows:
            made = np.full((len(logits), len(self.labels)), NEVER)
            for index, output in enumerate(self.outputs):
                bio = number[to_bio(output)]
                made[:, bio] = np.logaddexp(made[:, bio], log_softmax(logits)[:, index])
            folded.append(made.astype(np.float32))
        return [folded]

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {"unread": [round(float(score), 6) for score in self.unread]}
        if self.swallowed:
            found["swallowed"] = self.swallowed
        if self.chain is not None:
            found["transitions"] = self.chain.table().tolist()
        return found

    def layers(self, learning_rate: float) -> torch.nn.Module | None:
        if self.chain is not None:
            self.chain.quicken(learning_rate)
        return self.chain


def mark_pieces(
    windows: Sequence[Window],
    places: Sequence[Place | None],
    spans: Sequence[Span],
    tags: Sequence[str],
    outputs: Sequence[str],
) -> list[list[tuple[int, int]]]:
    """Return (output, whether a word begins) of each piece of one row's windows."""
    number = {output: index for index, output in enumerate(outputs)}
    marks = [[(IGNORED, 0)] * len(window.ids) for window in windows]
    for word, (place, span, tag) in enumerate(zip(places, spans, tags, strict=True)):
        if place is None or not place.own:
            continue
        window, mark = windows[place.window], marks[place.window]
        mark[place.piece] = (number[tag], 1)
        further = _further(tag, number)
        last = place.piece
        for last in _pieces(window, place.piece + 1, span[1]):
            mark[last] = (further, 0)
        if word + 1 < len(spans):
            between = _between(tags[word + 1], number)
            for piece in _pieces(window, last + 1, spans[word + 1][0]):
                mark[piece] = (between, 0)
    return marks


KNOWN = 5000
"""Words at most whose tags are kept for where they have no piece of their own."""


def count_swallowed(encoded: Encoded, examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """Count the tags of words without a piece of their own: the most frequent words' alone."""
    counts: dict[str, Counter[str]] = {}
    for places, example in zip(encoded.places, examples, strict=True):
        for word, tag, place in zip(example.words, example.gold, places, strict=True):
            if place is not None and not place.own:
                counts.setdefault(word, Counter())[tag] += 1
    often = sorted(counts, key=lambda word: (-counts[word].total(), word))[:KNOWN]
    return {word: dict(sorted(counts[word].items())) for word in sorted(often)}


def _further(tag: str, number: dict[str, int]) -> int:
    """Return the label of a word's further pieces."""
    if tag[:2] in ("B-", "I-", "S-", "E-", "B"):
        return number.get(GOES_ON[tag[0]] + tag[1:], IGNORED)
    return number[tag]


def _between(following: str, number: dict[str, int]) -> int:
    """Return the label of a space: inside where the word after goes an entity on."""
    if following[:2] in ("I-", "E-"):
        return number.get("I-" + following[2:], IGNORED)
    return number.get("O", IGNORED)


def _pieces(window: Window, first: int, end: int) -> Iterator[int]:
    """Yield the pieces from `first` on that begin before the character `end`."""
    for piece in range(first, len(window.spans)):
        start, stop = window.spans[piece]
        if start >= end or start == stop:
            return
        yield piece


def unread_scores(labels: Sequence[str], train: Iterable[Example] = ()) -> Array:
    """Return the scores of a word that no piece reads: the most frequent tag of training.

    In entity tags it begins no entity and else is level, so that the neighbours decide: inside
    an entity that goes on after it, else O, the first of equals.
    """
    begins = np.array([label.startswith(("B-", "S-")) for label in labels])
    if begins.any():
        return np.where(begins, NEVER, -np.log(len(labels)))
    counts = Counter(label for example in train for label in example.gold)
    shares = np.array([counts[label] + 1.0 for label in labels])
    return np.asarray(np.log(shares / shares.sum()))


NEVER = -100.0
"""The log-probability of what cannot be."""
