"""What a pretraining run is: model, data, masking, optimisation, and the run itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from thaitok.config import Config

PRESETS = Path(__file__).parent / "configs"
"""Folder of the presets, one TOML each."""


class ModelConfig(Config):
    """Size of the encoder, in RoBERTa's terms (arXiv 1907.11692)."""

    type: Literal["roberta"] = "roberta"
    """Architecture, as transformers calls it."""
    layers: int = Field(default=12, ge=1)
    hidden: int = Field(default=768, ge=8)
    heads: int = Field(default=12, ge=1)
    intermediate: int = Field(default=3072, ge=8)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Of hidden states and of attention."""
    layer_norm_eps: float = Field(default=1e-5, gt=0)

    @model_validator(mode="after")
    def _heads_divide(self) -> ModelConfig:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        return self


class MaskConfig(Config):
    """Which tokens are to be predicted (BERT's rule, arXiv 1810.04805 §3.1)."""

    probability: float = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens that are predicted."""
    masked: float = Field(default=0.8, ge=0, le=1)
    """Share of these that become `<mask>`."""
    random: float = Field(default=0.1, ge=0, le=1)
    """Share of these that become a random piece; the rest stays."""

    @model_validator(mode="after")
    def _shares_fit(self) -> MaskConfig:
        if self.masked + self.random > 1:
            raise ValueError("masked and random add up to more than 1")
        return self


class OptimConfig(Config):
    """AdamW with linear warm-up and linear decay to zero."""

    learning_rate: float = Field(default=3e-4, gt=0)
    """At the end of the warm-up."""
    warmup_steps: int = Field(default=0, ge=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.98, ge=0, lt=1)
    eps: float = Field(default=1e-6, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    """Of matrices; biases and layer norms do not decay."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Rate of each layer as a share of the one above it; 1.0: all have the same."""
    unfreeze_every: int = Field(default=0, ge=0)
    """Steps until the next layer from the top begins to learn; 0: all from the first step."""


class PretrainConfig(Config):
    """A pretraining run."""

    shards: Path
    """A shards folder."""
    out: Path
    """The run folder to make."""
    start: Path | None = None
    """A Hugging Face masked-LM folder to go on from; none: random weights."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    steps: int = Field(ge=1)
    """Updates of the weights."""
    sequence_length: int = Field(default=416, ge=8)
    """Tokens of a row, `<s>` and `</s>` included; longer documents are split, never cut off."""
    batch_rows: int = Field(default=256, ge=1)
    """Rows of an update, over all devices and accumulated micro-batches."""
    micro_rows: int = Field(default=32, ge=1)
    """Rows that one device takes at once."""
    eval_share: float = Field(default=0.01, gt=0, lt=0.5)
    """Share of the documents held out for evaluation."""
    eval_rows: int = Field(default=256, ge=1)
    """Rows evaluated at most."""
    eval_every: int = Field(default=1000, ge=1)
    """Steps between evaluations."""
    save_every: int = Field(default=1000, ge=1)
    """Steps between checkpoints."""
    log_every: int = Field(default=10, ge=1)
    """Steps between lines of metrics.jsonl."""
    keep: int = Field(default=2, ge=2)
    """Checkpoints kept; two at least, so that a damaged one leaves another."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 where the device computes it, else fp32."""
    model: ModelConfig | None = None
    """Size of a model with random weights; one to go on from has its own."""
    mask: MaskConfig = MaskConfig()
    optim: OptimConfig = OptimConfig()

    @model_validator(mode="before")
    @classmethod
    def _random_weights_have_a_size(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("start") is not None:
            return values
        return {**values, "model": values.get("model") or {}}

    @model_validator(mode="after")
    def _fits(self) -> PretrainConfig:
        if self.start is not None and self.model is not None:
            raise ValueError("model is given beside start, whose own config counts")
        if self.start is None and (self.optim.layer_decay < 1 or self.optim.unfreeze_every):
            raise ValueError(
                "optim.layer_decay and optim.unfreeze_every are for a model to go on from, and no"
                " start is given"
            )
        if self.batch_rows % self.micro_rows:
            raise ValueError(
                f"batch_rows {self.batch_rows} is not a multiple of micro_rows {self.micro_rows}"
            )
        if self.optim.warmup_steps > self.steps:
            raise ValueError(f"optim.warmup_steps is more than the {self.steps} steps")
        return self
