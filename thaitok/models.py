"""Hugging Face model folders: their class, config and weights, without pickles or remote code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import torch
import transformers
from transformers import PretrainedConfig, PreTrainedModel

from thaitok.errors import UserError
from thaitok.quiet import quiet

M = TypeVar("M", bound=PreTrainedModel)


def architecture(source: Path) -> tuple[type[PreTrainedModel], PretrainedConfig]:
    """Return a model's class and config, without loading it.

    Raises `UserError` for a folder without a config.json, and for one that names no architecture
    of transformers' own.
    """
    path = source / "config.json"
    try:
        names = json.loads(path.read_text(encoding="utf-8")).get("architectures") or []
        with quiet():
            config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False)
    except FileNotFoundError:
        raise UserError("is no model: it has no config.json", where=source) from None
    except json.JSONDecodeError:
        raise UserError("is not JSON", where=path) from None
    except (ValueError, AttributeError) as err:
        raise UserError(f"is no config that transformers knows: {err}", where=path) from None
    kind = getattr(transformers, names[0], None) if names else None
    if not (isinstance(kind, type) and issubclass(kind, PreTrainedModel)):
        said = f"names {names[0]!r}, no model" if names else "names no architecture"
        raise UserError(f"{said} that transformers knows", where=path)
    return kind, config


def require_safetensors(source: Path) -> None:
    """Raise `UserError` for a model folder without safetensors."""
    if not any(source.glob("*.safetensors")):
        pickled = any(source.glob("*.bin"))
        do = "bring it over with `thaitok convert` first" if pickled else "give a model's folder"
        raise UserError("has no weights as safetensors", where=source, do=do)


def load_model(source: Path, kind: type[M], dtype: torch.dtype | None = None) -> M:
    """Load a model from safetensors, in a type or in that of its weights.

    Raises `UserError` when a weight is missing or has another shape than its config says.
    """
    try:
        with quiet():
            loaded: Any = kind.from_pretrained(
                source,
                dtype=dtype or "auto",
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (RuntimeError, OSError) as err:
        raise UserError(f"cannot be loaded: {err}", where=source) from None
    model: M = loaded[0]
    if missing := sorted(loaded[1]["missing_keys"]):
        raise UserError(f"has no weights for {', '.join(missing)}", where=source)
    return model
