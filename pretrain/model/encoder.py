"""The encoder and its loss: stock transformers modules, scored at the masked places only."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from transformers import RobertaConfig, RobertaForMaskedLM

from pretrain.config import ModelConfig, PretrainConfig
from pretrain.data.batch import Batch
from pretrain.data.shards import SpecialIds
from pretrain.model.start import load_start


def build_model(config: PretrainConfig, pieces: int, special: SpecialIds) -> RobertaForMaskedLM:
    """Load the model to go on from, or build a RoBERTa with random weights for `pieces`."""
    if config.start is not None:
        return load_start(config.start)
    size = config.model or ModelConfig()
    return RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=pieces,
            hidden_size=size.hidden,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            intermediate_size=size.intermediate,
            hidden_dropout_prob=size.dropout,
            attention_probs_dropout_prob=size.dropout,
            layer_norm_eps=size.layer_norm_eps,
            # Positions start at padding_idx + 1, so the first two rows hold no position.
            max_position_embeddings=config.sequence_length + special.pad + 1,
            type_vocab_size=1,
            bos_token_id=special.bos,
            pad_token_id=special.pad,
            eos_token_id=special.eos,
        )
    )


class MaskedLanguageModel(nn.Module):
    """Masked-LM loss of packed rows.

    Equals transformers' loss on the same documents padded one a row: documents see only
    themselves, and the head is computed where there is something to predict (at 25,000 pieces
    the dense head is a sixth of all work).
    """

    def __init__(self, model: RobertaForMaskedLM) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return (sum of the cross-entropies in nats, number of right guesses)."""
        same = batch.documents[:, None, :, None] == batch.documents[:, None, None, :]
        hidden = self.model.roberta(
            batch.input_ids, attention_mask=same, position_ids=batch.position_ids
        )[0]
        logits = self.model.lm_head(hidden.flatten(0, 1)[batch.places]).float()
        right = (logits.detach().argmax(-1) == batch.labels).sum()
        return functional.cross_entropy(logits, batch.labels, reduction="sum"), right
