"""What packed training must know of each architecture: its sizes, positions, layers and head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import transformers
from torch import Tensor, nn
from transformers import PretrainedConfig
from transformers.activations import gelu

from pretrain.config import ModelConfig
from pretrain.data.shards import SpecialIds
from thaitok.errors import UserError


@dataclass(frozen=True, slots=True)
class Family:
    """Architectures whose modules have the same shape."""

    transform: Callable[[Any, Tensor], Tensor]
    """The head up to its last matrix: (model, hidden states) to what that multiplies."""
    layers: Callable[[Any], Sequence[nn.Module]]
    """The modules that are compiled."""
    padded_positions: bool = False
    """Whether positions begin after the padding's id, as RoBERTa counts them."""
    sparse_last: bool = False
    """Whether the last layer can be computed where something is to be predicted alone."""


def _roberta_head(model: Any, hidden: Tensor) -> Tensor:
    head = model.lm_head
    transformed: Tensor = head.layer_norm(gelu(head.dense(hidden)))
    return transformed


def _bert_head(model: Any, hidden: Tensor) -> Tensor:
    transformed: Tensor = model.cls.predictions.transform(hidden)
    return transformed


def _albert_head(model: Any, hidden: Tensor) -> Tensor:
    head = model.predictions
    transformed: Tensor = head.LayerNorm(head.activation(head.dense(hidden)))
    return transformed


def _modernbert_head(model: Any, hidden: Tensor) -> Tensor:
    transformed: Tensor = model.head(hidden)
    return transformed


def _electra_head(model: Any, hidden: Tensor) -> Tensor:
    transformed: Tensor = model.generator_predictions(hidden)
    return transformed


def _layers(model: Any) -> Sequence[nn.Module]:
    layers: Sequence[nn.Module] = model.base_model.encoder.layer
    return layers


def _albert_layers(model: Any) -> Sequence[nn.Module]:
    layers: Sequence[nn.Module] = model.base_model.encoder.albert_layer_groups
    return layers


def _modernbert_layers(model: Any) -> Sequence[nn.Module]:
    layers: Sequence[nn.Module] = model.base_model.layers
    return layers


ROBERTA = Family(_roberta_head, _layers, padded_positions=True, sparse_last=True)
FAMILIES = {
    "roberta": ROBERTA,
    "camembert": ROBERTA,
    "xlm-roberta": ROBERTA,
    "bert": Family(_bert_head, _layers, sparse_last=True),
    "albert": Family(_albert_head, _albert_layers),
    "electra": Family(_electra_head, _layers),
    "modernbert": Family(_modernbert_head, _modernbert_layers),
}
"""By `model_type` in config.json; others are trained padded."""

PADDED_POSITIONS = {
    "data2vec-text",
    "longformer",
    "mpnet",
    "roberta-prelayernorm",
    "xlm-roberta-xl",
}
"""Types beyond these families that count positions from the padding's id on, as RoBERTa does."""


def first_position(config: PretrainedConfig) -> int:
    """Return the position of a document's first token."""
    return _unused(config.model_type, config.pad_token_id)


def positions(config: PretrainedConfig) -> int:
    """Return how many tokens a document may have, `<s>` and `</s>` included."""
    return int(config.max_position_embeddings) - _unused(config.model_type, config.pad_token_id)


def _unused(kind: str, pad: int | None) -> int:
    """Return how many rows of the table of positions hold none."""
    family = FAMILIES.get(kind)
    counted = family.padded_positions if family else kind in PADDED_POSITIONS
    return int(pad or 0) + 1 if counted else 0


def model_config(
    size: ModelConfig, pieces: int, special: SpecialIds, length: int
) -> PretrainedConfig:
    """Return the config of a model with random weights for documents of up to `length` tokens.

    Raises `UserError` for a type that transformers does not know or cannot build at this size.
    """
    try:
        values: dict[str, Any] = {
            "vocab_size": pieces,
            "hidden_size": size.hidden,
            "num_hidden_layers": size.layers,
            "num_attention_heads": size.heads,
            "intermediate_size": size.intermediate,
            "max_position_embeddings": length + _unused(size.type, special.pad),
            **{f"{name}_token_id": asdict(special)[name] for name in ("bos", "pad", "eos")},
            **_of_type(size, special),
        }
        config: PretrainedConfig = transformers.AutoConfig.for_model(size.type, **values)
    except (ValueError, TypeError) as err:
        raise UserError(f"model.type {size.type!r}: {str(err).splitlines()[0]}") from None
    return config


def _of_type(size: ModelConfig, special: SpecialIds) -> dict[str, Any]:
    """Return what the architectures call differently."""
    if size.type == "modernbert":
        return {
            "embedding_dropout": size.dropout,
            "mlp_dropout": size.dropout,
            "attention_dropout": size.dropout,
            "norm_eps": size.layer_norm_eps,
            "local_attention": size.local_window,
            "layer_types": [
                "sliding_attention" if number % size.global_every else "full_attention"
                for number in range(size.layers)
            ],
            "cls_token_id": special.bos,
            "sep_token_id": special.eos,
        }
    known = transformers.AutoConfig.for_model(size.type)
    values = {
        name: value
        for name, value in {
            "hidden_dropout_prob": size.dropout,
            "attention_probs_dropout_prob": size.dropout,
            "dropout": size.dropout,
            "attention_dropout": size.dropout,
            "layer_norm_eps": size.layer_norm_eps,
            "type_vocab_size": 1 if _unused(size.type, 0) else 2,
            "embedding_size": size.embedding if size.type == "albert" else size.hidden,
        }.items()
        if hasattr(known, name)
    }
    return values
