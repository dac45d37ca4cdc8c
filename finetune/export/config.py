"""The config of an export, and what its checks say."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from thaitok.config import Config


class ExportConfig(Config):
    """An export of a model to ONNX."""

    model: str
    """A Hugging Face encoder folder, a run/ or result/ folder, or a name on the Hub."""
    out: Path
    """The folder to write."""
    quantize: Literal["int8"] | None = None
    """Write a second file, whose matrices are 8-bit integers."""
    data: Path | None = None
    """Gold rows of the model's task, as `thaitok finetune --data-dir` reads them: each file is
    scored on them. Take validation rows."""
    task: str | None = None
    """The name out of `thaitok tasks` by which to read them, for a benchmark whose labels or
    columns have names of their own; by default the model's kind of task."""
    texts: Path | None = None
    """A file of your own text, a text a line, to check the logits on; by default the texts of
    `data`, else lines that come with thaitok."""


class Variant(Config):
    """One form of the model, beside PyTorch in fp32."""

    file: str
    bytes: int = Field(description="Size of the weights with the graph.")
    max_difference: float
    """The largest difference of a logit."""
    mean_difference: float
    agreement: float | None
    """Share of the choices (the best label, of each piece or text) that are the same."""
    batch_1_ms: float
    """Median time of a text alone, in milliseconds."""
    batch_8_ms: float
    """Median time of a batch of eight."""
    scores: dict[str, float] = Field(default_factory=dict)
    """The task's figures on `data`, in 0..1."""


class Checks(Config):
    """What was found of each form of the model; checks.json."""

    windows: int
    """Windows of text that logits were compared on, alone and in padded batches."""
    longest: int
    """Pieces of the longest one: as many as the model reads."""
    threads: int
    """Threads of PyTorch and of ONNX Runtime alike."""
    rows: int
    """Gold rows that were scored."""
    variants: dict[str, Variant]
    """pytorch, onnx, onnx_int8."""
