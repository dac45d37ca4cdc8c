"""Predictions for raw text, by whatever head a model has."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.model import heads
from finetune.model.align import Span, Window, join_words
from finetune.model.decode import Array, is_bio
from finetune.model.encode import (
    decode_words,
    encode_texts,
    encode_words,
    log_probabilities,
    unread_scores,
    word_scores,
)
from thaitok.config import Config
from thaitok.errors import UserError

log = logging.getLogger("thaitok")

TOP = 5
"""Pieces offered for a mask."""

AHEAD = 16
"""Batches read ahead, to be sorted by length."""


class Found(Config):
    """A label of a stretch of the text, in characters; `score` is its probability.

    An entity's is the lowest of its words'. For a mask, `label` is a piece that may stand there.
    """

    start: int
    end: int
    text: str
    label: str
    score: float


class Prediction(Config):
    """What a model says of a text: a label of the whole, or what it found in it."""

    text: str
    head: Literal["sequence", "entities", "tags", "fill-mask"]
    label: str | None = None
    score: float | None = None
    found: tuple[Found, ...] = ()


def predict(
    model: str, texts: Iterable[str], *, batch_size: int = 32, device: str = "auto"
) -> Iterator[Prediction]:
    """Yield a prediction for each text, in order; texts may be an endless stream.

    A sequence head reads the first part of a long text (said once in the log); the others read
    all of it. Words of a token head are segmented by pythainlp's newmm. Raises `UserError` for
    a folder without a model or head, and for a fill-mask text without a mask.
    """
    folder = heads.find_model(model)
    heads.check_device(device)
    tokenizer = heads.open_tokenizer(folder)
    length = heads.window_length(heads.measure(folder), tokenizer, heads.NO_LIMIT)
    opened = heads.open_model(folder)
    torch.nn.Module.to(opened, heads.pick_device(device))
    reader = _Reader(opened, tokenizer, length, batch_size)
    read = reader.choose()
    waiting = iter(texts)
    while batch := list(islice(waiting, AHEAD * batch_size)):
        yield from read(batch)


def _found(text: str, span: Span, label: str, score: float) -> Found:
    start, end = span
    return Found(start=start, end=end, text=text[start:end], label=label, score=score)


_Read = Callable[[Sequence[str]], Iterator[Prediction]]


class _Reader:
    """A model at hand, with its tokenizer and what fits them."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, length: int, batch: int
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.length = length
        self.batch = batch
        self.labels = [label for _, label in sorted((model.config.id2label or {}).items())]
        self.said_cut = False

    def choose(self) -> _Read:
        """Return the function that reads texts with this model's head."""
        name = type(self.model).__name__
        if name.endswith("ForSequenceClassification"):
            return self.sequences
        return self.words if name.endswith("ForTokenClassification") else self.masks

    def _log_probabilities(self, windows: Sequence[Window]) -> list[Array]:
        return log_probabilities(
            self.model, windows, batch_size=self.batch, pad_id=heads.pad_id(self.tokenizer)
        )

    def sequences(self, texts: Sequence[str]) -> Iterator[Prediction]:
        encoded = encode_texts(self.tokenizer, texts, self.length)
        if encoded.cut and not self.said_cut:
            self.said_cut = True
            log.warning("texts longer than %d pieces are cut there", self.length)
        for text, scores in zip(texts, self._log_probabilities(encoded.windows), strict=True):
            best = int(scores.argmax())
            yield Prediction(
                text=text, head="sequence", label=self.labels[best], score=math.exp(scores[best])
            )

    def words(self, texts: Sequence[str]) -> Iterator[Prediction]:
        spans = [_segment(text) for text in texts]
        encoded = encode_words(self.tokenizer, texts, spans, self.length)
        pieces = self._log_probabilities(encoded.windows)
        unread = unread_scores(self.labels)
        decoded = decode_words(encoded, pieces, self.labels, unread)
        for row, text in enumerate(texts):
            scores = word_scores(encoded.places[row], pieces, self.labels, unread)
            tagged = [
                _found(text, span, self.labels[label], math.exp(of[label]))
                for span, label, of in zip(spans[row], decoded[row], scores, strict=True)
            ]
            if is_bio(self.labels):
                yield Prediction(text=text, head="entities", found=tuple(_entities(text, tagged)))
            else:
                yield Prediction(text=text, head="tags", found=tuple(tagged))

    def masks(self, texts: Sequence[str]) -> Iterator[Prediction]:
        mask = str(self.tokenizer.mask_token)
        spans = [[found.span() for found in re.finditer(re.escape(mask), text)] for text in texts]
        for text, found in zip(texts, spans, strict=True):
            if not found:
                raise UserError(f"no {mask} in {text[:40]!r}", do=f"write {mask} where to fill in")
        encoded = encode_words(self.tokenizer, texts, spans, self.length)
        wanted = {(p.window, p.piece) for places in encoded.places for p in places if p}
        best: dict[tuple[int, int], list[tuple[str, float]]] = {}
        for window, logits in heads.forward(
            self.model, encoded.windows, batch_size=self.batch, pad_id=heads.pad_id(self.tokenizer)
        ):
            for piece in (piece for at, piece in wanted if at == window):
                best[window, piece] = self._top(logits[piece])
        for row, text in enumerate(texts):
            yield Prediction(text=text, head="fill-mask", found=tuple(
                _found(text, span, piece, score)
                for span, place in zip(spans[row], encoded.places[row], strict=True)
                if place
                for piece, score in best[place.window, place.piece]
            ))  # fmt: skip

    def _top(self, logits: torch.Tensor) -> list[tuple[str, float]]:
        scores, ids = logits.softmax(dim=-1).topk(min(TOP, len(logits)))
        pieces = [self.tokenizer.decode([int(piece)]) for piece in ids]
        return [(str(piece), float(score)) for piece, score in zip(pieces, scores, strict=True)]


def _segment(text: str) -> list[Span]:
    """Return the spans of a text's words by dictionary, white space left out."""
    from pythainlp.tokenize import word_tokenize

    # newmm-safe: plain newmm's time explodes on long ambiguous runs.
    words = word_tokenize(text, engine="newmm-safe", keep_whitespace=True, join_broken_num=False)
    joined, spans = join_words(words)
    if joined != text:
        spans = [found.span() for found in re.finditer(r"\S+", text)]
    return [(start, end) for start, end in spans if text[start:end].strip()]


def _entities(text: str, tagged: Sequence[Found]) -> Iterator[Found]:
    """Join B- and I- words to entities, with the spaces between them."""
    words: list[Found] = []
    for word in [*tagged, _found(text, (len(text), len(text)), "O", 1.0)]:
        if words and not word.label.startswith("I-"):
            start, end = words[0].start, words[-1].end
            lowest = min(part.score for part in words)
            yield _found(text, (start, end), words[0].label[2:], lowest)
            words = []
        if word.label != "O":
            words.append(word)
