"""Self-attention distillation: the last layer learns the relations of a teacher's tokens.

After MiniLM (arXiv 2002.10957) and MiniLMv2 (arXiv 2012.15828): how much each token's query is
like the others' queries, its key like their keys and its value like their values. No layer has to
be as wide as the teacher's, nor to have as many heads.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel

from pretrain.config import DistilConfig
from pretrain.model.attention import packed_attention, same_document
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.families import FAMILIES, first_position

if TYPE_CHECKING:
    from pretrain.data.batch import Batch

NOTED = "packed_noted"
"""Name under which transformers' modules find `noted_attention`."""
CHUNK_RELATIONS = 1 << 26
"""Relations that exist at once, a quarter of a gigabyte of 32-bit floats: those of 32 rows of 416
tokens with 48 heads are 1.1 GB, several times over."""


class Distillation(MaskedLanguageModel):
    """Masked-LM loss of a model, and how far its relations are from a teacher's."""

    def __init__(
        self,
        model: PreTrainedModel,
        teacher: PreTrainedModel,
        config: DistilConfig,
        *,
        sparse_last: bool = True,
    ) -> None:
        super().__init__(model, sparse_last=sparse_last)
        keep_layers(teacher, config.layer or teacher.config.num_hidden_layers)
        self.heads, self.mlm_weight = config.relation_heads, config.mlm_weight
        frozen = MaskedLanguageModel(teacher).eval().requires_grad_(False)
        # In a tuple it is no part of the model: neither trained nor saved nor put in train mode.
        self.teacher = (frozen,)
        self.shift = first_position(teacher.config) - first_position(model.config)
        for encoder in (self, frozen):
            note_attention(encoder.layers()[-1])

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return what training divides by the masked places; in evaluation the masked-LM loss.

        In training (mlm_weight x sum of the cross-entropies + mean of the divergences over the
        tokens x masked places, None): over the masked places of an update, this is the mean of the
        one and of the other. It is the same however micro-batches are dealt out; tokens of one
        weigh alike, those of a fuller one less, by as much as it is fuller than the others. Both
        models see the same masked text.
        """
        loss, right = super().forward(batch)
        ours = take_noted(self.layers()[-1])
        if not self.training:
            return loss, right
        (teacher,) = self.teacher
        positions = (batch.position_ids + self.shift).clamp(min=0)
        with torch.no_grad():
            teacher.hidden(dataclasses.replace(batch, position_ids=positions))
        pairs = zip(ours, take_noted(teacher.layers()[-1]), strict=True)
        away = [relation_loss(*pair, batch.documents, self.heads) for pair in pairs]
        mean = torch.stack(away).sum() / batch.tokens
        return self.mlm_weight * loss + len(batch.places) * mean, None

    def compile_layers(self) -> None:
        """Compile the layers of both models but the last ones: to note is a side effect."""
        self.compiled = True
        for encoder in (self, *self.teacher):
            body: Any = encoder.model.base_model
            for module in (body.embeddings, *encoder.layers()[:-1]):
                module.compile(fullgraph=True, dynamic=False)

    def _apply(self, fn: Any, recurse: bool = True) -> Distillation:
        """Move the teacher along, as `to` does by this."""
        self.teacher[0]._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def keep_layers(model: PreTrainedModel, count: int) -> None:
    """Cut the layers above `count` off a model; one whose layers are the same keeps it."""
    layers: Any = FAMILIES[model.config.model_type].layers(model)
    del layers[count:]


def noted_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *rest: Any, **told: Any
) -> tuple[Tensor, None]:
    """Attend as `packed_attention` does, and leave queries, keys and values with the module."""
    vars(module)["noted"] = (query, key, value)
    return packed_attention(module, query, key, value, *rest, **told)


def note_attention(layer: nn.Module) -> None:
    """Let the attention of one layer be noted; `attend_packed` comes before.

    Modules look their attention up in the config that they hold: this layer's get one of their
    own. A layer that several others share notes the last of them.
    """
    AttentionInterface.register(NOTED, noted_attention)
    for module in layer.modules():
        if hasattr(module, "config"):
            config: Any = copy.copy(module.config)
            config._attn_implementation = NOTED
            module.config = config


def take_noted(layer: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values of the last forward, each (R, heads, S, width), once."""
    module = next(one for one in layer.modules() if "noted" in vars(one))
    found: tuple[Tensor, Tensor, Tensor] = vars(module).pop("noted")
    return found


def relation_loss(student: Tensor, teacher: Tensor, documents: Tensor, heads: int) -> Tensor:
    """Return the divergence of a student's relations from a teacher's, in nats.

    Both have shape (R, heads of their own, S, width of their own), `documents` (R, S). The heads
    are put together and cut into `heads`; a relation is the softmax of the scaled products of a
    token with those of its document. Kullback-Leibler's divergence, teacher to student, is summed
    over the tokens that are not padding and is the mean over the heads (arXiv 2012.15828 §3.1).
    """
    joined = (one.transpose(1, 2).flatten(2) for one in (student, teacher))
    loss: Tensor = _RelationLoss.apply(*joined, documents, heads)  # type: ignore[no-untyped-call]
    return loss


class _RelationLoss(torch.autograd.Function):
    """Some rows after others, with gradients computed on the way: no relation is kept."""

    @staticmethod
    def forward(
        ctx: Any, student: Tensor, teacher: Tensor, documents: Tensor, heads: int
    ) -> Tensor:
        sums = torch.promote_types(student.dtype, torch.float32)
        loss = torch.zeros((), dtype=sums, device=student.device)
        gradient = torch.empty_like(student)
        rows, length = documents.shape
        size = max(1, CHUNK_RELATIONS // (heads * length**2))
        with torch.autocast(student.device.type, enabled=False):
            for first in range(0, rows, size):
                some = slice(first, first + size)
                seen, real = same_document(documents[some]), documents[some, None, :, None] > 0
                vectors, ours = _relations(student[some], seen, heads)
                _, theirs = _relations(teacher[some].to(student.dtype), seen, heads)
                weights = theirs.exp()
                away = torch.where(seen & real, weights * (theirs - ours), 0.0)
                loss += away.sum() / heads
                error = torch.where(real, ours.exp() - weights, 0.0).to(student.dtype)
                both = (error + error.mT) @ vectors / (heads * vectors.shape[-1] ** 0.5)
                gradient[some] = both.transpose(1, 2).flatten(2)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *of: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * of[0].to(gradient.dtype), None, None, None


def _relations(states: Tensor, seen: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Return vectors, (R, heads, S, width), and logarithms of relations, (R, heads, S, S)."""
    vectors = states.view(*states.shape[:2], heads, -1).transpose(1, 2)
    scores = vectors @ vectors.mT / vectors.shape[-1] ** 0.5
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return vectors, scores.masked_fill(~seen, -torch.inf).log_softmax(-1)
