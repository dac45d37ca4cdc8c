"""Bringing an old tokenizer or checkpoint back to life: `thaitok convert SOURCE --out DIR`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from thaitok.card import (
    Body,
    Front,
    hub_name,
    pipeline_tag_of,
    recipes_of,
    short,
    write_card,
)
from thaitok.checks import room_for_tokens
from thaitok.config import Config
from thaitok.convert.build import build_tokenizer, rewrite_model
from thaitok.convert.layout import CONTROL, Layout, find_layout, read_proto
from thaitok.convert.source import Source, find_source
from thaitok.convert.weights import write_weights
from thaitok.folder import (
    FileFacts,
    Job,
    Manifest,
    file_facts,
    package_versions,
    stage_job,
    write_json,
    written,
)
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer_json import (
    SPECIAL_TOKENS,
    SPM_FILE,
    TOKENIZER_FILE,
    read_model,
    write_tokenizer_config,
    write_tokenizer_files,
)

LONGEST = 512
"""The longest input of a tokenizer whose model is not there, or does not say."""

REMOTE = ("auto_map", "tokenizer_class")
"""Entries of config.json that would make AutoTokenizer rebuild the tokenizer, or run code."""


class ConvertConfig(Config):
    """What to convert, and to where."""

    source: str
    """A SentencePiece `.model`, a folder, or the name of a Hub repository."""
    out: Path
    """The tokenizer's or model's folder to make."""


def convert_tokenizer(config: ConvertConfig) -> Manifest:
    """Write a folder that plain `AutoTokenizer` loads and whose ids are SentencePiece's.

    A finished folder is returned as it is. Raises `UserError` for a source that is missing,
    unfinished, or of no layout that is known.
    """
    source = find_source(config.source)
    proto = read_proto(source.model)
    layout = find_layout(proto, source)
    with stage_job(config.out, "tokenizer", {}, _inputs(source)) as job:
        if job.done:
            return job.done
        settings = None if source.config is None else _mended(source.config, layout)
        longest = room_for_tokens(settings or {}) or LONGEST
        if is_ours(layout, proto):
            write_tokenizer_files(job.work, read_model(source.model.read_bytes()), longest)
        else:
            _write_tokenizer(job.work, layout, proto, longest)
        counts: dict[str, Any] = {"pieces": len(layout.pieces), "layout": layout.name}
        if settings is not None:
            write_json(job.work / "config.json", settings)
        if source.weights:
            counts["parameters"] = write_weights(source.weights, source.index, job.work)
        write_json(job.work / "report.json", {**counts, "added_tokens": list(layout.added)})
        versions = package_versions("sentencepiece", "tokenizers", "torch")
        _write_card(job, config.source, layout, counts, settings, versions)
        return job.finish(counts, versions)


def _inputs(source: Source) -> Iterable[FileFacts]:
    return [file_facts(path) for path in source.files()]


def is_ours(layout: Layout, proto: Any) -> bool:
    """Say whether `thaitok train` made a SentencePiece model: its ids, `<_>`, no normalizer."""
    first = [piece.text for piece in layout.pieces[: len(set(SPECIAL_TOKENS.values()))]]
    return (
        first == list(dict.fromkeys(SPECIAL_TOKENS.values()))
        and layout.pieces[first.index(SPECIAL_TOKENS["mask_token"])].kind == CONTROL
        and SPACE_TOKEN in layout.ids()
        and not proto.normalizer_spec.precompiled_charsmap
        and not proto.normalizer_spec.add_dummy_prefix
    )


def _mended(config: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Return config.json with the special ids of the tokenizer, and nothing that runs code."""
    ids = layout.ids()
    kept = {key: value for key, value in config.items() if key not in REMOTE}
    for name in ("bos", "eos", "pad", "sep", "cls"):
        key = f"{name}_token_id"
        if name in ("bos", "eos", "pad") or kept.get(key) is not None:
            kept[key] = ids[SPECIAL_TOKENS[f"{name}_token"]]
    return kept


def _write_tokenizer(folder: Path, layout: Layout, proto: Any, longest: int) -> None:
    with written(folder / SPM_FILE, "wb") as stream:
        stream.write(rewrite_model(layout, proto))
    with written(folder / TOKENIZER_FILE) as stream:
        stream.write(build_tokenizer(layout, proto).to_str(pretty=True))
    write_tokenizer_config(folder, longest, lower=layout.rules == "process_transformers")


ABOUT = {
    "process_transformers": (
        "Inside the tokenizer, as `process_transformers` had them: lower case, HTML remains, "
        "brackets, white space, four or more equal signs as one, each space as `{space}`. "
        "Not inside, since no normalizer can say them: `html.unescape` beyond common entities, "
        "and doubled words, of which the original drops one (ล้านล้าน becomes ล้าน). Where the "
        "exact input of the original matters, apply its `process_transformers` beforehand: the "
        "result is read as it is."
    ),
    "spaces": (
        "Inside the tokenizer: each space, also a no-break one, becomes `{space}`. Nothing else "
        "was done to the original's input when it was used."
    ),
    "none": "Nothing is done to a text beyond what SentencePiece's own normalizer does.",
}


def _write_card(
    job: Job,
    name: str,
    layout: Layout,
    counts: dict[str, Any],
    config: dict[str, Any] | None,
    versions: dict[str, str],
) -> None:
    origin, model = hub_name(name) or Path(name).name, "parameters" in counts
    facts = {"Converted from": origin, "Layout": layout.name, "Pieces": f"{counts['pieces']:,}"}
    if model:
        facts["Parameters"] = f"{counts['parameters']:,}"
    facts |= {f"sha256 of {one.name}": short(one.sha256) for one in job.inputs}
    about = ABOUT[layout.rules].format(space=SPACE_TOKEN)
    write_card(
        job.work,
        pipeline_tag=pipeline_tag_of(config or {}) if model else "",
        title=f"{origin}, converted" if model else f"Tokenizer of {origin}, converted",
        summary="The ids are those of the original's SentencePiece model"
        + (", and the weights its own, bit for bit." if model else "."),
        facts=facts,
        base_model=name,
        front=Front(tags=("sentencepiece",) if model else ("tokenizer", "sentencepiece")),
        body=Body(
            tokenizer=f"The ids are SentencePiece's, its normalizer included. {about}",
            limits=("What the original was trained on, and its limits, its own authors tell.",),
            versions=versions,
            recipes=recipes_of(job.work, name),
        ),
    )
