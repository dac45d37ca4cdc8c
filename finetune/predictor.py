"""Predictions for raw text, by whatever head a model has, at any length."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import transformers
from transformers import PreTrainedModel

from finetune.data.clusters import split_clusters
from finetune.data.entities import entities_of
from finetune.data.rows import Example
from finetune.data.tasks import Kind
from finetune.model import models
from finetune.model.align import reading_order, visible
from finetune.model.answers import AnswerHead
from finetune.model.decode import allowed, to_bio, viterbi
from finetune.model.encode import encode_words
from finetune.model.head import Head, Logits, log_softmax
from finetune.model.heads import saved_head
from finetune.model.nested import NestedHead
from finetune.model.sequences import MultilabelHead, SequenceHead
from finetune.model.tags import TagHead
from finetune.model.windows import Window
from finetune.words import word_spans
from thaitok.alignment import Span
from thaitok.config import Config
from thaitok.errors import UserError

TOP = 5
"""Pieces offered for a mask."""

AHEAD = 16
"""Batches read ahead, to be sorted by length."""

Text = str | tuple[str, str]
"""A text; or a question and its context, or the two texts of a pair."""


Task = Kind | Literal["fill-mask"]
"""What a model does."""


class Found(Config):
    """A label of a stretch of the text, in characters; `score` is its probability.

    An entity's is the lowest of its pieces'. For a mask, `label` is a piece that may stand there;
    of an answer and of a word it is "answer" and "word".
    """

    start: int
    end: int
    text: str
    label: str
    score: float


class Prediction(Config):
    """What a model says of a text: labels of the whole, or what it found in it."""

    text: str
    context: str | None = None
    """The second text of a pair; of a question, where `found` lies."""
    head: Task
    label: str | None = None
    score: float | None = None
    labels: dict[str, float] | None = None
    """Of a multi-label head: the labels that hold, with their probabilities."""
    found: tuple[Found, ...] = ()


class Predictor:
    """A model at hand with its tokenizer: call it with texts.

    Raises `UserError` for a folder without a model or head.
    """

    def __init__(self, model: str, *, batch_size: int = 32, device: str = "auto") -> None:
        folder = models.find_model(model)
        models.check_device(device)
        self.tokenizer = models.open_tokenizer(folder)
        self.length = models.window_length(models.measure(folder), self.tokenizer, models.NO_LIMIT)
        self.batch = batch_size
        self.kind, self.head, self.model = _open(folder)
        torch.nn.Module.to(self.model, models.pick_device(device))

    def __call__(self, texts: Iterable[Text]) -> Iterator[Prediction]:
        """Yield a prediction for each text, in order; texts may be an endless stream.

        Raises `UserError` for a question without a context, and for a text without a mask where
        masks are filled in.
        """
        waiting = iter(texts)
        while batch := list(islice(waiting, AHEAD * self.batch)):
            yield from self._read(batch)

    def _read(self, batch: Sequence[Text]) -> Iterator[Prediction]:
        pairs = [(one, None) if isinstance(one, str) else one for one in batch]
        if self.head is None:
            return self._fill_masks(self._alone(pairs))
        if isinstance(self.head, AnswerHead):
            return self._answer(self.head, pairs)
        if isinstance(self.head, SequenceHead):
            return self._label(self.head, pairs)
        texts = self._alone(pairs)
        if isinstance(self.head, NestedHead):
            return self._entities(texts, self.head.tags, self.head.layer_logits)
        assert isinstance(self.head, TagHead)
        if self.kind == "ner" and self.head.chain is None:
            return self._entities(texts, self.head.labels, self.head.as_bio)
        return self._tag(self.head, texts)

    def _alone(self, pairs: Sequence[tuple[str, str | None]]) -> list[str]:
        for text, context in pairs:
            if context is not None:
                raise UserError(f"{self.kind} reads no context: {text[:40]!r} has one")
        return [text for text, _ in pairs]

    def _logits(self, rows: Sequence[Sequence[Window]]) -> list[list[Logits]]:
        return models.all_logits(
            self.model, rows, batch_size=self.batch, pad_id=models.pad_id(self.tokenizer)
        )

    def _label(
        self, head: SequenceHead, pairs: Sequence[tuple[str, str | None]]
    ) -> Iterator[Prediction]:
        for text, pair in pairs:
            if head.pairs is not None and head.pairs != (pair is not None):
                reads = "pairs of texts" if head.pairs else "single texts"
                do = "give --context, or leave it out"
                raise UserError(f"the model reads {reads}, not {text[:40]!r}", do=do)
        rows = [Example(text, (), "", pair=pair) for text, pair in pairs]
        encoded = head.encode(self.tokenizer, rows, self.length)
        for (text, pair), windows in zip(pairs, self._logits(encoded.windows), strict=True):
            chances = np.exp(head.scores(windows))
            said = Prediction(text=text, context=pair, head=self.kind)
            by_label = {label: float(one) for label, one in zip(head.labels, chances, strict=True)}
            if isinstance(head, MultilabelHead):
                held = {label: by_label[label] for label in head.held(chances)}
                yield said.model_copy(update={"labels": held})
            else:
                best = head.labels[int(chances.argmax())]
                yield said.model_copy(update={"label": best, "score": by_label[best]})

    def _answer(
        self, head: AnswerHead, pairs: Sequence[tuple[str, str | None]]
    ) -> Iterator[Prediction]:
        for question, context in pairs:
            if context is None:
                raise UserError(
                    f"no context for the question {question[:40]!r}",
                    do="give --context, or .jsonl with text and context",
                )
        rows = [Example(context or "", (), "", pair=question) for question, context in pairs]
        encoded = head.encode(self.tokenizer, rows, self.length)
        for row, windows, logits in zip(
            rows, encoded.windows, self._logits(encoded.windows), strict=True
        ):
            best = head.best(windows, logits, row.text)
            found = (_found(row.text, best.span, "answer", best.score),) if best.score else ()
            yield Prediction(text=row.pair or "", context=row.text, head="qa", found=found)

    def _entities(
        self,
        texts: Sequence[str],
        tags: Sequence[str],
        by_layer: Callable[[Sequence[Logits]], list[list[Logits]]],
    ) -> Iterator[Prediction]:
        """Read entities piece by piece: no segmenter stands between the model and its text."""
        encoded = encode_words(self.tokenizer, texts, [[]] * len(texts), self.length)
        for text, windows, logits in zip(
            texts, encoded.windows, self._logits(encoded.windows), strict=True
        ):
            found = {
                (one.start, -one.end, one.label): one
                for of_layer in by_layer(logits)
                for one in read_entities(text, windows, of_layer, tags)
            }
            ordered = tuple(found[place] for place in sorted(found))
            yield Prediction(text=text, head=self.kind, found=ordered)

    def _tag(self, head: TagHead, texts: Sequence[str]) -> Iterator[Prediction]:
        cut = split_clusters if self.kind == "words" else word_spans
        spans = [cut(text) for text in texts]
        encoded = encode_words(self.tokenizer, texts, spans, self.length)
        logits = self._logits(encoded.windows)
        for row, text in enumerate(texts):
            scores = head.word_scores(encoded.words(row), encoded.places[row], logits[row])
            path = head.best_path(scores)
            tags = [to_bio(head.outputs[tag]) for tag in path]
            chances = [math.exp(of[tag]) for of, tag in zip(scores, path, strict=True)]
            found = _joined(self.kind, text, spans[row], tags, chances)
            yield Prediction(text=text, head=self.kind, found=tuple(found))

    def _fill_masks(self, texts: Sequence[str]) -> Iterator[Prediction]:
        mask = str(self.tokenizer.mask_token)
        spans = [[found.span() for found in re.finditer(re.escape(mask), text)] for text in texts]
        for text, places in zip(texts, spans, strict=True):
            if not places:
                raise UserError(f"no {mask} in {text[:40]!r}", do=f"write {mask} where to fill in")
        encoded = encode_words(self.tokenizer, texts, spans, self.length)
        for row, text in enumerate(texts):
            (logits,) = self._logits([encoded.windows[row]])  # a vocabulary wide: one text's alone
            yield Prediction(text=text, head="fill-mask", found=tuple(
                _found(text, span, piece, score)
                for span, place in zip(spans[row], encoded.places[row], strict=True)
                if place
                for piece, score in self._top(logits[place.window][place.piece])
            ))  # fmt: skip

    def _top(self, logits: Logits) -> list[tuple[str, float]]:
        chances = np.exp(log_softmax(logits))
        best = np.argsort(-chances, kind="stable")[:TOP]
        return [(str(self.tokenizer.decode([int(piece)])), float(chances[piece])) for piece in best]


def predict(
    model: str, texts: Iterable[Text], *, batch_size: int = 32, device: str = "auto"
) -> Iterator[Prediction]:
    """Yield a prediction for each text, in order: `Predictor`, opened for once."""
    yield from Predictor(model, batch_size=batch_size, device=device)(texts)


def read_entities(
    text: str, windows: Sequence[Window], logits: Sequence[Logits], tags: Sequence[str]
) -> Iterator[Found]:
    """Yield the entities of a text: runs of pieces whose BIO tags are the best valid ones.

    A piece that two windows share is read by the mean of what they say of it.

    Where each piece's own best tag makes a valid sequence already, they are those that
    `pipeline("token-classification", aggregation_strategy="simple")` finds.
    """
    order = reading_order(windows)
    if not order:
        return
    scores = np.stack([
        np.mean([log_softmax(logits[window][piece]) for window, piece in places], axis=0)
        for places in order
    ])  # fmt: skip
    path = viterbi(scores, *allowed(tags))
    spans = [windows[window].spans[piece] for (window, piece), *_ in order]
    for first, end, kind in entities_of(tags[tag] for tag in path):
        span = visible(text, (spans[first][0], spans[end - 1][1]))
        if span[0] < span[1]:
            lowest = min(scores[at, path[at]] for at in range(first, end))
            yield _found(text, span, kind, math.exp(lowest))


def _joined(
    kind: Task, text: str, spans: Sequence[Span], tags: Sequence[str], scores: Sequence[float]
) -> Iterator[Found]:
    """Yield what tags of words say: entities, words out of clusters, or each word's tag."""
    if kind == "pos":
        for span, tag, score in zip(spans, tags, scores, strict=True):
            yield _found(text, span, tag, score)
        return
    if kind == "words":
        begun = [f"{'B' if not at else tag}-word" for at, tag in enumerate(tags)]
    else:
        begun = list(tags)
    for first, end, label in entities_of(begun):
        span = spans[first][0], spans[end - 1][1]
        yield _found(text, span, label, min(scores[first:end]))


def _found(text: str, span: Span, label: str, score: float) -> Found:
    start, end = span
    return Found(start=start, end=end, text=text[start:end], label=label, score=score)


def _open(folder: Path) -> tuple[Task, Head | None, PreTrainedModel]:
    """Open a model with the head it was saved with; None for masked language modelling."""
    config = models.read_config(folder)
    name = (getattr(config, "architectures", None) or ["none"])[0]
    if name.endswith("ForMaskedLM"):
        return "fill-mask", None, models.open_model(folder, transformers.AutoModelForMaskedLM)
    kind, head = saved_head(config, folder)
    return kind, head, models.open_model(folder, head.auto)
