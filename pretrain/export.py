"""The finished model as a plain Hugging Face folder with its tokenizer and card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from pretrain.config import PretrainConfig
from pretrain.shards import TOKENIZER_FOLDER, TokenShards
from thaitok.card import write_card
from thaitok.folder import TOKENIZER_FILES, move_into_place, write_json
from thaitok.quiet import quiet

MODEL = "model"


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
    _fit_length(partial / TOKENIZER_FILES[1], config.sequence_length)
    size = config.model
    write_card(
        partial,
        pipeline_tag="fill-mask",
        title=f"Thai RoBERTa, {size.layers} layers of {size.hidden}",
        summary="A Thai encoder pretrained by masked language modelling.",
        facts={
            "Parameters": f"{counts['parameters']:,}",
            "Vocabulary": f"{shards.pieces:,} pieces",
            "Training text": f"{len(shards):,} documents, "
            f"{shards.manifest.counts['tokens']:,} tokens",
            "Steps": f"{config.steps:,} of {config.batch_rows} rows of "
            f"{config.sequence_length} tokens ({counts['tokens']:,} tokens in all)",
            "Masking": f"{config.mask.probability:.0%} of the tokens, "
            f"{config.mask.masked:.0%} masked, {config.mask.random:.0%} random",
            "Optimizer": f"AdamW, peak rate {config.optim.learning_rate:g}, "
            f"{config.optim.warmup_steps:,} steps of warm-up, linear decay",
            "Held-out loss": f"{counts['eval_loss']:.3f} nats a masked token",
        },
        widget=("กรุงเทพมหานครเป็นเมืองหลวงของ<mask>",),
    )
    shutil.rmtree(folder, ignore_errors=True)
    move_into_place(partial, folder)


def _fit_length(path: Path, length: int) -> None:
    """Let the tokenizer that goes with a model cut at the positions the model has."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_max_length"] = length
    write_json(path, config)
