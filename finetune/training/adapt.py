"""What of a model is trained: all of it, low-rank matrices beside its weights, or its head."""

from __future__ import annotations

import warnings
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from finetune.config import FinetuneConfig
from thaitok.errors import UserError


def adapt(model: PreTrainedModel, config: FinetuneConfig) -> PreTrainedModel:
    """Freeze what is not to be trained. Raises `UserError` for LoRA without peft."""
    if config.probe:
        model.base_model.requires_grad_(False)
        return model
    return _with_lora(model, config.lora_rank) if config.lora else model


def _with_lora(model: PreTrainedModel, rank: int) -> Any:
    """Put low-rank matrices beside every linear layer of the body (Hu et al. 2021)."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise UserError("LoRA needs peft", do="pip install 'thaitok[lora]'") from None
    body = model.base_model_prefix
    heads = [
        name for name, part in model.named_children() if name != body and list(part.parameters())
    ]
    linear = [
        name
        for name, module in model.named_modules()
        if name.startswith(f"{body}.") and isinstance(module, nn.Linear)
    ]
    wanted = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=linear, modules_to_save=heads)
    with warnings.catch_warnings():
        # peft reads a name that transformers 5 calls another one from version 6 on.
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(model, wanted)


def merge(model: Any) -> PreTrainedModel:
    """Return the plain model, LoRA's matrices merged into its weights."""
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    assert isinstance(model, PreTrainedModel)
    return model
