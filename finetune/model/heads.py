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

from finetune.model.align import Window
from thaitok.download import HUB_NAME, download_model
from thaitok.errors import UserError
from thaitok.folder import MANIFEST
from thaitok.quiet import quiet

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
           "pytorch_model.bin.index.json")  # fmt: skip


def find_model(model: str) -> Path:
    """Return the folder of a model: itself, the model/ inside a run or result, or a download.

    Raises `UserError` when it is missing, unfinished, of another stage, or without weights.
    """
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
    folder = Path(model).expanduser()
    if not folder.exists():
        return model
    resolved = folder.resolve()
    return resolved.parent.name if resolved.name == "model" else resolved.name


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


def open_model(folder: Path, kind: type[Any] | None = None, **settings: Any) -> PreTrainedModel:
    """Open a model with a head of `kind` (an Auto class); by default the head it was saved with.

    `settings` go into its config; a head of another size is made anew.
    """
    with quiet(), explained(folder):
        config = transformers.AutoConfig.from_pretrained(folder)
        if kind is None:
            kind = _saved_head(config, folder)
        for name, value in settings.items():
            setattr(config, name, value)
        model = kind.from_pretrained(
            folder, config=config, dtype=torch.float32, ignore_mismatched_sizes=True
        )
    assert isinstance(model, PreTrainedModel)
    return model


HEADS = {
    "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "ForTokenClassification": transformers.AutoModelForTokenClassification,
    "ForMaskedLM": transformers.AutoModelForMaskedLM,
}
"""The heads that can be read, by the end of the architecture's name."""


def _saved_head(config: PretrainedConfig, folder: Path) -> type[Any]:
    name = (getattr(config, "architectures", None) or ["none"])[0]
    for ending, head in HEADS.items():
        if name.endswith(ending):
            return head
    raise UserError(
        f"has no head to predict with (architecture {name})",
        where=folder,
        do="fine-tune it first with `thaitok finetune`",
    )


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Return rows of ids as one tensor (rows, longest), filled up with `value`."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])


def forward(
    model: PreTrainedModel, windows: Sequence[Window], *, batch_size: int, pad_id: int
) -> Iterator[tuple[int, Tensor]]:
    """Yield each window's index and logits: (pieces, labels), or (labels,) of a whole text.

    Windows are taken by length, longest first, so that little is padding and memory gives out
    at once or never.
    """
    order = sorted(range(len(windows)), key=lambda index: (-len(windows[index].ids), index))
    training = model.training
    model.train(False)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        ids = pad([windows[index].ids for index in batch], pad_id)
        mask = pad([[1] * len(windows[index].ids) for index in batch], 0)
        with torch.inference_mode():
            logits = model(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device)
            ).logits.float()
        for row, index in enumerate(batch):
            yield index, logits[row, : len(windows[index].ids)] if logits.ndim == 3 else logits[row]
    model.train(training)


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
