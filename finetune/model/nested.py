"""The head for nested entities: one joint model with a layer of tags for each depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase

from finetune.data.entities import Entity, entities_of, layer_tags, write_entities
from finetune.data.rows import Example
from finetune.model.decode import allowed, viterbi
from finetune.model.encode import Encoded
from finetune.model.head import IGNORED, Head, Logits, Row, row_of
from finetune.model.tags import TagHead, mark_pieces

DEEPEST = 8
"""Layers at most, as many as Thai-NNER annotates."""


class NestedHead(Head):
    """Entities that may lie within one another: a BIO tagger for each layer, on one encoder.

    An entity's layer is how many stand around it, so that those of one layer never overlap:
    layer 0 holds the outermost. The model's outputs are those of all layers, "LAYER|TAG";
    the predecessors trained a model for each layer. An output's probability is among its layer.
    """

    def __init__(self, labels: Sequence[str], layers: int = DEEPEST) -> None:
        super().__init__(labels)
        self.depth = layers
        self.tags = ("O", *(f"{place}-{kind}" for kind in self.labels for place in "BI"))
        self.rules = allowed(self.tags)
        self.tagger = TagHead(self.tags)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(f"{layer}|{tag}" for layer in range(self.depth) for tag in self.tags)

    def encode(
        self, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
    ) -> Encoded:
        return self.tagger.encode(tokenizer, examples, max_length)

    def training_rows(self, encoded: Encoded, examples: Sequence[Example]) -> list[Row]:
        """Label each piece in each layer: rows of (pieces, layers)."""
        rows = []
        for windows, places, example in zip(encoded.windows, encoded.places, examples, strict=True):
            marks = [
                mark_pieces(windows, places, example.spans, tags, self.tags)
                for tags in layer_tags(example.gold, len(example.words), self.depth)
            ]
            for number, window in enumerate(windows):
                of_layers = zip(*(layer[number] for layer in marks), strict=True)
                labels = [[mark[0] for mark in piece] for piece in of_layers]
                rows.append(row_of(window, labels))
        return rows

    def collate(self, labels: Sequence[Any]) -> Tensor:
        tensors = [torch.tensor(of) for of in labels]
        return pad_sequence(tensors, batch_first=True, padding_value=IGNORED)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        by_layer = logits.float().reshape(*logits.shape[:-1], self.depth, -1)
        return self.depth * cross_entropy(
            by_layer.flatten(0, 2), labels.flatten(), ignore_index=IGNORED
        )

    def layer_logits(self, windows: Sequence[Logits]) -> list[list[Logits]]:
        """Part each window's logits (pieces, outputs) by layer."""
        width = len(self.tags)
        return [
            [logits[:, layer * width : (layer + 1) * width] for logits in windows]
            for layer in range(self.depth)
        ]

    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        found = []
        for row, windows in enumerate(logits):
            words, places = encoded.words(row), encoded.places[row]
            entities: set[Entity] = set()
            for of_layer in self.layer_logits(windows):
                scores = self.tagger.word_scores(words, places, of_layer)
                path = viterbi(scores, *self.rules)
                entities.update(entities_of(self.tags[tag] for tag in path))
            found.append(write_entities(entities))
        return found

    def settings(self) -> dict[str, Any]:
        return {"layers": self.depth}


def depth_of(examples: Iterable[Example]) -> int:
    """Return the layers that training rows need, up to `DEEPEST`."""
    deepest = 1
    for example in examples:
        tags = layer_tags(example.gold, len(example.words), DEEPEST)
        used = [any(tag != "O" for tag in layer) for layer in tags]
        deepest = max(deepest, int(np.sum(used)))
    return deepest
