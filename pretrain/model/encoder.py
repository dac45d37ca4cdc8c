"""The encoder and its loss: stock transformers modules, scored at the masked places only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import transformers
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from pretrain.config import ModelConfig, PretrainConfig
from pretrain.data.shards import SpecialIds
from pretrain.model.attention import attend_packed, same_document
from pretrain.model.cross_entropy import guesses, linear_cross_entropy
from pretrain.model.families import FAMILIES, model_config
from pretrain.model.padded import padded_loss
from pretrain.model.start import load_start, start_config
from thaitok.errors import UserError

if TYPE_CHECKING:
    from pretrain.data.batch import Batch

log = logging.getLogger(__name__)

ALIGNED = 64
"""Pieces to a multiple of which the vocabulary is padded inside the step on CUDA."""


def encoder_config(config: PretrainConfig, pieces: int, special: SpecialIds) -> PretrainedConfig:
    """Return the config of the model that a run trains, without building it."""
    if config.start is not None:
        return start_config(config.start)
    size = config.model or ModelConfig()
    return model_config(size, pieces, special, config.sequence_length)


def build_model(config: PretrainConfig, pieces: int, special: SpecialIds) -> PreTrainedModel:
    """Load the model to go on from, or build one with random weights for `pieces`."""
    if config.start is not None:
        return load_start(config.start)
    return empty_model(config, pieces, special)


def empty_model(config: PretrainConfig, pieces: int, special: SpecialIds) -> PreTrainedModel:
    """Build the model that a run trains, with random weights."""
    built = encoder_config(config, pieces, special)
    kind: Any = transformers.AutoModelForMaskedLM
    try:
        model: PreTrainedModel = kind.from_config(built)
    except (ValueError, TypeError) as err:
        what = f"model.type {built.model_type!r} has no masked-LM model of this size"
        raise UserError(f"{what}: {str(err).splitlines()[0]}") from None
    return model


class MaskedLanguageModel(nn.Module):
    """Masked-LM loss of packed documents.

    Equals transformers' loss on the same documents padded one a row: documents see only
    themselves, and the head is computed where there is something to predict (at 25,000 pieces
    the dense head is a sixth of all work, at 249,000 two thirds). An architecture that is not
    among `FAMILIES` is trained that padded way itself.
    """

    def __init__(self, model: PreTrainedModel, *, sparse_last: bool = True) -> None:
        super().__init__()
        self.model = model
        self.family = FAMILIES.get(model.config.model_type)
        self.sparse_last = sparse_last and self.family is not None and self.family.sparse_last
        self.compiled = False
        if self.family is None:
            log.info("a %s is trained padded, with all logits", model.config.model_type)
        else:
            attend_packed(model)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return (sum of the cross-entropies in nats, number of right guesses).

        Guesses are made in evaluation only, and None is returned in training: they take another
        pass over the logits.
        """
        if self.family is None:
            return padded_loss(self.model, batch, self.model.config.pad_token_id)
        states = self.family.transform(self.model, self.hidden(batch))
        model: Any = self.model
        last = model.get_output_embeddings()
        aligned = ALIGNED if states.is_cuda else 1
        loss = linear_cross_entropy(
            states, last.weight, last.bias, batch.labels,
            multiple=aligned, compiled=self.compiled,
        )  # fmt: skip
        right = None if self.training else guesses(states, last.weight, last.bias, batch.labels)
        return loss, right

    def hidden(self, batch: Batch) -> Tensor:
        """Return the last hidden states at the places to predict, of shape (K, H)."""
        told, mask = self._seen(batch)
        if self.sparse_last:
            return self._sparse_last(batch, told, mask)
        body: Any = self.model.base_model
        states: Tensor = body(
            input_ids=batch.input_ids,
            attention_mask=mask,
            position_ids=batch.position_ids,
            **told,
        )[0]
        return states.flatten(0, 1)[batch.places]

    def layers(self) -> list[nn.Module]:
        """Return the encoder's layers."""
        return list(self.family.layers(self.model)) if self.family else []

    def compile_layers(self) -> None:
        """Compile the encoder's layers: one piece of code that all of them run.

        Whole graphs of fixed shapes: a graph break is an error.
        """
        if self.family is None:
            return
        self.compiled = True
        layers: Any = self.layers()
        body: Any = self.model.base_model
        for module in (body.embeddings, *(layers[:-1] if self.sparse_last else layers)):
            module.compile(fullgraph=True, dynamic=False)
        if self.sparse_last:
            last = layers[-1]
            last.attention.self.compile(fullgraph=True, dynamic=False)
            # The places to predict are more or fewer where their share moves over the run.
            for module in (last.attention.output, last.intermediate, last.output):
                module.compile(fullgraph=True)

    def _seen(self, batch: Batch) -> tuple[dict[str, Any], Any]:
        """Return what the attention is told of the documents: bounds of a stream, or a mask."""
        if batch.cu_seqlens is not None:
            return {"cu_seq_lens_q": batch.cu_seqlens, "max_length_q": batch.longest}, None
        mask = same_document(batch.documents)
        if self.model.config.model_type != "modernbert":
            return {}, mask
        local = same_document(batch.documents, self.model.config.sliding_window)
        return {}, {"full_attention": mask, "sliding_attention": local}

    def _sparse_last(self, batch: Batch, told: dict[str, Any], mask: Tensor | None) -> Tensor:
        """Compute of the last layer, but for its attention, the places to predict alone.

        After MosaicBERT (arXiv 2312.17482; `subset_mask` in its bert_layers.py): what follows
        the attention looks at one token at a time, so nothing else changes.
        """
        body: Any = self.model.base_model
        states = body.embeddings(input_ids=batch.input_ids, position_ids=batch.position_ids)
        *layers, last = body.encoder.layer
        for layer in layers:
            states = layer(states, mask, **told)
        context, _ = last.attention.self(states, attention_mask=mask, **told)
        flat = (one.flatten(0, 1)[batch.places] for one in (context, states))
        hidden: Tensor = last.feed_forward_chunk(last.attention.output(*flat))
        return hidden
