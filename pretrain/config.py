"""What a pretraining run is: model, data, masking, optimisation, and the run itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from thaitok.config import Config

PRESETS = Path(__file__).parent / "configs"
"""Folder of the presets, one TOML each."""


class ModelConfig(Config):
    """Size of the encoder, in RoBERTa's terms (arXiv 1907.11692)."""

    type: str = "roberta"
    """Architecture, as transformers calls it: roberta, bert, albert, electra and modernbert run
    packed; any other with a masked-LM head is padded."""
    layers: int = Field(default=12, ge=1)
    hidden: int = Field(default=768, ge=8)
    heads: int = Field(default=12, ge=1)
    intermediate: int = Field(default=3072, ge=8)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Of hidden states. config.json has it for attention too, where pretraining drops nothing:
    the packed kernels cannot."""
    layer_norm_eps: float = Field(default=1e-5, gt=0)
    embedding: int = Field(default=128, ge=8)
    """Width of ALBERT's factorised table (arXiv 1909.11942 §3.1)."""
    local_window: int = Field(default=128, ge=2)
    """Tokens that a local layer of ModernBERT sees (arXiv 2412.13663 §2.1)."""
    global_every: int = Field(default=3, ge=1)
    """Every how manieth layer of ModernBERT sees the whole document."""

    @model_validator(mode="after")
    def _heads_divide(self) -> ModelConfig:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        return self


class MaskConfig(Config):
    """Which tokens are to be predicted (BERT's rule, arXiv 1810.04805 §3.1)."""

    unit: Literal["token", "word", "span"] = "token"
    """What is masked together: one token, the tokens of a Thai word, or one to three tokens in
    a row."""
    probability: float = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens that are predicted."""
    final_probability: float | None = Field(default=None, gt=0, lt=1)
    """Share at the last step, towards which it moves linearly; none: it stays."""
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
    """AdamW and its rate as a function of the step."""

    learning_rate: float = Field(default=3e-4, gt=0)
    """At the end of the warm-up."""
    schedule: Literal["linear", "cosine", "wsd"] = "linear"
    """How the rate falls after the warm-up; `wsd` keeps it and falls in the last `decay_steps`
    (warm-up, stable, decay; arXiv 2404.06395 §4)."""
    warmup_steps: int = Field(default=0, ge=0)
    decay_steps: int | None = Field(default=None, ge=1)
    """Steps of the fall of `wsd`; none: a tenth of all."""
    final_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rate that is left at the end."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.98, ge=0, lt=1)
    eps: float = Field(default=1e-6, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    """Of matrices; biases and layer norms do not decay."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    stable: bool = False
    """Clip each tensor's update too, as StableAdamW does (arXiv 2304.13013 §3.5)."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Rate of each layer as a share of the one above it; 1.0: all have the same."""
    unfreeze_every: int = Field(default=0, ge=0)
    """Steps until the next layer from the top begins to learn; 0: all from the first step."""


class GuardConfig(Config):
    """What happens to an update whose loss or gradient is no number, or far from the others."""

    spike: float = Field(default=10.0, ge=0)
    """An update is skipped when the gradient's norm is more than so many times its running mean;
    0: only one that is no number is."""
    patience: int = Field(default=8, ge=1)
    """Updates skipped in a row after which the run goes back to its last checkpoint, and on with
    the batches that come after the bad ones."""
    rollbacks: int = Field(default=3, ge=0)
    """How often it may go back before the run ends."""


class RtdConfig(Config):
    """Replaced-token detection (ELECTRA, arXiv 2003.10555)."""

    generator: float = Field(default=0.33, gt=0, le=1)
    """Width of the generator as a share of the model's, in whole heads; a quarter to a half did
    best (§3.2)."""
    weight: float = Field(default=50.0, gt=0)
    """Of the detection's loss beside the generator's; 50 of 1 to 100 did best (appendix A)."""


class DistilConfig(Config):
    """Distillation of self-attention relations (MiniLM, arXiv 2002.10957 and 2012.15828)."""

    teacher: Path
    """A Hugging Face masked-LM folder with the tokenizer of the shards."""
    layer: int | None = Field(default=None, ge=1)
    """Layer of the teacher whose relations the model's last layer learns, from 1; none: the last.
    Of large teachers an upper middle one is better: the 21st of 24 (arXiv 2012.15828)."""
    relation_heads: int = Field(default=48, ge=1)
    """Heads into which queries, keys and values are cut anew, those of the teacher and of the model
    alike (arXiv 2012.15828 §3.1)."""
    mlm_weight: float = Field(default=0.5, gt=0)
    """Of the masked-LM loss beside it; the head and the end of the last layer learn by it alone."""


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
    """Tokens that see each other at most, `<s>` and `</s>` included; longer documents are split,
    never cut off."""
    batch_tokens: int = Field(default=106_496, ge=8)
    """Tokens of an update, over all devices and accumulated micro-batches."""
    batch_warmup_steps: int = Field(default=0, ge=0)
    """Steps over which an update grows from `batch_start_tokens` to `batch_tokens`."""
    batch_start_tokens: int | None = Field(default=None, ge=8)
    """Tokens of the first update; none: as all the others."""
    micro_tokens: int = Field(default=13_312, ge=8)
    """Tokens that one device takes at once."""
    layout: Literal["auto", "stream", "rows"] = "auto"
    """How documents lie in a micro-batch: one stream, or rows of `sequence_length` tokens.
    `auto`: a stream on CUDA, whose attention kernel takes one, else rows."""
    eval_share: float = Field(default=0.01, gt=0, lt=0.5)
    """Share of the documents held out for evaluation."""
    eval_tokens: int = Field(default=106_496, ge=8)
    """Tokens evaluated at most."""
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
    compile: Literal["auto", "layers", "off"] = "auto"
    """Compile the encoder's layers; `auto`: on CUDA."""
    deterministic: bool = False
    """The same bits on CUDA at each run, for a slower attention; on a CPU they are anyway."""
    parallel: Literal["ddp", "fsdp2"] = "ddp"
    """How several devices share the model: a copy each, or a part each."""
    report_to: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ()
    """Trackers that get the metrics too."""
    objective: Literal["mlm", "rtd", "distil"] = "mlm"
    """What is learnt: masked tokens; which tokens a small generator replaced; or masked tokens and
    the relations of a teacher's self-attention."""
    rtd: RtdConfig | None = None
    distil: DistilConfig | None = None
    model: ModelConfig | None = None
    """Size of a model with random weights; one to go on from has its own."""
    mask: MaskConfig = MaskConfig()
    optim: OptimConfig = OptimConfig()
    guard: GuardConfig = GuardConfig()

    @field_validator("report_to", mode="before")
    @classmethod
    def _one_tracker_is_a_list_too(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _random_weights_have_a_size(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("start") is not None:
            return values
        return {**values, "model": values.get("model") or {}}

    @model_validator(mode="before")
    @classmethod
    def _objective_has_its_settings(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("objective") == "rtd":
            return {**values, "rtd": values.get("rtd") or {}}
        if isinstance(values, dict) and values.get("objective") == "distil":
            # Relations are matrices of a document by itself: a stream's would be one of all.
            auto = values.get("layout", "auto") == "auto"
            return {**values, "layout": "rows"} if auto else values
        return values

    @model_validator(mode="after")
    def _objective_fits(self) -> PretrainConfig:
        for name in ("rtd", "distil"):
            if getattr(self, name) is not None and self.objective != name:
                raise ValueError(f'{name} is given, and objective is "{self.objective}"')
        if self.objective != "distil":
            return self
        if self.distil is None:
            raise ValueError('objective "distil" needs distil.teacher, a masked-LM folder')
        if self.layout != "rows":
            raise ValueError('objective "distil" needs layout "rows": relations are a row\'s')
        if self.parallel == "fsdp2":
            raise ValueError('objective "distil" needs parallel "ddp"')
        return self

    @model_validator(mode="after")
    def _start_fits(self) -> PretrainConfig:
        if self.start is not None and self.model is not None:
            raise ValueError(
                "model is given beside start, whose own config counts; take the preset loanword,"
                " or a file without [model]"
            )
        if self.start is None and (self.optim.layer_decay < 1 or self.optim.unfreeze_every):
            raise ValueError(
                "optim.layer_decay and optim.unfreeze_every are for a model to go on from, and no"
                " start is given"
            )
        return self

    @model_validator(mode="after")
    def _batch_fits(self) -> PretrainConfig:
        if self.micro_tokens < self.sequence_length:
            raise ValueError(
                f"micro_tokens {self.micro_tokens} is less than one document of"
                f" sequence_length {self.sequence_length}"
            )
        first = self.batch_start_tokens or self.batch_tokens
        named = "batch_tokens" if self.batch_start_tokens is None else "batch_start_tokens"
        for many, size, few, part in (
            (named, first, "micro_tokens", self.micro_tokens),
            ("batch_tokens", self.batch_tokens, named, first),
        ):
            if size % part:
                raise ValueError(f"{many} {size} is not a multiple of {few} {part}")
        if (self.batch_start_tokens is None) != (self.batch_warmup_steps == 0):
            raise ValueError("batch_start_tokens and batch_warmup_steps are given together")
        return self

    @model_validator(mode="after")
    def _steps_fit(self) -> PretrainConfig:
        optim = self.optim
        decay = (optim.decay_steps or 0) if optim.schedule == "wsd" else 0
        if optim.warmup_steps + decay > self.steps:
            keys = "optim.warmup_steps" + (" and optim.decay_steps" if decay else "")
            raise ValueError(f"{keys}: {optim.warmup_steps + decay} is more than all steps")
        if optim.decay_steps is not None and optim.schedule != "wsd":
            raise ValueError(f'optim.decay_steps is for schedule "wsd", not "{optim.schedule}"')
        return self
