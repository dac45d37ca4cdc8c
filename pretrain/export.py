"""The finished model as a plain Hugging Face folder with its tokenizer and card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from pretrain.config import PretrainConfig
from pretrain.data.shards import TOKENIZER_FOLDER, TokenShards, open_shards
from pretrain.model.families import positions
from pretrain.model.objectives import exported_model
from pretrain.model.start import added_rows
from pretrain.training.checkpoint import WEIGHTS, newest_checkpoint, read_state
from thaitok.card import write_card
from thaitok.config import load_config
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, move_into_place, write_json
from thaitok.quiet import quiet

CHECKPOINTS, MODEL = "checkpoints", "model"

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


def export_checkpoint(config: PretrainConfig, folder: Path) -> None:
    """Write the newest sound checkpoint of a run as a plain Hugging Face folder.

    Of the config only the folders `out` and `shards` count: what the run is stands in its own
    config.toml. The folder has the tokenizer and a card, and may be made while the run goes on.
    Raises `UserError` when the run has no checkpoint, and when something stands at `folder`
    already, but for the run's own `model/`.
    """
    found = newest_checkpoint(config.out / CHECKPOINTS)
    if found is None:
        raise UserError("has no checkpoint yet", where=config.out, do="wait for save_every steps")
    if folder != config.out / MODEL and folder.exists():
        raise UserError("is in the way", where=folder, do="choose another folder, or delete it")
    run = load_config(PretrainConfig, config.out / "config.toml")
    config = run.model_copy(update={"out": config.out, "shards": config.shards})
    shards = open_shards(config.shards)
    model = exported_model(config, shards)
    weights = {
        name.removeprefix("model."): one
        for name, one in load_file(found / WEIGHTS).items()
        if name.startswith("model.")  # not the generator's
    }
    with torch.no_grad():
        for name, one in model.named_parameters():  # which has a tied one once
            one.copy_(weights.pop(name))
    assert not weights, f"left over: {sorted(weights)}"
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with quiet():
        model.save_pretrained(partial)
    for name in TOKENIZER_FILES:
        shutil.copyfile(config.shards / TOKENIZER_FOLDER / name, partial / name)
    size = model.config
    # What one went on from may have more positions than the run took.
    _fit_length(partial / TOKENIZER_FILES[1], positions(size))
    kind = NAMES.get(size.model_type, size.model_type)
    state = {"parameters": sum(one.numel() for one in model.parameters()), **read_state(found)}
    write_card(
        partial,
        pipeline_tag="feature-extraction" if config.rtd else "fill-mask",
        title=f"Thai {kind}, {size.num_hidden_layers} layers of {size.hidden_size}",
        summary=SUMMARIES[config.objective],
        facts=_facts(config, shards, state),
        widget=() if config.rtd else ("กรุงเทพมหานครเป็นเมืองหลวงของ<mask>",),
    )
    shutil.rmtree(folder, ignore_errors=True)
    move_into_place(partial, folder)


def _facts(config: PretrainConfig, shards: TokenShards, state: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows of the card's table."""
    optim, mask, found = config.optim, config.mask, state["evaluation"]
    facts = {
        "Parameters": f"{state['parameters']:,}",
        "Vocabulary": f"{shards.pieces:,} pieces",
        "Training text": f"{len(shards):,} documents, {shards.manifest.counts['tokens']:,} tokens",
        "Steps": f"{state['step']:,} of {config.batch_tokens:,} tokens "
        f"({state['tokens']:,} tokens in all), documents of up to {config.sequence_length}",
        "Masking": f"{mask.probability:.0%} of the tokens by {mask.unit}, "
        f"{mask.masked:.0%} masked, {mask.random:.0%} random",
        "Optimizer": f"AdamW, peak rate {optim.learning_rate:g}, "
        f"{optim.warmup_steps:,} steps of warm-up, {optim.schedule} schedule",
    }
    if config.objective != "mlm":
        facts["Objective"] = _objective(config)
    if found and config.rtd:
        facts["Held-out loss"] = (
            f"{found['eval_loss']:.3f} nats a token, {found['eval_accuracy']:.1%} of the verdicts "
            "right, replaced or not"
        )
    elif found:
        facts["Held-out loss"] = (
            f"{found['eval_loss']:.3f} nats a masked token, {found['eval_accuracy']:.1%} right, "
            f"{found['eval_bits']:.3f} bits a character"
        )
    if config.start is None:
        return facts
    rates = f"each layer at {optim.layer_decay:g} of the rate of the one above it"
    turns = f"a layer more every {optim.unfreeze_every:,} steps"
    return {
        **facts,
        "Goes on from": f"a pretrained model, {added_rows(config.start):,} of its pieces new",
        "Rates of the layers": rates + (f", {turns}" if optim.unfreeze_every else ""),
    }


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


def _fit_length(path: Path, length: int) -> None:
    """Let the tokenizer that goes with a model cut at the positions the model has."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_max_length"] = length
    write_json(path, config)
