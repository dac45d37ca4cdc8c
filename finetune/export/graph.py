"""ONNX graphs: a model traced with any batch and length, and its matrices as 8-bit integers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from finetune.model import models
from thaitok.errors import UserError
from thaitok.quiet import quiet

TRACED = (3, 7)
"""Batch and length of the traced example: torch.export would take a 0 or 1 for a constant."""

ONE_FILE = 1_900_000_000
"""Bytes of weights up to which the graph holds them itself: protobuf ends at 2 GiB."""

EXTERNAL = ".data"
"""What is added to a graph's name for the file with its weights, of a larger model."""

NOISE = (
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # torch 2.13 of its own code
    r"# The axis name: \w+ will not be used",  # all inputs share batch and length, as they must
)


def require_onnx() -> None:
    """Raise `UserError` where the packages of the extra `onnx` are missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as err:
        raise UserError(
            f"an export needs onnx, onnxscript and onnxruntime ({err.name} is missing)",
            do="pip install 'thaitok[onnx]'",
        ) from None


class Traced(torch.nn.Module):
    """A model as a graph wants it: tensors in by position, tensors out."""

    def __init__(self, model: PreTrainedModel, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        found = self.model(**dict(zip(self.inputs, tensors, strict=True)))
        return tuple(found[name] for name in output_names(found))


def output_names(found: Any) -> tuple[str, ...]:
    """Name what a model says, as optimum and transformers.js do."""
    if "start_logits" in found:
        return ("start_logits", "end_logits")
    return ("logits",) if "logits" in found else ("last_hidden_state",)


def input_names(model: PreTrainedModel) -> tuple[str, ...]:
    """Name what a graph takes, all (batch, length) int64; the types for BERT's kin alone."""
    types = ("token_type_ids",) if models.takes_types(model) else ()
    return ("input_ids", "attention_mask", *types)


def write_graph(model: PreTrainedModel, path: Path, longest: int) -> None:
    """Write a model as ONNX in fp32, for any batch and up to `longest` pieces.

    The bytes are the same each time. Raises `UserError` for an architecture that torch.onnx
    cannot trace.
    """
    program = _traced(model, longest)
    for node in program.model.graph:
        # torch notes its stack there: the paths of this machine, and 867 notes for three layers.
        node.metadata_props.clear()
    weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    program.save(path, external_data=weights > ONE_FILE)


def _traced(model: PreTrainedModel, longest: int) -> Any:
    inputs = input_names(model)
    ids = torch.arange(TRACED[0] * TRACED[1]).reshape(TRACED) % model.config.vocab_size
    mask = torch.ones(TRACED, dtype=torch.long)
    example = (ids, mask, torch.zeros_like(ids))[: len(inputs)]
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=longest)}
    with quiet(), _silent(), _eager(model), torch.no_grad():
        names = output_names(model(**dict(zip(inputs, example, strict=True))))
        try:
            return torch.onnx.export(
                Traced(model, inputs).eval(),
                example,
                dynamo=True,
                input_names=inputs,
                output_names=names,
                dynamic_shapes=((axes,) * len(inputs),),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as err:
            kind = type(model).__name__
            said = str(err.__cause__ or err).strip().splitlines()[0][:200]
            raise UserError(f"torch.onnx cannot export {kind}: {said}") from err


@contextmanager
def _eager(model: PreTrainedModel) -> Iterator[None]:
    """Trace attention as plain sums and products.

    As scaled_dot_product_attention the graph has guards against rows masked whole and ran 7 %
    slower (three layers of 192, texts of wisesight: 0.68 ms beside 0.64 ms; int8 0.57 and 0.53).
    """
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def _silent() -> Iterator[None]:
    """Silence what tracing tells: torchvision is not installed, each constant shared, `NOISE`."""
    noisy = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in noisy]
    for logger in noisy:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)


def quantize(source: Path, path: Path) -> None:
    """Write a graph's matrices and embeddings as 8-bit integers; activations follow at run time.

    Scales by column and 7 of the 8 bits: with all 8, products overflow on CPUs without VNNI
    (AVX2's vpmaddubsw sums pairs in 16 bits). Measured on such a CPU, on 300 validation texts of
    wisesight, mean logit difference and milliseconds a text: 0.007 and 0.54; 8 bits by column
    0.026 and 0.53, by matrix 0.018 and 0.51; unsigned 0.007 and 0.56. A base model takes 35 ms, 36,
    34 and 43. Embeddings left in fp32 would be 8.0 MB of 3.3. Fusing layers beforehand
    (onnxruntime.transformers) changed no time by more than 4 %, and gave operators that only ONNX
    Runtime knows.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    nowhere = logging.NullHandler()  # without any handler the library would set one up for good
    root.addFilter(_nothing)  # it tells of every tensor, on the root logger
    root.addHandler(nowhere)
    try:
        quantize_dynamic(
            source, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    finally:
        root.removeHandler(nowhere)
        root.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False
