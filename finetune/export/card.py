"""The card of an export: how to run it, and the table of its checks."""

from __future__ import annotations

import json
from pathlib import Path

from finetune.export.config import Checks, ExportConfig
from finetune.export.snippet import snippet
from finetune.export.source import Source
from finetune.model import models
from finetune.model.sequences import SequenceHead
from thaitok.card import Body, Front, pipeline_tag_of, table, write_card

NAMES = {"pytorch": "PyTorch, fp32", "onnx": "ONNX, fp32", "onnx_int8": "ONNX, int8"}
COLUMNS = ("", "size, MB", "ms a text", "ms a batch of 8", "logits differ by", "same choice")


def write_export_card(
    out: Path, source: Source, config: ExportConfig, checks: Checks, versions: dict[str, str]
) -> None:
    """Write the card of an export: a program without PyTorch, and the table."""
    name = models.model_name(config.model)
    described = json.loads((out / "config.json").read_text(encoding="utf-8"))
    write_card(
        out,
        pipeline_tag=pipeline_tag_of(described) or "feature-extraction",
        title=f"{name}, ONNX",
        summary=f"{name} as ONNX, for any batch and up to {source.length} pieces.",
        facts={},
        snippet=_program(source, checks),
        library_name="onnx",
        base_model=config.model,
        front=Front(relation="quantized" if config.quantize else None),
        body=Body(
            needs="`pip install onnxruntime tokenizers numpy` is enough; run it in this folder,\n"
            "which `hf download` fetches.",
            evaluation=_evaluation(checks),
            versions=versions,
        ),
    )


def _program(source: Source, checks: Checks) -> str:
    tokenizer, head = source.tokenizer, source.head
    return snippet(
        source.kind,
        file=[variant.file for variant in checks.variants.values()][-1],
        length=source.length,
        pad_id=source.pad,
        pad_token=str(tokenizer.pad_token or ""),
        mask=str(tokenizer.mask_token),
        pairs=isinstance(head, SequenceHead) and bool(head.pairs),
    ).rstrip()


def checks_table(checks: Checks) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return columns and rows of the table of an export's forms."""
    figures = sorted({name for one in checks.variants.values() for name in one.scores})[:3]
    rows = [
        [
            NAMES[name],
            f"{one.bytes / 1e6:.1f}",
            f"{one.batch_1_ms:.2f}",
            f"{one.batch_8_ms:.2f}",
            f"{one.max_difference:.2g}" if one.file else "",
            "" if one.agreement is None else f"{one.agreement:.2%}",
            *(f"{one.scores[figure]:.4f}" for figure in figures),
        ]
        for name, one in checks.variants.items()
    ]
    return (*COLUMNS, *figures), rows


def _evaluation(checks: Checks) -> str:
    columns, rows = checks_table(checks)
    scored = f" Scores are of {checks.rows:,} gold rows." if checks.rows else ""
    said = (
        f"Against the PyTorch model, on {checks.windows} windows of up to {checks.longest} "
        f"pieces, each alone and in padded batches; times are medians on {checks.threads} CPU "
        f"threads.{scored}"
    )
    return f"{said}\n\n{table(rows, columns, range(1, len(columns)))}"
