"""Going on from a model: which one it is, whether it fits the shards, and its weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from pretrain.data.shards import TOKENIZER_FOLDER, TokenShards
from pretrain.model.families import positions
from thaitok.errors import UserError
from thaitok.folder import MANIFEST, TOKENIZER_FILES, FileFacts, file_facts, read_manifest
from thaitok.models import architecture, load_model, require_safetensors


def check_start(start: Path, shards: TokenShards, length: int) -> None:
    """Raise `UserError` when a model cannot go on with these shards at rows of `length`."""
    config = _class_and_config(start)[1].to_dict()
    require_safetensors(start)
    name = TOKENIZER_FILES[0]
    ours = shards.folder / TOKENIZER_FOLDER / name
    theirs = start / name
    if not theirs.is_file() or file_facts(ours) != file_facts(theirs):
        raise UserError(
            "is not the tokenizer of the shards",
            where=theirs,
            do=f"make shards with `thaitok shard --tokenizer {start}`",
        )
    if config["vocab_size"] != shards.pieces:
        raise UserError(
            f"the model has {config['vocab_size']} rows, its tokenizer {shards.pieces} pieces",
            where=start,
        )
    _check_special(config, shards, start)
    room = positions(start_config(start))
    if length > room:
        raise UserError(
            f"sequence_length {length} is more than the {room} positions of the model",
            where=start,
        )


def start_config(start: Path) -> PretrainedConfig:
    """Return the config of a model to go on from; `UserError` when it has no masked-LM head."""
    return _class_and_config(start)[1]


def _class_and_config(start: Path) -> tuple[type[PreTrainedModel], PretrainedConfig]:
    kind, config = architecture(start)
    if kind.__name__ not in MODEL_FOR_MASKED_LM_MAPPING_NAMES.values():
        what = f"is a {kind.__name__}; pretraining goes on from a masked-LM model"
        raise UserError(what, where=start, do="give one such as RobertaForMaskedLM")
    return kind, config


def _check_special(config: dict[str, Any], shards: TokenShards, start: Path) -> None:
    for name, number in asdict(shards.special).items():
        found = config.get(f"{name}_token_id", number)
        if found != number:
            raise UserError(
                f"config.json says {name}_token_id {found}, the tokenizer {number}",
                where=start,
                do="mend config.json, or bring the model over with `thaitok convert`",
            )


def start_facts(start: Path, name: str) -> tuple[FileFacts, ...]:
    """Return the files of a model that a run depends on, under a name that is not its folder's."""
    files = sorted([start / "config.json", *start.glob("*.safetensors")])
    return tuple(file_facts(file, f"{name}/{file.name}") for file in files)


def added_rows(start: Path | None) -> int:
    """Return how many rows at the end of the vocabulary `thaitok extend` made; else none."""
    if start is None or not (start / MANIFEST).is_file():
        return 0
    return int(read_manifest(start, "tokenizer").counts.get("added", 0))


def load_start(start: Path) -> PreTrainedModel:
    """Load a model to go on from, in 32-bit floats; `UserError` when a weight is missing."""
    return load_model(start, _class_and_config(start)[0], torch.float32)
