"""The finished model as a plain Hugging Face folder with its tokenizer and card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from pretrain.config import PretrainConfig
from pretrain.data.shards import TOKENIZER_FOLDER, TokenShards
from thaitok.card import write_card
from thaitok.folder import TOKENIZER_FILES, move_into_place, write_json
from thaitok.quiet import quiet

MODEL = "model"

NAMES = {"roberta": "RoBERTa", "camembert": "CamemBERT", "xlm-roberta": "XLM-RoBERTa"}
"""How the architectures are written, by their name in config.json."""


def export_model(
    config: PretrainConfig, shards: TokenShards, model: PreTrainedModel, counts: Mapping[str, Any]
) -> None:
    """Write the model as a Hugging Face folder with its tokenizer and card."""
    folder = config.out / MODEL
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with quiet():
        model.save_pretrained(partial)
    for name in TOKENIZER_FILES:
        shutil.copyfile(config.shards / TOKENIZER_FOLDER / name, partial / name)
    size = model.config
    # What one went on from may have more positions than the rows it went on with.
    positions = size.max_position_embeddings - size.pad_token_id - 1
    _fit_length(partial / TOKENIZER_FILES[1], positions)
    write_card(
        partial,
        pipeline_tag="fill-mask",
        title=f"Thai {NAMES[size.model_type]}, "
        f"{size.num_hidden_layers} layers of {size.hidden_size}",
        summary="A Thai encoder pretrained by masked language modelling.",
        facts=_facts(config, shards, counts),
        widget=("กรุงเทพมหานครเป็นเมืองหลวงของ<mask>",),
    )
    shutil.rmtree(folder, ignore_errors=True)
    move_into_place(partial, folder)


def _facts(
    config: PretrainConfig, shards: TokenShards, counts: Mapping[str, Any]
) -> dict[str, str]:
    """Return the rows of the card's table."""
    optim = config.optim
    facts = {
        "Parameters": f"{counts['parameters']:,}",
        "Vocabulary": f"{shards.pieces:,} pieces",
        "Training text": f"{len(shards):,} documents, {shards.manifest.counts['tokens']:,} tokens",
        "Steps": f"{config.steps:,} of {config.batch_rows} rows of "
        f"{config.sequence_length} tokens ({counts['tokens']:,} tokens in all)",
        "Masking": f"{config.mask.probability:.0%} of the tokens, "
        f"{config.mask.masked:.0%} masked, {config.mask.random:.0%} random",
        "Optimizer": f"AdamW, peak rate {optim.learning_rate:g}, "
        f"{optim.warmup_steps:,} steps of warm-up, linear decay",
        "Held-out loss": f"{counts['eval_loss']:.3f} nats a masked token",
    }
    if config.start is None:
        return facts
    rates = f"each layer at {optim.layer_decay:g} of the rate of the one above it"
    turns = f"a layer more every {optim.unfreeze_every:,} steps"
    return {
        **facts,
        "Goes on from": f"a pretrained model, {counts['added']:,} of its pieces new",
        "Rates of the layers": rates + (f", {turns}" if optim.unfreeze_every else ""),
    }


def _fit_length(path: Path, length: int) -> None:
    """Let the tokenizer that goes with a model cut at the positions the model has."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_max_length"] = length
    write_json(path, config)
