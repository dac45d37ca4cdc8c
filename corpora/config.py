"""What a user may choose when cleaning a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from corpora.benchmarks import DecontaminationConfig
from corpora.filters.thresholds import FilterConfig
from corpora.pii import PiiKind
from thaitok.config import Config

RuleSet = Literal["default", "wangchanberta", "none"]
TxtDocuments = Literal["line", "paragraph", "file"]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]


class SegmentConfig(Config):
    """Whether documents are divided, by the bounds of WangchanBERTa's corpus."""

    unit: Literal["document", "paragraph", "sentence"] = "document"
    """What a document of the corpus is: the whole document read, or its paragraphs, or its
    sentences."""
    min_words: Annotated[int, Field(ge=0)] = 5
    """Fewest words of a paragraph or sentence; shorter ones are dropped."""
    max_words: Count = 300
    """Most words of a paragraph or sentence; longer ones are divided."""


class BoilerplateConfig(Config):
    """Lines that many documents of one source have: footers, menus, notices.

    And lines that say what the line before them said.
    """

    cut: bool = True
    """Whether they are cut out."""
    min_documents: Annotated[int, Field(ge=2)] = 50
    """How many different documents of a source must have a line."""
    min_chars: Count = 15
    """Fewest characters of a line, spaces aside; shorter ones are headings or speech."""


class DedupConfig(Config):
    """Which repetitions are left out; of equal documents the first in input order is kept."""

    exact: bool = True
    """Documents whose cleaned texts differ in white space at most."""
    near: bool = True
    """Documents that are nearly an earlier kept one, by MinHash over character 5-grams."""
    jaccard: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    """How many of two documents' 5-grams, both taken together, they must share. Below 0.75 nearly
    every document has to be looked at: some 1 ms each."""
    lines: bool = False
    """Also each line that an earlier document has, in any source: it takes text apart, so it is
    for web crawls. Boilerplate is then not looked for."""


class EngineConfig(Config):
    """Where the work is done. The result does not depend on it."""

    kind: Literal["local", "slurm", "ray"] = "local"
    """On this machine's cores, or on a cluster that shares its disk with this machine."""
    partition: str = ""
    """The Slurm partition; the cluster's own default without one."""
    time: str = "24:00:00"
    """Slurm's time limit for a group of tasks."""
    memory_gb: Count = 2
    """Memory that a group of tasks, which run one by one, is given on a cluster, in GB."""
    environment: str = ""
    """A shell command that a Slurm job runs first, such as `source venv/bin/activate`; `python`
    is then what it finds. Without one it is this interpreter."""
    sbatch: dict[str, str] = Field(default_factory=dict)
    """Further options for sbatch, by their long names."""
    address: str = ""
    """Of a Ray cluster; without one, Ray runs on this machine."""


class CleanConfig(Config):
    """Settings of `clean_corpus`."""

    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files, folders (all readable files below them) and globs, in the order that decides
    which of two equal documents is kept.

    Read are .jsonl, .json and .ndjson (one object a line), .txt, .csv, each also with .gz or
    .zst after it, .parquet, WikiExtractor's `wiki_00` files, finished corpus folders, and
    data sets of the Hub as hub:REPO[@REVISION][:CONFIG][#COLUMN]."""
    out: Path
    """The corpus folder to make."""
    text_column: str = "text"
    """The key or column that holds the text; `id` and `source` are taken along where present."""
    txt_documents: TxtDocuments = "line"
    """What one document is in a .txt file: a line, a paragraph (up to an empty line), or the
    whole file."""
    rules: RuleSet = "default"
    """The text rules: ours, those of WangchanBERTa for its old checkpoints, or none."""
    segment: SegmentConfig = SegmentConfig()
    """Whether documents are divided."""
    filters: FilterConfig = FilterConfig()
    """Which documents are worth keeping."""
    mask_pii: tuple[PiiKind, ...] = ()
    """Which personal data are masked: thai_id, phone, email, bank_account."""
    decontaminate: DecontaminationConfig = DecontaminationConfig()
    """Which benchmarks' items must not be in the corpus."""
    boilerplate: BoilerplateConfig = BoilerplateConfig()
    """Which lines are cut because many documents have them."""
    dedup: DedupConfig = DedupConfig()
    """Which repetitions are left out."""
    source_chars: Count | None = None
    """Most characters kept of one source, its first ones: else the largest source sets the tone.
    Sources beyond the first thousand count as one."""
    source_caps: dict[str, Count] = Field(default_factory=dict)
    """The same for single sources, by name."""
    source_weights: dict[str, Share] = Field(default_factory=dict)
    """The share of a source's documents that is used at all, by name; drawn by their places."""
    shard_bytes: Count = 256_000_000
    """Begin a new part once the last one has this many bytes before compression."""
    max_line_bytes: Annotated[int, Field(ge=64)] = 16_000_000
    """Longest line, record or value that is read, in bytes; what is longer is set aside unread,
    so that memory stays bounded."""
    workers: Count | None = None
    """Processes at work; all cores by default, and on a cluster as many as it gives."""
    engine: EngineConfig = EngineConfig()
    """Where the work is done."""

    @property
    def cuts_lines(self) -> bool:
        """Whether lines are looked at across documents."""
        return self.boilerplate.cut or self.dedup.lines

    def deciding(self) -> dict[str, Any]:
        """Return the fields that decide the result: not where it lies, nor how it is made.

        The inputs and benchmarks are known by their names, sizes and sha256, not by how they
        were asked for.
        """
        how = {"inputs": True, "out": True, "workers": True, "engine": True}
        return self.model_dump(mode="json", exclude=how | {"decontaminate": {"benchmarks"}})
