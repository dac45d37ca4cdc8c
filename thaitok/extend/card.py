"""The card of an extended tokenizer or model: from what it comes, and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thaitok.card import (
    Body,
    Front,
    Recipe,
    corpora_section,
    hub_datasets,
    pipeline_tag_of,
    provenance,
    recipes_of,
    short,
    write_card,
)
from thaitok.extend.config import ExtendConfig
from thaitok.folder import TOKENIZER_FILES, Job

NAMED = 20
"""New pieces that a card names."""
EXTENDING: Recipe = "phayathaibert"
UNTRAINED = (
    "The rows of the new pieces are put together from old ones and were never trained: let the "
    "model go on with its pretraining before you judge it."
)


def write_extended_card(
    config: ExtendConfig,
    job: Job,
    counts: Mapping[str, Any],
    added: Sequence[str],
    report: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Write the card into the job's folder; `added` are the new pieces, the most useful first."""
    corpora, model = provenance(config.corpus or config.prune), config.model is not None
    recipes = dict.fromkeys((*recipes_of(config.tokenizer), *recipes_of(job.work), EXTENDING))
    write_card(
        job.work,
        pipeline_tag=_tag(job.work) if model else "",
        title=f"Thai {'encoder with' if model else 'tokenizer of'} {counts['pieces']:,} pieces",
        summary=f"{counts['added']:,} pieces were added to a vocabulary of "
        f"{counts['pieces_before']:,} and {counts['dropped']:,} dropped; all others are as they "
        "were.",
        facts={
            **_origin(config, job),
            **_vocabulary(counts, added),
            **_changes(report, config.script),
            **_model(config, counts),
        },
        front=Front(
            datasets=hub_datasets(corpora),
            tags=("sentencepiece",) if model else ("tokenizer", "sentencepiece"),
        ),
        body=Body(
            data=corpora_section(corpora),
            limits=(UNTRAINED,) if model and added else (),
            versions=versions,
            recipes=tuple(recipes),
        ),
    )


def _origin(config: ExtendConfig, job: Job) -> dict[str, str]:
    """Say what was extended, with the sums that pin it."""
    sums = {one.name: one.sha256 for one in job.inputs}
    tokenizer = f"{config.tokenizer.resolve().name}, {short(sums[TOKENIZER_FILES[0]])}"
    weights = [short(sums[name]) for name in sums if name.endswith(".safetensors")]
    found = {"Extended from": f"{tokenizer} (sha256 of its {TOKENIZER_FILES[0]})"}
    return found | ({"Weights of the old model": ", ".join(weights)} if weights else {})


def _vocabulary(counts: Mapping[str, Any], added: Sequence[str]) -> dict[str, str]:
    named = " ".join(f"`{piece}`" for piece in added[:NAMED])
    return {
        "Pieces": f"{counts['pieces']:,}, before {counts['pieces_before']:,}",
        "Added": f"{counts['added']:,}" + (f", such as {named}" if named else ""),
        "Dropped": f"{counts['dropped']:,}",
        "Tokens a character": str(counts["tokens_per_character"]),
        "Bytes a token": str(counts["bytes_per_token"]),
        "Unknown pieces": f"{counts['unknown_share']:.3%}",
    }


def _changes(report: Mapping[str, Any], script: str) -> dict[str, str]:
    """Say what the new pieces change in the corpus, or what dropped ones wrote of it."""
    if "changes" not in report:
        return {"Tokens of the corpus that dropped pieces wrote":
                f"{report['tokens_of_dropped_pieces']:,} of {report['tokens']:,}"}  # fmt: skip
    lines = report["changes"]
    return {
        "Lines of the corpus that are cut otherwise": (
            f"{lines['changed']:,} of {lines['lines']:,}; of those without {script} letters "
            f"{lines['plain_changed']:,} of {lines['plain']:,}"
        ),
        "Tokens of those lines": f"{lines['tokens_after']:,}, before {lines['tokens_before']:,}",
    }


def _model(config: ExtendConfig, counts: Mapping[str, Any]) -> dict[str, str]:
    if config.model is None:
        return {}
    rows = config.init if counts["added"] else "none"
    return {"Parameters": f"{counts['parameters']:,}", "New rows": rows}


def _tag(folder: Path) -> str:
    return pipeline_tag_of(json.loads((folder / "config.json").read_bytes()))
