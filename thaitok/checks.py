"""Whether the files of a model folder fit each other: vocabulary, weights, special ids, length."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

INDEX = "model.safetensors.index.json"

EMBEDDINGS = ("word_embeddings.weight", "embed_tokens.weight", "wte.weight")
"""How the names of the input embeddings end in Hugging Face's models."""

SPECIALS = ("bos", "eos", "pad", "sep", "cls")
"""Special tokens that both config.json (as ids) and tokenizer_config.json (as text) may name."""


def check_tokenizer(folder: Path, names: Sequence[str]) -> list[str]:
    """Return what is wrong with the tokenizer of a folder; `names` are the files that count."""
    problems = [f"there is no {name}; make the folder again" for name in _missing(names, TOKENIZER)]
    if not problems:
        loaded = _load(folder)
        if isinstance(loaded, str):
            problems = [loaded]
        elif "auto_map" in loaded[1]:
            problems = ["tokenizer_config.json asks for remote code (auto_map); take the entry out"]
    return problems


TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def check_model(folder: Path, names: Sequence[str], *, weights: bool = True) -> list[str]:
    """Return what is wrong with a model folder; `names` are the files that count.

    Without `weights` there need be none in safetensors, as in an ONNX folder.
    """
    problems = check_tokenizer(folder, names)
    config = _read(folder / "config.json")
    if config is None:
        return [*problems, "config.json is no JSON object; make the folder again"]
    if "auto_map" in config:
        problems.append("config.json asks for remote code (auto_map); take the entry out")
    if weights:
        problems += _weights(folder, names, config.get("vocab_size"))
    loaded = None if problems and _missing(names, TOKENIZER) else _load(folder)
    if loaded is None or isinstance(loaded, str):
        return problems
    tokenizer, settings = loaded
    problems += _vocabulary(tokenizer, config)
    problems += _special_ids(tokenizer, settings, config)
    if _is_masked_lm(config) and settings.get("mask_token") is None:
        problems.append("tokenizer_config.json names no mask_token, which fill-mask needs; mend it")
    return [*problems, *_length(settings, config)]


def _is_masked_lm(config: Mapping[str, Any]) -> bool:
    return str((config.get("architectures") or [""])[0]).endswith("ForMaskedLM")


def _missing(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [name for name in wanted if name not in names]


def _read(file: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, OSError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _load(folder: Path) -> tuple[Tokenizer, dict[str, Any]] | str:
    """Return the tokenizer and its settings, or what is wrong with them."""
    from tokenizers import Tokenizer

    settings = _read(folder / "tokenizer_config.json")
    if settings is None:
        return "tokenizer_config.json is no JSON object; make the folder again"
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json")), settings
    except Exception as err:  # the library raises nothing more special
        return f"tokenizer.json cannot be loaded ({err}); make the folder again"


def _vocabulary(tokenizer: Tokenizer, config: dict[str, Any]) -> list[str]:
    ids = max(tokenizer.get_vocab().values(), default=-1) + 1
    rows = config.get("vocab_size")
    if isinstance(rows, int) and rows >= ids:
        return []
    return [
        f"config.json has vocab_size {rows}, but the tokenizer gives ids up to {ids - 1}; "
        "publish the model with the tokenizer it was trained with"
    ]


def _special_ids(
    tokenizer: Tokenizer, settings: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    for name in SPECIALS:
        ours, token = config.get(f"{name}_token_id"), settings.get(f"{name}_token")
        token = token.get("content") if isinstance(token, dict) else token
        if ours is None:
            continue
        if not isinstance(token, str):
            yield (
                f"config.json has {name}_token_id {ours}, but tokenizer_config.json names no "
                f"{name}_token; mend it"
            )
            continue
        theirs = tokenizer.token_to_id(token)
        if ours != theirs:
            yield (
                f"config.json has {name}_token_id {ours}, but {token!r} is {theirs} in the "
                "tokenizer; mend config.json"
            )


def room_for_tokens(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens a model reads at once by its config.json; None where it is not said.

    RoBERTa counts positions from the padding id + 1, so those rows are no room for tokens.
    """
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    counted_from_pad = config.get("model_type") in ("roberta", "camembert", "xlm-roberta")
    padding = config.get("pad_token_id")
    before = (padding if isinstance(padding, int) else 0) + 1
    return positions - (before if counted_from_pad else 0)


def _length(settings: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Compare the tokenizer's longest input with the model's positions."""
    room, longest = room_for_tokens(config), settings.get("model_max_length")
    if room is None or (type(longest) is int and 0 < longest <= room):
        return []
    return [
        f"tokenizer_config.json has model_max_length {longest}, but the model has room for {room} "
        f"tokens; set it to {room}, or long text will fail"
    ]


def _weights(folder: Path, names: Sequence[str], vocab_size: object) -> list[str]:
    """Check that every weight file is whole safetensors and holds an embedding row for each id."""
    shards, problems = _shards(folder, names)
    shapes: dict[str, list[int]] = {}
    for shard in shards:
        try:
            shapes |= _shapes(folder / shard)
        except Exception as err:  # SafetensorError is no subclass of anything more special
            problems.append(f"{shard} is no whole safetensors file ({err}); make it again")
    for name, shape in shapes.items():
        if name.endswith(EMBEDDINGS) and shape[0] != vocab_size:
            problems.append(
                f"{name} has {shape[0]} rows, but config.json has vocab_size {vocab_size}; "
                "save model and config together"
            )
    return problems


def _shards(folder: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the weight files, and what is wrong with the list of them."""
    if INDEX not in names:
        if "model.safetensors" in names:
            return ["model.safetensors"], [
                f"{name} is named by no {INDEX}; take it out"
                for name in names
                if name.endswith(".safetensors") and name != "model.safetensors"
            ]
        return [], ["there are no weights: no model.safetensors; save the model as safetensors"]
    index = (_read(folder / INDEX) or {}).get("weight_map")
    if not isinstance(index, dict):
        return [], [f"{INDEX} has no weight_map; save the model again"]
    wanted = sorted({str(shard) for shard in index.values()})
    missing = _missing(names, wanted)
    problems = [f"{shard} is missing, but {INDEX} names it" for shard in missing]
    problems += [
        f"{name} is named by no {INDEX}; take it out"
        for name in names
        if name.endswith(".safetensors") and name not in wanted
    ]
    return [shard for shard in wanted if shard not in missing], problems


def _shapes(file: Path) -> dict[str, list[int]]:
    """Read the shapes from the header of a safetensors file, without its weights."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as tensors:
        return {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
