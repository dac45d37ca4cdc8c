"""Models: found in a folder or on the Hub, measured, opened with a head, and fed in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from finetune.model.head import Logits, outputs_of
from finetune.model.windows import Window
from thaitok.download import HUB_NAME, download_model
from thaitok.errors import UserError
from thaitok.folder import MANIFEST
from thaitok.quiet import quiet

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
           "pytorch_model.bin.index.json")  # fmt: skip


RANDOM = "random:"
"""Before a model's name: its architecture and tokenizer, with weights drawn anew."""


def find_model(model: str) -> Path:
    """Return the folder of a model: itself, the model/ inside a run or result, or a download.

    Raises `UserError` when it is missing, unfinished, of another stage, or without weights.
    """
    model = model.removeprefix(RANDOM)
    folder = Path(model).expanduser()
    if not folder.exists():
        if (folder.parent / f".{folder.name}.partial").exists():
            raise UserError(
                "is unfinished", where=folder, do="run the command that makes it once more"
            )
        if HUB_NAME.fullmatch(model):
            return download_model(model)
        raise UserError("no such model folder", where=folder)
    if not (folder / "config.json").is_file() and (folder / "model" / "config.json").is_file():
        folder = folder / "model"
    if not (folder / "config.json").is_file():
        kind = "no finished model folder" if (folder / "checkpoints").exists() else "no model"
        kind = "another stage's folder" if (folder / MANIFEST).is_file() else kind
        raise UserError(
            f"is {kind}: it has no config.json", where=folder, do="give a Hugging Face folder"
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise UserError(f"has no weights: no {WEIGHTS[0]}", where=folder)
    return folder


def is_hub_name(model: str) -> bool:
    """Say whether a model is named by its place on the Hub, not by a folder here."""
    return not Path(model).expanduser().exists() and bool(HUB_NAME.fullmatch(model))


def weight_files(folder: Path) -> list[str]:
    """Return the names of the files that hold a model's weights."""
    kinds = ("*.safetensors", "pytorch_model*.bin")
    return sorted(file.name for kind in kinds for file in folder.glob(kind))


NO_LIMIT = 1 << 30
"""A wanted window length that leaves it to the model and the tokenizer."""


def pick_device(device: str) -> str:
    """Return the device to compute on: the one named, or for auto the fastest here."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(device: str) -> None:
    """Raise `UserError` for a device that is not here."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not here.get(device, True):
        raise UserError(f"no {device} device here", do="leave device out")


def model_name(model: str) -> str:
    """Return the name to call a model by: its Hub name, or its folder's without the path."""
    mark = RANDOM if model.startswith(RANDOM) else ""
    model = model.removeprefix(RANDOM)
    folder = Path(model).expanduser()
    if not folder.exists():
        return mark + model
    resolved = folder.resolve()
    return mark + (resolved.parent.name if resolved.name == "model" else resolved.name)


def open_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Open a tokenizer; `UserError` when it has no fast backend, which knows character offsets."""
    with quiet(), explained(folder):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if not isinstance(tokenizer, PreTrainedTokenizerBase) or not tokenizer.is_fast:
        raise UserError(
            "the tokenizer has no fast backend (no tokenizer.json)",
            where=folder,
            do="give a model whose tokenizer has one",
        )
    return tokenizer


@dataclass(frozen=True, slots=True)
class Size:
    """A model's parameters (without a head), and how many pieces it reads at once at most."""

    parameters: int
    pieces: int


def measure(folder: Path) -> Size:
    """Measure a model by its config alone: nothing is loaded."""
    with quiet(), explained(folder):
        config = transformers.AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            model = transformers.AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    parameters = sum(weight.numel() for weight in model.parameters())
    return Size(parameters, _positions(config, model))


def _positions(config: PretrainedConfig, model: PreTrainedModel) -> int:
    """Return the pieces that have a position: RoBERTa's count begins after the padding's."""
    positions = int(getattr(config, "max_position_embeddings", None) or 512)
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return positions if padding is None else positions - padding - 1


def window_length(size: Size, tokenizer: PreTrainedTokenizerBase, wanted: int) -> int:
    """Return how many pieces a window may have: as wanted, as the tokenizer says, as fits.

    A tokenizer's own limit is not to be trusted alone: many say 1e30.
    """
    length = min(wanted, size.pieces, tokenizer.model_max_length)
    if length <= tokenizer.num_special_tokens_to_add():
        raise UserError(f"max_length = {length} leaves no room for text")
    return length


def open_model(
    folder: Path, kind: type[Any], *, fresh: bool = False, **settings: Any
) -> PreTrainedModel:
    """Open a model with a head of `kind` (an Auto class), in fp32.

    `settings` go into its config; a head of another size is made anew, and all weights where
    `fresh`.
    """
    with quiet(), explained(folder):
        config = transformers.AutoConfig.from_pretrained(folder)
        for name, value in settings.items():
            setattr(config, name, value)
        if fresh:
            model = kind.from_config(config, dtype=torch.float32)
        else:
            model = kind.from_pretrained(
                folder, config=config, dtype=torch.float32, ignore_mismatched_sizes=True
            )
    assert isinstance(model, PreTrainedModel)
    return model


def read_config(folder: Path) -> PretrainedConfig:
    """Read a model's config."""
    with quiet(), explained(folder):
        found: PretrainedConfig = transformers.AutoConfig.from_pretrained(folder)
    return found


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Return rows of ids as one tensor (rows, longest), filled up with `value`."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])


def forward(
    model: PreTrainedModel, windows: Sequence[Window], *, batch_size: int, pad_id: int
) -> Iterator[tuple[int, Logits]]:
    """Yield each window's index and logits: (pieces, outputs), or (outputs,) of a whole text.

    Windows are taken by length, longest first, so that little is padding and memory gives out
    at once or never.
    """
    order = sorted(range(len(windows)), key=lambda index: (-len(windows[index].ids), index))
    training = model.training
    model.train(False)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        inputs = model_inputs(model, [windows[index] for index in batch], pad_id)
        with torch.inference_mode():
            logits = outputs_of(model, **inputs).float().cpu().numpy()
        for row, index in enumerate(batch):
            found = logits[row]
            yield index, found[: len(windows[index].ids)] if found.ndim == 2 else found
    model.train(training)


def model_inputs(
    model: PreTrainedModel, windows: Sequence[Window], pad_id: int
) -> dict[str, Tensor]:
    """Return a batch on the model's device: ids and mask (windows, longest), types for BERT."""
    inputs = {
        "input_ids": pad([window.ids for window in windows], pad_id),
        "attention_mask": pad([[1] * len(window.ids) for window in windows], 0),
    }
    if takes_types(model) and windows[0].types:
        inputs["token_type_ids"] = pad([window.types for window in windows], 0)
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


def takes_types(model: PreTrainedModel) -> bool:
    """Whether a model tells segments apart, as BERT does; RoBERTa has one type only."""
    return getattr(model.config, "type_vocab_size", 1) > 1


def all_logits(
    model: PreTrainedModel,
    rows: Sequence[Sequence[Window]],
    *,
    batch_size: int,
    pad_id: int,
) -> list[list[Logits]]:
    """Return the logits of each row's windows."""
    flat = [window for windows in rows for window in windows]
    found: dict[int, Logits] = dict(forward(model, flat, batch_size=batch_size, pad_id=pad_id))
    numbers = iter(range(len(flat)))
    return [[found[next(numbers)] for _ in windows] for windows in rows]


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the padding id; 0 where there is none, since padding is masked anyway."""
    return int(tokenizer.pad_token_id or 0)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what a damaged or foreign folder makes the libraries raise into a `UserError`."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as err:
        said = str(err).strip().splitlines() or [type(err).__name__]
        raise UserError(f"cannot be opened as a model: {said[0]}", where=folder) from err
