"""What a corpus was made of: kept on record from shards to model, and told in cards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from thaitok.card.public import short, table
from thaitok.config import Config
from thaitok.folder import MANIFEST, FileFacts, Manifest, file_facts, read_manifest

CORPORA = "corpora.json"
"""The file of a shards folder that keeps what its corpora were made of."""
BENCHMARK = "benchmark "
"""What the name of an input begins with that was only searched for, to leave it out."""
NAMED = 20
"""Files, and sources, that are told one by one."""
OTHERS = "others"

HUB_INPUT = re.compile(r"hub:([\w.-]+(?:/[\w.-]+)?)@")
"""How an input is named that was read from the Hub."""

REASONS = {
    "source_full": "beyond the share of its source",
    "duplicate": "the same as another",
    "near_duplicate": "nearly the same as another",
    "benchmark": "holds items of benchmarks",
    "too_little_thai": "too little Thai",
}
"""Reasons to drop a document, where the name alone does not tell."""


class Provenance(Config):
    """What one corpus was made of, and what cleaning did."""

    name: str
    sha256: str
    """Of the corpus's manifest, which pins its files."""
    read: int | None = None
    """Documents read."""
    kept: int
    characters: int | None = None
    """Characters kept."""
    bytes: int | None = None
    sources: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """Source → documents and characters kept, the largest first."""
    dropped: dict[str, int] = Field(default_factory=dict)
    quarantined: dict[str, int] = Field(default_factory=dict)
    inputs: int = 0
    """Input files."""
    inputs_sha256: str = ""
    """Of the list of all input files with their sums."""
    named: tuple[FileFacts, ...] = ()
    """The input files, where they are few."""
    hub: tuple[str, ...] = ()
    """Data sets of the Hub among the inputs."""
    benchmarks: tuple[str, ...] = ()
    """Splits of benchmarks whose items were searched for."""
    decontamination: dict[str, Any] = Field(default_factory=dict)
    rules: str = ""
    masks: tuple[str, ...] = ()
    """Kinds of personal data that were masked."""


def provenance(corpora: Iterable[Path]) -> list[Provenance]:
    """Read what finished corpus folders were made of, from their manifests and reports."""
    return [_of(folder) for folder in corpora]


def _of(folder: Path) -> Provenance:
    manifest = read_manifest(folder, "corpus")
    counts, config = manifest.counts, manifest.config
    files = [one for one in manifest.inputs if not one.name.startswith(BENCHMARK)]
    hub = [found[1] for one in files if (found := HUB_INPUT.match(one.name))]
    return Provenance(
        name=folder.resolve().name,
        sha256=file_facts(folder / MANIFEST).sha256,
        read=counts.get("documents"),
        kept=counts["kept"],
        characters=counts.get("characters_kept"),
        bytes=counts.get("bytes_kept"),
        sources=_sources(folder),
        dropped=counts.get("dropped", {}),
        quarantined=counts.get("quarantined", {}),
        inputs=len(files),
        inputs_sha256=_sum(files),
        named=tuple(files) if len(files) <= NAMED else (),
        hub=tuple(dict.fromkeys(hub)),
        benchmarks=_benchmarks(manifest),
        decontamination=config.get("decontaminate", {}),
        rules=config.get("rules", ""),
        masks=tuple(config.get("mask_pii", ())),
    )


def _benchmarks(manifest: Manifest) -> tuple[str, ...]:
    names = [one.name for one in manifest.inputs if one.name.startswith(BENCHMARK)]
    return tuple(name.removeprefix(BENCHMARK) for name in names)


def _sum(files: Sequence[FileFacts]) -> str:
    listed = "".join(f"{one.sha256} {one.name}\n" for one in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def _sources(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the documents and characters kept of each source; of many, the largest ones'."""
    try:
        found = json.loads((folder / "report.json").read_bytes())["sources"]
    except (OSError, KeyError):
        return {}
    sizes = {name: (one["kept"], one["characters_kept"]) for name, one in found.items()}
    order = sorted((name for name in sizes if sizes[name][0]), key=lambda name: -sizes[name][1])
    sources = {name: sizes[name] for name in order[:NAMED]}
    if rest := [sizes[name] for name in order[NAMED:]]:
        sources[OTHERS] = sum(one[0] for one in rest), sum(one[1] for one in rest)
    return sources


def read_corpora(shards: Path) -> list[Provenance]:
    """Return what a shards folder keeps of its corpora; nothing where an older one has none."""
    try:
        found = json.loads((shards / CORPORA).read_bytes())
    except FileNotFoundError:
        return []
    return [Provenance.model_validate(one) for one in found]


def hub_datasets(corpora: Iterable[Provenance]) -> list[str]:
    """Return the data sets of the Hub that went into corpora, by their full names."""
    found = dict.fromkeys(repo for corpus in corpora for repo in corpus.hub)
    return [repo for repo in found if "/" in repo]


def corpora_section(corpora: Sequence[Provenance], tokens: int | None = None) -> str:
    """Write the section of what was trained on; `tokens` are those of all corpora."""
    if not corpora:
        return ""
    parts = [_summary(corpora, tokens)]
    for corpus in corpora:
        parts += [f"### {corpus.name}"] * (len(corpora) > 1) + corpus_parts(corpus)
    return "\n\n".join(parts)


def _summary(corpora: Sequence[Provenance], tokens: int | None) -> str:
    kept, characters = sum(one.kept for one in corpora), [one.characters for one in corpora]
    said = [f"{kept:,} documents"]
    if all(size is not None for size in characters):
        said.append(f"{sum(size or 0 for size in characters):,} characters")
    if tokens is not None:
        said.append(f"{tokens:,} tokens")
    pinned = ", ".join(short(one.sha256) for one in corpora)
    return f"{', '.join(said)} of cleaned text (sha256 of the corpus's manifest: {pinned})."


def corpus_parts(corpus: Provenance) -> list[str]:
    """Return the paragraphs and tables on one corpus."""
    parts = [_source_table(corpus), _cleaning(corpus), _benchmark_text(corpus)]
    if corpus.masks:
        parts.append(f"Personal data was masked: {', '.join(corpus.masks)}.".replace("_", " "))
    else:
        parts.append("Personal data was not masked.")
    return [part for part in (*parts, _input_text(corpus)) if part]


def _source_table(corpus: Provenance) -> str:
    total = sum(size for _, size in corpus.sources.values())
    if not total:
        return ""
    rows = [
        (name, f"{count:,}", f"{size:,}", f"{size / total:.1%}")
        for name, (count, size) in corpus.sources.items()
    ]
    return table(rows, ("Source", "Documents", "Characters", "Share"), (1, 2, 3))


def _cleaning(corpus: Provenance) -> str:
    if corpus.read is None:
        return ""
    left_out: Mapping[str, int] = {
        **corpus.dropped,
        **{f"set aside: {reason}": count for reason, count in corpus.quarantined.items()},
    }
    rows = [("kept", f"{corpus.kept:,}")] + [
        (REASONS.get(reason, reason.replace("_", " ")), f"{count:,}")
        for reason, count in left_out.items()
    ]
    rules = f" by the text rules `{corpus.rules}`" if corpus.rules else ""
    text = f"Cleaning read {corpus.read:,} documents, normalised them{rules}, and sorted them:"
    return f"{text}\n\n{table(rows, ('Documents', 'Count'), (1,))}"


def _benchmark_text(corpus: Provenance) -> str:
    if not corpus.benchmarks:
        return "It was not searched for the items of benchmarks: scores on public ones may be high."
    grams = corpus.decontamination.get("gram_chars")
    how = f" (stretches of {grams} characters that both share)" if grams else ""
    cut = corpus.decontamination.get("action") == "cut"
    did = "they were cut out" if cut else "documents that hold them were dropped"
    named = ", ".join(f"`{name}`" for name in corpus.benchmarks)
    return f"Items of these benchmark splits were searched for{how}, and {did}: {named}."


def _input_text(corpus: Provenance) -> str:
    if not corpus.inputs:
        return ""
    text = f"It was made from {corpus.inputs:,} input file{'s' * (corpus.inputs > 1)}"
    if not corpus.named:
        return f"{text} (sha256 of the list of their sums: {short(corpus.inputs_sha256)})."
    rows = [(one.name, f"{one.bytes:,}", short(one.sha256)) for one in corpus.named]
    return f"{text}:\n\n{table(rows, ('File', 'Bytes', 'sha256'), (1,))}"
