"""What is converted: a SentencePiece file, a folder, or a download from the Hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaitok.download import HUB_NAME, download_model
from thaitok.errors import UserError
from thaitok.tokenizer_json import SPM_FILE, TOKENIZER_FILE

SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"


@dataclass(frozen=True, slots=True)
class Source:
    """The files to convert; what there is none of is empty or None."""

    where: Path
    model: Path
    """The SentencePiece model."""
    config: dict[str, Any] | None
    """config.json, None without one."""
    settings: Mapping[str, Any]
    """tokenizer_config.json."""
    added: Mapping[str, int]
    """Tokens with ids of their own."""
    weights: tuple[Path, ...] = ()
    """Weight files: safetensors, else pickles of PyTorch."""
    index: Path | None = None
    """The index of safetensors in several files."""
    table: Mapping[str, int] | None = None
    """The ids of a unigram tokenizer.json, None without one."""

    def files(self) -> list[Path]:
        """Return all files that the result depends on."""
        names = ("config.json", "tokenizer_config.json", "added_tokens.json", TOKENIZER_FILE)
        folder = [] if self.where.is_file() else [self.where / name for name in names]
        more = [self.index] if self.index else []
        return [self.model, *(one for one in folder if one.is_file()), *self.weights, *more]


def find_source(source: str) -> Source:
    """Find what is to be converted; `UserError` where it is not there or not whole."""
    path = Path(source).expanduser()
    if path.is_file():
        return Source(path, path, None, {}, {})
    if not path.is_dir() and not HUB_NAME.fullmatch(source):
        raise UserError("no such file or folder", where=source)
    folder = path if path.is_dir() else download_model(source)
    if (folder / SPM_FILE).is_file() and (folder / TOKENIZER_FILE).is_file():
        do = "AutoTokenizer loads it, and `thaitok extend` takes it, as it is"
        raise UserError("is a tokenizer folder of thaitok already", where=folder, do=do)
    config = _read(folder / "config.json")
    settings = _read(folder / "tokenizer_config.json") or {}
    weights, index = _weights(folder)
    if weights and config is None:
        raise UserError("has weights but no config.json", where=folder)
    return Source(
        folder,
        _model(folder),
        config,
        settings,
        _added(folder, settings),
        weights,
        index,
        _table(_read(folder / TOKENIZER_FILE)),
    )


def _model(folder: Path) -> Path:
    found = sorted(folder.glob("*.model"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.name for one in found)
        raise UserError(f"has several SentencePiece models: {names}", where=folder, do="give one")
    if (folder / "tokenizer.json").is_file():
        raise UserError(
            "has a tokenizer.json and no SentencePiece model",
            where=folder,
            do="nothing is to be converted: AutoTokenizer loads it as it is",
        )
    raise UserError("has no SentencePiece model (*.model)", where=folder)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError("is no JSON object", where=path)
    return value


def _added(folder: Path, settings: Mapping[str, Any]) -> dict[str, int]:
    """Return tokens with ids of their own, of added_tokens.json and of its newer form."""
    found = dict(_read(folder / "added_tokens.json") or {})
    newer = settings.get("added_tokens_decoder")
    for number, token in (newer if isinstance(newer, dict) else {}).items():
        if isinstance(token, dict) and str(number).isdecimal():
            found.setdefault(str(token.get("content")), int(number))
    if wrong := [one for one, number in found.items() if type(number) is not int or number < 0]:
        raise UserError(f"the id of {wrong[0]!r} is no number", where=folder / "added_tokens.json")
    return found


def _table(pipeline: Mapping[str, Any] | None) -> dict[str, int] | None:
    """Return the ids that a tokenizer.json gives; those that added tokens state count."""
    try:
        model = (pipeline or {})["model"]
        found = {str(text): number for number, (text, _) in reversed([*enumerate(model["vocab"])])}
        added = (pipeline or {})["added_tokens"]
        return found | {str(one["content"]): int(one["id"]) for one in added}
    except (KeyError, TypeError, ValueError):  # none, or no unigram's
        return None


def _weights(folder: Path) -> tuple[tuple[Path, ...], Path | None]:
    """Return the weight files and the index that is to be kept with them."""
    for single, index in ((SAFE, SAFE_INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / index).is_file():
            shards = (_read(folder / index) or {}).get("weight_map")
            if not isinstance(shards, dict) or not shards:
                raise UserError("has no weight_map", where=folder / index)
            names = sorted({Path(str(one)).name for one in shards.values()})
            if missing := [one for one in names if not (folder / one).is_file()]:
                do = "download it again, whole"
                raise UserError(f"is missing, but {index} names it", where=missing[0], do=do)
            kept = folder / index if index == SAFE_INDEX else None
            return tuple(folder / one for one in names), kept
        if (folder / single).is_file():
            return (folder / single,), None
    return (), None
