"""The card of a pretrained model: what was learnt from what, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from pretrain.config import PretrainConfig
from pretrain.data.shards import TokenShards
from pretrain.model.start import added_rows
from thaitok.card import (
    Body,
    Front,
    Recipe,
    corpora_section,
    hub_datasets,
    read_corpora,
    recipes_of,
    short,
    write_card,
)
from thaitok.folder import MANIFEST, file_facts, package_versions

NAMES = {
    "roberta": "RoBERTa", "camembert": "CamemBERT", "xlm-roberta": "XLM-RoBERTa", "bert": "BERT",
    "albert": "ALBERT", "electra": "ELECTRA", "modernbert": "ModernBERT",
}  # fmt: skip
"""How the architectures are written, by their name in config.json."""
SUMMARIES = {
    "mlm": "A Thai encoder pretrained by masked language modelling.",
    "rtd": "A Thai encoder pretrained by replaced-token detection (ELECTRA, arXiv 2003.10555). It "
    "gives vectors to fine-tune from and has no masked-LM head: it fills no masks.",
    "distil": "A Thai encoder pretrained by masked language modelling and by distillation of a "
    "teacher's self-attention (MiniLMv2, arXiv 2012.15828).",
}
"""What a card says first, by the objective."""


def write_model_card(
    folder: Path,
    config: PretrainConfig,
    shards: TokenShards,
    size: PretrainedConfig,
    state: Mapping[str, Any],
) -> None:
    """Write the card of a model folder that is whole but for it.

    `state` is that of its checkpoint, with the number of its `parameters`.
    """
    kind = NAMES.get(size.model_type, size.model_type)
    write_card(
        folder,
        pipeline_tag="feature-extraction" if config.rtd else "fill-mask",
        title=f"Thai {kind}, {size.num_hidden_layers} layers of {size.hidden_size}",
        summary=SUMMARIES[config.objective],
        facts=_facts(config, shards, state),
        front=Front(datasets=hub_datasets(read_corpora(shards.folder)), tags=("sentencepiece",)),
        body=_body(config, shards, folder, state),
    )


def _facts(config: PretrainConfig, shards: TokenShards, state: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows of the card's table."""
    optim, mask = config.optim, config.mask
    facts = {
        "Parameters": f"{state['parameters']:,}",
        "Vocabulary": f"{shards.pieces:,} pieces",
        "Steps": f"{state['step']:,} of {config.batch_tokens:,} tokens "
        f"({state['tokens']:,} tokens in all), documents of up to {config.sequence_length}",
        "Masking": f"{mask.probability:.0%} of the tokens by {mask.unit}, "
        f"{mask.masked:.0%} masked, {mask.random:.0%} random",
        "Optimizer": f"AdamW, peak rate {optim.learning_rate:g}, "
        f"{optim.warmup_steps:,} steps of warm-up, {optim.schedule} schedule",
        "Betas and epsilon": f"{optim.beta1:g}, {optim.beta2:g}, {optim.eps:g}",
        "Weight decay and clipping": f"{optim.weight_decay:g}, {optim.clip:g}",
        "Precision": "fp32, or bf16 where the device is quick at it"
        if config.precision == "auto"
        else config.precision,
        "Seed": str(config.seed),
        "sha256 of the shards' manifest": short(file_facts(shards.folder / MANIFEST).sha256),
    }
    if config.objective != "mlm":
        facts["Objective"] = _objective(config)
    if config.start is None:
        assert config.model is not None
        return facts | {"Dropout": f"{config.model.dropout:g}"}
    rates = f"each layer at {optim.layer_decay:g} of the rate of the one above it"
    turns = f"a layer more every {optim.unfreeze_every:,} steps"
    return {
        **facts,
        "Goes on from": f"a pretrained model, {added_rows(config.start):,} of its pieces new",
        "Rates of the layers": rates + (f", {turns}" if optim.unfreeze_every else ""),
    }


def _body(
    config: PretrainConfig, shards: TokenShards, folder: Path, state: Mapping[str, Any]
) -> Body:
    tokens = int(shards.manifest.counts["tokens"])
    # A folder of shards made before they kept record tells its size alone.
    bare = f"{len(shards):,} documents, {tokens:,} tokens."
    start = recipes_of(config.start) if config.start else ()
    grown: tuple[Recipe, ...] = ("phayathaibert",) if added_rows(config.start) else ()
    return Body(
        data=corpora_section(read_corpora(shards.folder), tokens) or bare,
        evaluation=_evaluation(config, state["evaluation"]),
        versions=package_versions("torch", "transformers", "accelerate", "tokenizers"),
        recipes=(*recipes_of(folder), *start, *grown),
    )


def _evaluation(config: PretrainConfig, found: Mapping[str, float] | None) -> str:
    """Say what came of the documents that were held out; no task was tried."""
    if not found:
        return ""
    held = f"On the {config.eval_share:.1%} of the documents that were held out: "
    if config.rtd:
        return (
            f"{held}a loss of {found['eval_loss']:.3f} nats a token, and "
            f"{found['eval_accuracy']:.1%} of the verdicts right, replaced or not."
        )
    return (
        f"{held}a loss of {found['eval_loss']:.3f} nats a masked token, "
        f"{found['eval_accuracy']:.1%} of the masked tokens right, "
        f"{found['eval_bits']:.3f} bits a character."
    )


def _objective(config: PretrainConfig) -> str:
    """Say what else than masked tokens was learnt."""
    if config.rtd:
        width = f"a generator of {config.rtd.generator:.0%} of the width fills the masks"
        return f"replaced-token detection, weight {config.rtd.weight:g}; {width}"
    assert config.distil is not None
    distil = config.distil
    layer = f"layer {distil.layer}" if distil.layer else "the last layer"
    relations = f"{distil.relation_heads} relation heads of {layer} of {distil.teacher.name}"
    return f"masked language modelling, weight {distil.mlm_weight:g}, and {relations}"
