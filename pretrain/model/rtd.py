"""Replaced-token detection: a small generator fills the masks, the encoder finds what it wrote.

After ELECTRA (arXiv 2003.10555). The encoder is the discriminator; the generator is thrown away at
the end, as there (§2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.models.electra.modeling_electra import ElectraDiscriminatorPredictions

from pretrain.config import RtdConfig
from pretrain.data.shards import SpecialIds
from pretrain.model.cross_entropy import CHUNK_LOGITS, linear_cross_entropy
from pretrain.model.encoder import ALIGNED, MaskedLanguageModel

if TYPE_CHECKING:
    from pretrain.data.batch import Batch

EVALUATION_SEED = 1
"""Of the generator's samples in evaluation, which are the same each time."""


def discriminator_of(model: PreTrainedModel) -> PreTrainedModel:
    """Return what is trained and exported of a masked-LM model: its encoder without the head.

    ELECTRA's own class for it has the head that detects; other types have none in transformers.
    """
    body: Any = model.base_model
    if model.config.model_type == "electra":
        whole = ElectraForPreTraining(body.config)
        whole.electra = body
        return whole
    encoder: PreTrainedModel = body
    return encoder


def generator_config(size: PretrainedConfig, share: float) -> ElectraConfig:
    """Return the config of a generator whose width is a share of a model's, in whole heads.

    It is an ELECTRA's whatever the model is: transformers' class with a projection between the
    table, as wide as the model's, and its own narrower layers (§3.2).
    """
    heads = max(1, round(size.num_attention_heads * share))
    hidden = size.hidden_size // size.num_attention_heads * heads
    return ElectraConfig(
        vocab_size=size.vocab_size,
        embedding_size=getattr(size, "embedding_size", size.hidden_size),
        hidden_size=hidden,
        num_hidden_layers=size.num_hidden_layers,
        num_attention_heads=heads,
        intermediate_size=max(1, size.intermediate_size * hidden // size.hidden_size),
        max_position_embeddings=size.max_position_embeddings,
        type_vocab_size=1,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=getattr(size, "hidden_dropout_prob", getattr(size, "mlp_dropout", 0.0)),
        layer_norm_eps=getattr(size, "layer_norm_eps", 1e-5),
        pad_token_id=size.pad_token_id,
    )


def generator_of(discriminator: PreTrainedModel, share: float) -> PreTrainedModel:
    """Return a generator with random weights that shares the discriminator's table of tokens.

    Sharing is worth 0.7 points of GLUE (83.6 to 84.3; §3.2), and a table of its own would be most
    of the generator.
    """
    generator = ElectraForMaskedLM(generator_config(discriminator.config, share))
    generator.set_input_embeddings(discriminator.get_input_embeddings())
    generator.tie_weights()
    return generator


class ReplacedTokenDetection(MaskedLanguageModel):
    """The generator's masked-LM loss and the loss of finding what it replaced."""

    def __init__(self, model: PreTrainedModel, config: RtdConfig, special: SpecialIds) -> None:
        super().__init__(discriminator_of(model), sparse_last=False)
        self.weight = config.weight
        self.special = special
        self.head = _detection_head(self.model)
        generator = generator_of(self.model, config.generator)
        self.generator = MaskedLanguageModel(generator, sparse_last=False)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return what training divides by the masked places, or what evaluation does by tokens.

        In training (sum of the generator's cross-entropies + weight x mean of the verdicts' over
        the tokens x masked places, None): over the masked places of an update, this is the mean of
        the one and of the other. It is the same however micro-batches are dealt out; tokens of one
        weigh alike, those of a fuller one less, by as much as it is fuller than the others.

        In evaluation (sum of the verdicts' cross-entropies in nats, number of right ones), over
        the tokens that are not special; the generator's own loss does not count.
        """
        loss, ids, replaced = self._replace(batch)
        entropies, right = self._verdicts(batch, ids, replaced)
        real = self._text(batch)
        found = torch.where(real, entropies, 0.0).sum()
        if not self.training:
            return found, (right & real).sum()
        mean = found / real.sum().clamp(min=1)
        return loss + self.weight * len(batch.places) * mean, None

    def layers(self) -> list[nn.Module]:
        """Return the layers of both encoders."""
        return [*super().layers(), *self.generator.layers()]

    def compile_layers(self) -> None:
        """Compile the layers of both encoders."""
        super().compile_layers()
        self.generator.compile_layers()

    def _text(self, batch: Batch) -> Tensor:
        """Say of all places which hold a document's own tokens, of shape (R, S)."""
        ends = (batch.input_ids == self.special.bos) | (batch.input_ids == self.special.eos)
        return (batch.documents > 0) & ~ends

    def _replace(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the generator's loss, the ids with its samples in them, and where they differ.

        A sample that is the right piece replaces nothing (§2).
        """
        model: Any = self.generator.model
        last = model.get_output_embeddings()
        states = model.generator_predictions(self.generator.hidden(batch))
        loss = linear_cross_entropy(
            states, last.weight, last.bias, batch.labels,
            multiple=ALIGNED if states.is_cuda else 1, compiled=self.compiled,
        )  # fmt: skip
        noise = None  # the default one, which the loop seeds for each micro-batch
        if not self.training:
            noise = torch.Generator(states.device).manual_seed(EVALUATION_SEED)
        pieces = sample(states, last.weight, last.bias, noise)
        ids = batch.input_ids.flatten().clone()
        ids[batch.places] = pieces
        replaced = torch.zeros_like(ids, dtype=torch.bool)
        replaced[batch.places] = pieces != batch.labels
        return loss, ids.view_as(batch.input_ids), replaced.view_as(batch.input_ids)

    def _verdicts(self, batch: Batch, ids: Tensor, replaced: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of all places, and which are judged rightly: both (R, S)."""
        told, mask = self._seen(batch)
        body: Any = self.model.base_model
        states = body(
            input_ids=ids, attention_mask=mask, position_ids=batch.position_ids, **told
        )[0]  # fmt: skip
        scores = self.head(states)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        truth = replaced.to(scores.dtype)
        entropies = functional.binary_cross_entropy_with_logits(scores, truth, reduction="none")
        return entropies, (scores > 0) == replaced


def _detection_head(discriminator: PreTrainedModel) -> nn.Module:
    """Return ELECTRA's head: two matrices and a GELU, (R, S, H) to a score each, (R, S)."""
    if isinstance(discriminator, ElectraForPreTraining):
        return discriminator.discriminator_predictions
    kind: Any = ElectraDiscriminatorPredictions
    head: nn.Module = kind(ElectraConfig(hidden_size=discriminator.config.hidden_size))
    return head


@torch.no_grad()
def sample(
    states: Tensor, weight: Tensor, bias: Tensor, noise: torch.Generator | None = None
) -> Tensor:
    """Draw a piece for each place by the softmax of `states @ weight.T + bias`; shape (K,).

    By Gumbel's maxima, without all logits at once: `torch.multinomial` ends the run where a logit
    is no number, and that is for the guard to skip.
    """
    size = max(1, CHUNK_LOGITS // len(weight))
    drawn = torch.empty(len(states), dtype=torch.int64, device=states.device)
    for first in range(0, len(states), size):
        some = slice(first, first + size)
        logits = functional.linear(states[some], weight, bias)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        # On a CPU one number in 2^24 is 0, whose logarithm would win against any logit.
        wait = torch.empty_like(logits).exponential_(generator=noise).clamp_(min=2**-25)
        drawn[some] = (logits - wait.log()).argmax(-1)
    return drawn
