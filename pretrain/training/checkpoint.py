"""Checkpoints: written beside, sealed by sha256, renamed; the newest sound one is taken up."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from thaitok.errors import UserError
from thaitok.folder import MANIFEST, file_facts, move_into_place, write_json

log = logging.getLogger(__name__)

WEIGHTS, MOMENTS, STATE = "model.safetensors", "optimizer.safetensors", "state.json"


def save_checkpoint(
    folder: Path,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    keep: int,
) -> None:
    """Write `folder/step-N` whole or not at all, then delete all but the newest `keep`.

    Nothing is pickled: weights and AdamW's moments are safetensors, the rest is JSON.
    """
    final = folder / f"step-{step}"
    partial = folder / f".step-{step}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(_weights(model), partial / WEIGHTS)
    save_file(_moments(model, optimizer), partial / MOMENTS)
    write_json(partial / STATE, {"step": step, **state})
    facts = [file_facts(partial / name) for name in (WEIGHTS, MOMENTS, STATE)]
    write_json(partial / MANIFEST, {"files": facts})
    shutil.rmtree(final, ignore_errors=True)
    move_into_place(partial, final)
    found = _newest_first(folder)
    # Later ones were damaged and passed over: they must not count as the newest.
    ahead = [path for path in found if _step(path) > step]
    for path in (*ahead, *found[len(ahead) + keep :]):
        shutil.rmtree(path)


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint whose files are as they were written; None if there is none.

    A damaged one is passed over with a warning.
    """
    for path in _newest_first(folder):
        if _sound(path):
            return path
        log.warning("%s is damaged; taking the checkpoint before it", path)
    return None


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Put weights and moments of a checkpoint in place and return its state."""
    weights = load_file(path / WEIGHTS)
    parameters = dict(model.named_parameters())
    if weights.keys() != parameters.keys():
        raise UserError("holds the weights of another model", where=path, do="choose another --out")
    moments = load_file(path / MOMENTS)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
            optimizer.state[parameter] = {
                key: _beside(parameter, moments[f"{key}.{name}"], key)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
    state: dict[str, Any] = json.loads((path / STATE).read_text(encoding="utf-8"))
    return state


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("step-*") if path.name[5:].isdigit()]
    return sorted(found, key=_step, reverse=True)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _sound(path: Path) -> bool:
    try:
        facts = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"]
        return all(file_facts(path / one["name"]).model_dump() == one for one in facts)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _weights(model: nn.Module) -> dict[str, Tensor]:
    # named_parameters names a tied weight once, state_dict twice.
    return {name: one.detach().contiguous() for name, one in model.named_parameters()}


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{key}.{name}": value.detach().contiguous()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state[parameter].items()
    }


def _beside(parameter: Tensor, value: Tensor, key: str) -> Tensor:
    # Fused AdamW keeps its step beside the parameter, the moments in the parameter's type.
    return value.to(parameter.device, torch.float32 if key == "step" else parameter.dtype).clone()
