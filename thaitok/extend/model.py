"""A model grown or shrunk with its vocabulary: rows kept bit for bit, and rows for new pieces."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from thaitok.errors import UserError
from thaitok.extend.config import Init
from thaitok.extend.vectors import NewPiece, Vectors, choose_vectors, new_rows
from thaitok.folder import TOKENIZER_FILES
from thaitok.models import architecture, load_model, require_safetensors
from thaitok.quiet import quiet


def fit_model(
    source: Path,
    target: Path,
    *,
    pieces: Sequence[str],
    scores: Sequence[float],
    kept: Sequence[int],
    new: Sequence[NewPiece] = (),
    init: Init = "mean",
    seed: int = 0,
) -> dict[str, int]:
    """Write into folder `target` the model of `source` for another vocabulary.

    `pieces` and `scores` are the old vocabulary by id, a score of 0 meaning none. Row i of every
    table that has a row a piece becomes the old row `kept[i]`, bit for bit; after these come
    the rows of `new`. All other weights are the old ones. Special ids in config.json go with
    their pieces. Returns the numbers of parameters and of rows kept, added and dropped.

    Raises `UserError` when the folder holds no weights as safetensors, an architecture that
    transformers does not know, or not as many rows as there are old pieces.
    """
    kind, config = check_model(source, pieces)
    settings = _remapped(config, kept, len(kept) + len(new))
    model = load_model(source, kind)
    vectors = choose_vectors(init, pieces, scores, new, seed)
    _refit(model, vocabulary_tensors(kind, config), kept, vectors)
    model.config.update(settings)
    with quiet():
        model.save_pretrained(target)
    return {
        "parameters": sum(one.numel() for one in model.parameters()),
        "kept": len(kept),
        "added": len(new),
        "dropped": len(pieces) - len(set(kept)),
    }


def vocabulary_tensors(kind: type[PreTrainedModel], config: PretrainedConfig) -> set[str]:
    """Return the names of a model's weights that have a row a piece.

    They are those whose shape follows the size of the vocabulary: tables in and out, and the
    output's bias, whatever the architecture calls them. Nothing is loaded for it.
    """
    one, two = (dict(_named(model)) for model in _with_a_piece_more(kind, config))
    return {name for name in one if one[name].shape != two[name].shape}


def _with_a_piece_more(
    kind: type[PreTrainedModel], config: PretrainedConfig
) -> tuple[PreTrainedModel, PreTrainedModel]:
    """Return a model and the same of a vocabulary larger by one, both without weights."""
    wider = copy.deepcopy(config)
    wider.vocab_size += 1
    with quiet(), torch.device("meta"):
        return kind(config), kind(wider)


def _named(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    # A tied weight under each of its names.
    return list(model.named_parameters(remove_duplicate=False))


def check_model(
    source: Path, pieces: Sequence[str]
) -> tuple[type[PreTrainedModel], PretrainedConfig]:
    """Return a model's class and config, without loading it.

    Raises `UserError` for an architecture that transformers does not know, for a folder without
    safetensors, for other rows than `pieces`, and for a tokenizer.json of others beside it.
    """
    kind, config = architecture(source)
    if config.vocab_size != len(pieces):
        raise UserError(
            f"the model has {config.vocab_size:,} rows where the tokenizer has "
            f"{len(pieces):,} pieces",
            where=source,
            do="give the model that was trained with this tokenizer",
        )
    require_safetensors(source)
    beside = source / TOKENIZER_FILES[0]
    if beside.is_file() and _pieces_of(beside) != list(pieces):
        raise UserError(
            "is not the tokenizer that is to be changed",
            where=beside,
            do="give the model that was trained with that one",
        )
    return kind, config


def _pieces_of(file: Path) -> list[str] | None:
    try:
        return [piece for piece, _ in json.loads(file.read_bytes())["model"]["vocab"]]
    except (ValueError, KeyError, TypeError):
        return None


def parameters_a_piece(source: Path) -> int:
    """Return what a model gains with each piece: rows of its tables, tied ones once, and biases."""
    kind, config = architecture(source)
    models = _with_a_piece_more(kind, config)
    less, more = (sum(one.numel() for one in model.parameters()) for model in models)
    return more - less


def _refit(
    model: PreTrainedModel, tensors: set[str], kept: Sequence[int], vectors: Vectors
) -> None:
    """Put tables of the new vocabulary in place; a tied one is made once and stays tied."""
    made: dict[int, nn.Parameter] = {}
    spread = float(getattr(model.config, "initializer_range", 0.02))
    for name, parameter in _named(model):
        if name not in tensors:
            continue
        if id(parameter) not in made:
            rows = parameter.detach()
            table = torch.cat([rows[list(kept)], new_rows(vectors, rows, spread)])
            made[id(parameter)] = nn.Parameter(table)
        owner, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(owner), attribute, made[id(parameter)])


def _remapped(config: PretrainedConfig, kept: Sequence[int], size: int) -> dict[str, int | None]:
    """Return a config's size and special ids anew; an id beyond the vocabulary means nothing."""
    now = {number: place for place, number in reversed(list(enumerate(kept)))}
    ids = {
        name: number
        for name, number in config.to_dict().items()
        if name.endswith("_token_id") and isinstance(number, int)
    }
    for name, number in ids.items():
        if 0 <= number < config.vocab_size and number not in now:
            raise UserError(f"config.json's {name} {number} is a piece that is not kept")
    padding = ids.get("pad_token_id", size)
    if now.get(padding, padding) != padding:
        # RoBERTa's positions are counted from the padding's id on: their table would be wrong.
        raise UserError("the padding's id must stay what it is")
    return {"vocab_size": size, **{name: now.get(number) for name, number in ids.items()}}
