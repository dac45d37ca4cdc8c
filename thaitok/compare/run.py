"""The comparison: every tokenizer on every domain, gold file and sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field, model_validator

from thaitok.compare.boundaries import (
    BoundaryMeasures,
    EdgeMeasures,
    GoldBlock,
    boundaries_of,
    edges_of,
    gold_block,
)
from thaitok.compare.cuts import SENTENCES, Cut, cut_sentences
from thaitok.compare.gold import GoldFile, read_gold
from thaitok.compare.kinds import AnyTokenizer
from thaitok.compare.lines import Lines, lines_of
from thaitok.compare.load import distinct_names, load_tokenizer_any
from thaitok.compare.measures import TextMeasures, measure_text
from thaitok.compare.text import read_domains
from thaitok.config import Config
from thaitok.folder import package_versions

log = logging.getLogger(__name__)


class CompareConfig(Config):
    """Settings of `thaitok compare`."""

    tokenizers: tuple[str, ...] = Field(min_length=1)
    """Folders, Hub names, and .json, .model or .tiktoken files."""
    text: tuple[Path, ...] = ()
    """txt, jsonl[.gz|.zst] or corpus folders to measure on; files of one name are one domain."""
    gold: tuple[Path, ...] = ()
    """Gold words, entities or answers, as JSON lines."""
    limit: int = Field(1000, ge=1)
    """Most documents of a domain, evenly spaced."""
    sentences: tuple[str, ...] = SENTENCES
    """Sentences to show cut."""
    out: Path | None = None
    """Folder for report.json and report.html."""

    @model_validator(mode="after")
    def _something_to_measure(self) -> CompareConfig:
        if not self.text and not self.gold:
            raise ValueError("nothing to measure on: give --text or --gold")
        return self


class TokenizerFacts(Config):
    """A tokenizer that was compared."""

    name: str
    source: str
    kind: str
    size: int
    notes: tuple[str, ...]


class DomainFacts(Config):
    """What a domain holds; lines that are blank and line ends left out."""

    documents: int
    lines: int
    characters: int
    bytes: int
    words: int
    phrases: int
    latin_words: int


class GoldFacts(Config):
    """What a gold file holds. Boundaries and edges are those not beside a space."""

    texts: int
    words: int
    boundaries: int
    spans: str | None
    edges: int
    answers_left_out: int


class Comparison(Config):
    """Everything that was measured. Measures are by domain or gold file, then by tokenizer."""

    config: CompareConfig
    versions: dict[str, str]
    tokenizers: tuple[TokenizerFacts, ...]
    domains: dict[str, DomainFacts]
    gold: dict[str, GoldFacts]
    text: dict[str, dict[str, TextMeasures]]
    boundaries: dict[str, dict[str, BoundaryMeasures]]
    edges: dict[str, dict[str, EdgeMeasures]]
    cuts: dict[str, dict[str, Cut]]
    """By sentence, then by tokenizer."""


def compare(config: CompareConfig) -> Comparison:
    """Measure tokenizers side by side, and write a report where `out` is given.

    All are loaded before anything is measured, so that a wrong one costs no time. Raises
    `UserError` for what cannot be read.
    """
    names = distinct_names(config.tokenizers)
    tokenizers = [
        load_tokenizer_any(source, name)
        for source, name in zip(config.tokenizers, names, strict=True)
    ]
    gold = _read_all_gold(config.gold)
    domains = read_domains(config.text, config.limit) if config.text else {}
    comparison = measure_all(config, tokenizers, domains, gold)
    if config.out:
        from thaitok.compare.page import write_report

        write_report(comparison, config.out)
    return comparison


def measure_all(
    config: CompareConfig,
    tokenizers: Sequence[AnyTokenizer],
    domains: Mapping[str, Sequence[str]],
    gold: Mapping[str, GoldFile],
) -> Comparison:
    """Measure loaded tokenizers on texts and gold that are at hand."""
    lines = {name: lines_of(texts) for name, texts in domains.items()}
    blocks = {name: gold_block(file.texts) for name, file in gold.items()}
    text: dict[str, dict[str, TextMeasures]] = {name: {} for name in lines}
    boundaries: dict[str, dict[str, BoundaryMeasures]] = {}
    edges: dict[str, dict[str, EdgeMeasures]] = {}
    cuts: dict[str, dict[str, Cut]] = {sentence: {} for sentence in config.sentences}
    for number, tokenizer in enumerate(tokenizers, 1):
        for name, domain in lines.items():
            text[name][tokenizer.name] = measure_text(tokenizer, domain)
        for name, block in blocks.items():
            tokens = tokenizer.encode(block.block)
            if gold[name].has_words:
                boundaries.setdefault(name, {})[tokenizer.name] = boundaries_of(block, tokens)
            if gold[name].spans:
                edges.setdefault(name, {})[tokenizer.name] = edges_of(block, tokens)
        for sentence, cut in cut_sentences(tokenizer, config.sentences).items():
            cuts[sentence][tokenizer.name] = cut
        log.info("%d of %d: %s", number, len(tokenizers), tokenizer.name)
    facts = zip(tokenizers, config.tokenizers, strict=True)
    return Comparison(
        config=config,
        versions=package_versions("tokenizers", "sentencepiece", "tiktoken", "nlpo3", "pythainlp"),
        tokenizers=tuple(_tokenizer_facts(one, source) for one, source in facts),
        domains={name: _domain_facts(domains[name], one) for name, one in lines.items()},
        gold={name: _gold_facts(gold[name], one) for name, one in blocks.items()},
        text=text,
        boundaries=boundaries,
        edges=edges,
        cuts=cuts,
    )


def _read_all_gold(paths: Sequence[Path]) -> dict[str, GoldFile]:
    found: dict[str, GoldFile] = {}
    for path in paths:
        file = read_gold(path)
        found[str(path) if file.name in found else file.name] = file
    return found


def _tokenizer_facts(tokenizer: AnyTokenizer, source: str) -> TokenizerFacts:
    return TokenizerFacts(
        name=tokenizer.name,
        source=source,
        kind=tokenizer.kind,
        size=tokenizer.size,
        notes=tokenizer.notes,
    )


def _domain_facts(texts: Sequence[str], lines: Lines) -> DomainFacts:
    return DomainFacts(
        documents=len(texts),
        lines=len(lines.block.texts),
        characters=lines.characters,
        bytes=lines.block.size,
        words=lines.words,
        phrases=lines.phrases,
        latin_words=len(lines.latin),
    )


def _gold_facts(file: GoldFile, gold: GoldBlock) -> GoldFacts:
    return GoldFacts(
        texts=len(file.texts),
        words=gold.words,
        boundaries=int((~gold.block.closed[gold.boundaries]).sum()),
        spans=file.spans,
        edges=len(gold.edges),
        answers_left_out=file.left_out,
    )
