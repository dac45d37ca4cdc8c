"""Exports: a model in, a folder with its ONNX graphs, checks and card out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from transformers import PreTrainedModel

from finetune.data.kinds import KINDS
from finetune.data.rows import Example
from finetune.export.card import write_export_card
from finetune.export.check import Open, compare, score_rows, time_models, windows_of
from finetune.export.config import Checks, ExportConfig, Variant
from finetune.export.graph import EXTERNAL, quantize, require_onnx, write_graph
from finetune.export.session import open_graph
from finetune.export.source import Source, copy_rest, gold_rows, open_source, texts_of
from finetune.model import models
from finetune.model.windows import Window
from thaitok.errors import UserError
from thaitok.folder import (
    TOKENIZER_FILES,
    FileFacts,
    Job,
    file_facts,
    package_versions,
    stage_job,
    write_json,
)

log = logging.getLogger("thaitok")

FP32, INT8 = "onnx/model.onnx", "onnx/model_int8.onnx"
"""Where transformers.js and optimum look for them."""

NEAR = 1e-4
"""The largest difference of a logit from PyTorch's that an export in fp32 may have.

Of logits over 10, which fp32 itself knows no closer, a hundred-thousandth of the largest.
"""

VERSIONS = ("torch", "transformers", "tokenizers", "onnx", "onnxscript", "onnxruntime")


def export_model(config: ExportConfig) -> Checks:
    """Write a model as ONNX, checked against the model, and return what the checks say.

    A finished folder is left as it is. Raises `UserError` for a folder without a model or head,
    an architecture that cannot be traced, gold rows of another kind, a graph that says other
    than its model, and without the extra `onnx`.
    """
    require_onnx()
    folder = models.find_model(config.model)
    for file in (config.data, config.texts):
        if file is not None and not file.is_file():
            raise UserError("no such file", where=file)
    recorded = {
        "model": models.model_name(config.model),
        **config.model_dump(mode="json", include={"quantize", "task"}),
    }
    with stage_job(config.out, "export", recorded, _inputs(folder, config)) as job:
        if job.done is None:
            _write(job, config, folder)
        return Checks.model_validate_json((job.out / "checks.json").read_bytes())


def _inputs(folder: Path, config: ExportConfig) -> list[FileFacts]:
    names = sorted({"config.json", *TOKENIZER_FILES, *models.weight_files(folder)})
    own = {"data": config.data, "texts": config.texts}
    return [
        *(file_facts(folder / name, f"model/{name}") for name in names
          if (folder / name).is_file()),
        *(file_facts(file, f"{role}/{file.name}") for role, file in own.items() if file),
    ]  # fmt: skip


def _write(job: Job, config: ExportConfig, folder: Path) -> None:
    source = open_source(folder)
    rows = gold_rows(source, config)
    windows = windows_of(source.tokenizer, texts_of(config, rows), source.length)
    (job.work / "onnx").mkdir(exist_ok=True)
    log.info("tracing %s", type(source.model).__name__)
    write_graph(source.model, job.work / FP32, source.length)
    files = {"onnx": FP32}
    if config.quantize:
        log.info("quantising to %s", config.quantize)
        quantize(job.work / FP32, job.work / INT8)
        files["onnx_int8"] = INT8
    copy_rest(source, job.work)
    checks = _check(job.work, source, files, windows, rows)
    write_json(job.work / "checks.json", checks)
    versions = package_versions(*VERSIONS)
    write_export_card(job.work, source, config, checks, versions)
    job.finish({"windows": checks.windows, "rows": checks.rows}, versions)


def _check(
    out: Path,
    source: Source,
    files: dict[str, str],
    windows: Sequence[Window],
    rows: Sequence[Example],
) -> Checks:
    graphs = {name: open_graph(out / file, source.model) for name, file in files.items()}
    compared = compare(source.kind, source.model, graphs, windows, source.pad)
    fp32 = compared["onnx"]
    limit = NEAR * max(1.0, fp32.size / 10)
    if not fp32.largest <= limit:  # NaN is far too
        what = f"the graph's logits differ from the model's by {fp32.largest:.2g}, over {limit:.2g}"
        raise UserError(f"{what}: not exported", where=source.folder)
    scores = _scores({"pytorch": source.model, **graphs}, source, rows)
    graphs.clear()
    opens: list[Open] = [lambda: source.model]
    opens += [partial(open_graph, out / file, source.model, alone=True) for file in files.values()]
    times = dict(zip(scores, time_models(opens, windows, source.pad), strict=True))
    variants = {}
    for name, (alone, eight) in times.items():
        found = compared.get(name)
        variants[name] = Variant(
            file=files.get(name, ""),
            bytes=_size(out / files[name]) if name in files else _size_of(source.model),
            max_difference=found.largest if found else 0.0,
            mean_difference=found.mean if found else 0.0,
            agreement=found.agreement if found else None,
            batch_1_ms=round(alone, 3),
            batch_8_ms=round(eight, 3),
            scores=scores[name],
        )
    return Checks(
        windows=len(windows),
        longest=len(windows[-1].ids),
        threads=torch.get_num_threads(),
        rows=len(rows),
        variants=variants,
    )


def _scores(
    of: dict[str, PreTrainedModel], source: Source, rows: Sequence[Example]
) -> dict[str, dict[str, float]]:
    if not rows or source.head is None or source.kind not in KINDS:
        return {name: {} for name in of}
    encoded = source.head.encode(source.tokenizer, rows, source.length)
    return {
        name: score_rows(model, source.kind, source.head, encoded, rows, source.pad)
        for name, model in of.items()
    }


def _size(file: Path) -> int:
    """Return the bytes of a graph, with those of the weights beside it."""
    beside = file.with_name(file.name + EXTERNAL)
    return file.stat().st_size + (beside.stat().st_size if beside.is_file() else 0)


def _size_of(model: PreTrainedModel) -> int:
    return sum(weight.numel() * weight.element_size() for weight in model.parameters())
