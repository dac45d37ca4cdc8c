"""Checkpoints: written beside, sealed by sha256, renamed; the newest sound one is taken up."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from thaitok.errors import UserError
from thaitok.folder import MANIFEST, file_facts, move_into_place, write_json

log = logging.getLogger(__name__)

WEIGHTS, MOMENTS, STATE = "model.safetensors", "optimizer.safetensors", "state.json"

Tensors = dict[str, Tensor]


Parameters = Mapping[str, nn.Parameter]
"""A model's parameters as its optimizer was given them, by name: named_parameters has a tied one
once, state_dict twice. After a forward pass the parts of FSDP2 may be other tensors for a while."""


def gather(parameters: Parameters, optimizer: torch.optim.Optimizer) -> tuple[Tensors, Tensors]:
    """Return all weights and AdamW's moments on the CPU; every process has to call it.

    Weights that lie in parts on several devices (FSDP2) are put together, so that a run may go
    on with another number of devices.
    """
    weights: Tensors = {}
    moments: Tensors = {}
    for name, one in parameters.items():
        weights[name] = _whole(one)
        for key, value in optimizer.state[one].items():
            moments[f"{key}.{name}"] = _whole(value)
    return weights, moments


def save_checkpoint(
    folder: Path,
    step: int,
    tensors: tuple[Tensors, Tensors],
    state: dict[str, Any],
    keep: int,
    every: int = 1,
) -> None:
    """Write `folder/step-N` whole or not at all, then delete all but the newest `keep`.

    Of those before it only multiples of `every` are kept: one that a signal made must push out
    none that the run goes back to. Nothing is pickled: weights and AdamW's moments are
    safetensors, the rest is JSON.
    """
    final = folder / f"step-{step}"
    partial = folder / f".step-{step}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, one in zip((WEIGHTS, MOMENTS), tensors, strict=True):
        save_file(one, partial / name)
    write_json(partial / STATE, {"step": step, **state})
    facts = [file_facts(partial / name) for name in (WEIGHTS, MOMENTS, STATE)]
    write_json(partial / MANIFEST, {"files": facts})
    shutil.rmtree(final, ignore_errors=True)
    move_into_place(partial, final)
    found = _newest_first(folder)
    # Later ones were damaged and passed over: they must not count as the newest.
    before = [path for path in found if _step(path) < step and _step(path) % every == 0]
    for path in found:
        if path != final and path not in before[: keep - 1]:
            shutil.rmtree(path)


def newest_checkpoint(folder: Path, every: int = 1) -> Path | None:
    """Return the newest checkpoint whose files are as they were written; None if there is none.

    A damaged one is passed over with a warning, and one whose step is no multiple of `every`.
    """
    for path in _newest_first(folder):
        if _step(path) % every:
            continue
        if _sound(path):
            return path
        log.warning("%s is damaged; taking the checkpoint before it", path)
    return None


def load_checkpoint(
    path: Path, parameters: Parameters, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Put weights and moments of a checkpoint in place and return its state.

    Raises `UserError` when it is of another model.
    """
    weights = load_file(path / WEIGHTS)
    there, here = ({name: one.shape for name, one in s.items()} for s in (weights, parameters))
    if there != here:
        raise UserError("holds the weights of another model", where=path, do="choose another --out")
    moments = load_file(path / MOMENTS)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(_like(parameter, weights[name], parameter.dtype))
            if f"step.{name}" not in moments:  # one that no gradient has reached
                continue
            optimizer.state[parameter] = {
                "step": moments[f"step.{name}"].to(parameter.device, torch.float32),
                **{
                    key: _like(parameter, moments[f"{key}.{name}"], parameter.dtype)
                    for key in ("exp_avg", "exp_avg_sq")
                },
            }
    return read_state(path)


def read_state(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of its run."""
    state: dict[str, Any] = json.loads((path / STATE).read_text(encoding="utf-8"))
    return state


def clear(folder: Path, *, everything: bool) -> None:
    """Remove what a killed save left, or all checkpoints."""
    for path in folder.glob("*step-*" if everything else ".step-*.partial"):
        shutil.rmtree(path)


def _whole(tensor: Tensor) -> Tensor:
    together = getattr(tensor, "full_tensor", None)
    return (together() if together else tensor).detach().cpu().contiguous()


def _like(parameter: Tensor, value: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a value where and in the parts in which its parameter lies."""
    value = value.to(parameter.device, dtype)
    if not hasattr(parameter, "full_tensor"):
        return value.clone()
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(parameter, DTensor)
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)


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
