"""The finished model as a plain Hugging Face folder with its tokenizer and card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file

from pretrain.card import write_model_card
from pretrain.config import PretrainConfig
from pretrain.data.shards import TOKENIZER_FOLDER, open_shards
from pretrain.model.families import positions
from pretrain.model.objectives import exported_model
from pretrain.training.checkpoint import WEIGHTS, newest_checkpoint, read_state
from thaitok.config import load_config
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, move_into_place, write_json
from thaitok.quiet import quiet

CHECKPOINTS, MODEL = "checkpoints", "model"


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
    # What one went on from may have more positions than the run took.
    _fit_length(partial / TOKENIZER_FILES[1], positions(model.config))
    state = {"parameters": sum(one.numel() for one in model.parameters()), **read_state(found)}
    write_model_card(partial, config, shards, model.config, state)
    shutil.rmtree(folder, ignore_errors=True)
    move_into_place(partial, folder)


def _fit_length(path: Path, length: int) -> None:
    """Let the tokenizer that goes with a model cut at the positions the model has."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_max_length"] = length
    write_json(path, config)
