"""What a run learns: masked tokens, replaced tokens, or a teacher's relations too."""

from __future__ import annotations

import math

from transformers import PretrainedConfig, PreTrainedModel

from pretrain.config import DistilConfig, PretrainConfig
from pretrain.data.shards import TokenShards
from pretrain.measure.flops import BOTH_WAYS, flops_per_token
from pretrain.model.distil import Distillation
from pretrain.model.encoder import MaskedLanguageModel, build_model, empty_model, encoder_config
from pretrain.model.families import FAMILIES
from pretrain.model.rtd import ReplacedTokenDetection, discriminator_of, generator_config
from pretrain.model.start import check_start, load_start, start_config
from thaitok.errors import UserError


def build_objective(config: PretrainConfig, shards: TokenShards) -> MaskedLanguageModel:
    """Build the model of a run with the loss that it learns by."""
    model = build_model(config, shards.pieces, shards.special)
    if config.rtd:
        return ReplacedTokenDetection(model, config.rtd, shards.special)
    if config.distil:
        teacher = load_start(config.distil.teacher)
        return Distillation(model, teacher, config.distil)
    return MaskedLanguageModel(model)


def exported_model(config: PretrainConfig, shards: TokenShards) -> PreTrainedModel:
    """Build with random weights what a run's `model.` weights are exported as.

    What detected replaced tokens cannot fill a mask: of it the encoder is left, and ELECTRA's own
    head where there is a class with one.
    """
    model = empty_model(config, shards.pieces, shards.special)
    return discriminator_of(model) if config.rtd else model


def check_objective(config: PretrainConfig, shards: TokenShards) -> None:
    """Raise `UserError` when a run's objective does not fit its model, or the teacher it names."""
    if config.objective == "mlm":
        return
    size = encoder_config(config, shards.pieces, shards.special)
    _check_packed(size, config.objective)
    if config.distil:
        check_start(config.distil.teacher, shards, config.sequence_length)
        _check_teacher(start_config(config.distil.teacher), size, config.distil)


def objective_flops(
    config: PretrainConfig, size: PretrainedConfig, pieces: int, attended: float, share: float
) -> float:
    """Return the floating-point operations of a token in training, as `flops_per_token` counts.

    The generator works too, and the head that detects looks at every token; a teacher goes forward
    only, up to its layer.
    """
    own = flops_per_token(size, pieces, attended, share)
    if config.rtd:
        small = flops_per_token(
            generator_config(size, config.rtd.generator), pieces, attended, share
        )
        head = 2.0 * BOTH_WAYS * int(size.hidden_size**2 + size.hidden_size)
        return own.encoder + own.attention + small.total + head
    if config.distil:
        teacher = start_config(config.distil.teacher)
        above = flops_per_token(teacher, pieces, attended, 0)
        used = (config.distil.layer or teacher.num_hidden_layers) / int(teacher.num_hidden_layers)
        # Queries, keys and values; of the model both ways, of the teacher forward.
        widths = int(BOTH_WAYS * size.hidden_size + teacher.hidden_size)
        relations = 3 * 2 * attended * widths
        return own.total + used * (above.encoder + above.attention) / BOTH_WAYS + relations
    return own.total


def _check_packed(size: PretrainedConfig, objective: str) -> None:
    if size.model_type not in FAMILIES:
        raise UserError(
            f'objective "{objective}" takes packed documents, and a {size.model_type} does not',
            do=f"take one of {', '.join(sorted(FAMILIES))}",
        )


def _check_teacher(teacher: PretrainedConfig, size: PretrainedConfig, config: DistilConfig) -> None:
    _check_packed(teacher, "distil")
    layers = teacher.num_hidden_layers
    if config.layer and config.layer > layers:
        raise UserError(f"distil.layer {config.layer} is more than the {layers} of the teacher")
    if config.layer not in (None, layers) and teacher.model_type == "albert":
        raise UserError("the layers of an ALBERT are one", do="leave distil.layer out")
    common = math.gcd(teacher.hidden_size, size.hidden_size)
    if common % config.relation_heads:
        fits = max(one for one in range(1, config.relation_heads) if common % one == 0)
        raise UserError(
            f"distil.relation_heads {config.relation_heads} does not divide both the teacher's"
            f" width {teacher.hidden_size} and the model's {size.hidden_size}",
            do=f"set it to {fits}",
        )
