"""Memory of a training step by formula: weights and moments, what backward needs, logits.

Counted is what autograd keeps of eager modules, so that it is an upper bound: compiled layers
compute some of it again. H is the hidden size, F the intermediate one.
"""

from __future__ import annotations

from transformers import PretrainedConfig

from pretrain.model.cross_entropy import CHUNK_LOGITS
from pretrain.model.families import FAMILIES
from thaitok.config import Config

LAYER = {
    # A layer of BERT in fp32: its input H, queries, keys, values 3H and context H; then the
    # inputs H of both layer norms and the output H of the first, F before the GELU, F after.
    ("bert", False): ((20, 0), (12, 8)),
    # bf16 under autocast: each of three projections makes its own copy of the fp32 input; norms
    # keep fp32 inputs, and everything that a matrix multiplies is bf16.
    ("bert", True): ((14, 0), (10, 4)),
    # ALBERT's approximate GELU is made of several operations, each keeping its own.
    ("albert", False): ((20, 0), (12, 20)),
    ("albert", True): ((14, 0), (10, 8)),
    # ModernBERT normalises first and rotates queries and keys, beside which the unrotated stay
    # with the values; GeGLU has 2F, and F each for the gated half and the product.
    ("modernbert", False): ((32, 0), (8, 16)),
    ("modernbert", True): ((18, 0), (6, 8)),
}
"""Bytes a token that a layer keeps for backward, as (multiples of H, of F): up to the context,
and after it. By architecture, others being like BERT, and by whether it multiplies in bf16."""
DROPPED = {"bert": (2, 0), "albert": (1, 0), "modernbert": (1, 1)}
"""Values a token that dropout keeps a factor of in a layer, as multiples of H and F."""


class Memory(Config):
    """Bytes on a device at the peak of an update, after the first one."""

    weights: int
    """In fp32; with bf16 their copies too, which autocast makes once an update. A teacher's too."""
    gradients: int
    moments: int
    """Of AdamW, two a parameter."""
    activations: int
    """Kept from forward to backward."""
    head: int
    """Of the last matrix, while its gradients are made, and the logits that exist at once."""
    total: int


def step_memory(
    config: PretrainedConfig,
    parameters: int,
    tokens: int,
    places: int,
    *,
    bf16: bool,
    cuda: bool,
    generator: PretrainedConfig | None = None,
    teacher: int = 0,
) -> Memory:
    """Estimate an update's memory with micro-batches of `tokens`, `places` of them predicted.

    `parameters` are those that are learnt. With a `generator` it is this that predicts, and the
    model detects at all tokens. `teacher` is how many parameters a teacher has: of it the weights
    are counted, and neither its activations nor its relations.
    """
    activations = activation_bytes(
        config, tokens, tokens if generator else places, bf16=bf16, cuda=cuda
    )
    if generator:
        activations += activation_bytes(generator, tokens, places, bf16=bf16, cuda=cuda)
    parts = {
        "weights": (6 if bf16 else 4) * parameters + 4 * teacher,
        "gradients": 4 * parameters,
        "moments": 8 * parameters,
        "activations": activations,
        "head": head_bytes(generator or config, places, bf16=bf16, fused=cuda),
    }
    return Memory(**parts, total=sum(parts.values()))


def activation_bytes(
    config: PretrainedConfig, tokens: int, places: int, *, bf16: bool, cuda: bool
) -> int:
    """Return what autograd keeps of the encoder, and of the head before its last matrix."""
    hidden, wide = int(config.hidden_size), int(config.intermediate_size)
    kind = config.model_type if config.model_type in DROPPED else "bert"
    before, after = (
        of_hidden * hidden + of_wide * wide for of_hidden, of_wide in LAYER[kind, bf16]
    )
    # On CUDA a factor is a byte, on a CPU an fp32 number.
    factor = (1 if cuda else 4) * bool(_dropout(config))
    after += factor * (DROPPED[kind][0] * hidden + DROPPED[kind][1] * wide)
    family = FAMILIES.get(config.model_type)
    layers, sparse = int(config.num_hidden_layers), family is not None and family.sparse_last
    # The embeddings have a norm and a dropout; the head a matrix, a GELU and a norm.
    whole = layers * before + (layers - sparse) * after + (4 + factor) * hidden
    return tokens * whole + places * (sparse * after + 16 * hidden)


def _dropout(config: PretrainedConfig) -> float:
    return float(getattr(config, "hidden_dropout_prob", getattr(config, "mlp_dropout", 0.0)))


def head_bytes(config: PretrainedConfig, places: int, *, bf16: bool, fused: bool) -> int:
    """Return what `linear_cross_entropy` holds at once.

    The matrix as it multiplies, its gradient in fp32, and a chunk of logits: compiled these and
    their gradient, eager also four passes over them in fp32.
    """
    pieces, size = int(config.vocab_size), 2 if bf16 else 4
    width = int(getattr(config, "embedding_size", config.hidden_size))
    logits = min(places * pieces, CHUNK_LOGITS)
    return pieces * width * (4 + size) + logits * (2 * size if fused else size + 17)
