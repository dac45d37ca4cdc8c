"""A model's weights, bit for bit: safetensors copied, PyTorch's pickles read as tensors alone."""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaitok.convert.source import SAFE
from thaitok.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def write_weights(files: Sequence[Path], index: Path | None, folder: Path) -> int:
    """Write weights into a folder as safetensors; return how many parameters they hold.

    Raises `UserError` for a file that is cut short or no plain state dict.
    """
    if files[0].suffix == ".safetensors":
        total = sum(map(_count, files))
        for file in (*files, *([index] if index else ())):
            shutil.copyfile(file, folder / file.name)
        return total
    from safetensors.torch import save_file

    state: dict[str, Tensor] = {}
    for file in files:
        state |= read_state(file)
    state = _once(state)
    partial = folder / f".{SAFE}.partial"
    save_file(state, partial, metadata={"format": "pt"})
    partial.replace(folder / SAFE)
    return sum(one.numel() for one in state.values())


def _count(file: Path) -> int:
    from math import prod

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            return sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as err:
        do = "download it again, whole"
        raise UserError(f"is no whole safetensors file: {err}", where=file, do=do) from None


def read_state(file: Path) -> dict[str, Tensor]:
    """Read a PyTorch file that holds tensors by name and nothing else.

    `weights_only` builds tensors and plain containers: no code of the file's own is run.
    """
    import torch

    try:
        try:
            found: Any = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as err:
            if "mmap can only be used" not in str(err):
                raise
            # A file of PyTorch before 1.6, which is no archive.
            found = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as err:
        said = (str(err).strip().splitlines() or [type(err).__name__])[0]
        do = "download it again, or save it as safetensors where it came from"
        raise UserError(f"is no whole state dict: {said}", where=file, do=do) from None
    if not isinstance(found, dict) or not found or not all(map(torch.is_tensor, found.values())):
        raise UserError("is no plain state dict: more than tensors by name", where=file)
    return {str(name): tensor for name, tensor in found.items()}


TIED = re.compile(r"(^|\.)(decoder\.weight|decoder\.bias|lm_head\.weight)$")
"""Names that transformers gives up for the other one where two weights are tied."""


def _once(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keep each tensor under one name, that which transformers keeps.

    Views of one storage that are not the same become tensors of their own.
    """
    seen = set()
    kept: dict[str, Tensor] = {}
    for name, tensor in sorted(state.items(), key=lambda item: bool(TIED.search(item[0]))):
        storage = tensor.untyped_storage().data_ptr()
        place = (storage, tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
        if tensor.numel() and place in seen:
            continue
        whole = tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
        kept[name] = tensor if whole and tensor.is_contiguous() else tensor.clone().contiguous()
        seen.add(place)
    return kept
