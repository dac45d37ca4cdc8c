"""What a user may choose when cleaning a corpus."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from thaitok.config import Config

TxtDocuments = Literal["line", "paragraph", "file"]


class FilterConfig(Config):
    """Thresholds of the document filters, all on the cleaned text."""

    min_chars: Annotated[int, Field(ge=0)] = 3
    """Fewest characters a document may have, spaces included.

    Low on purpose: posts of four letters are language. Raise it for web crawls."""
    max_chars: Annotated[int, Field(ge=1)] = 2_000_000
    """Most characters a document may have: a fuse against dumps and logs, not a matter of taste.

    The longest of 94,000 government news and laws has 243,084."""
    min_thai_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Least share of Thai among the letters; digits, spaces and signs say nothing.

    Read in social posts and manuals: from 0.2 to 0.3 they are Thai with brands, hashtags and
    links, below 0.15 English advertisements and code. Other scripts measure 0. With 0 even a
    text without any letter is kept."""

    @model_validator(mode="after")
    def _ordered(self) -> FilterConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is above max_chars {self.max_chars}")
        return self


class CleanConfig(Config):
    """Settings of `clean_corpus`."""

    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files, folders (all readable files below them) and globs, in the order that decides
    which of two equal documents is kept.

    Read are .jsonl, .json and .ndjson (one object a line), .txt, .csv, each also with .gz or
    .zst after it, .parquet, WikiExtractor's `wiki_00` files, and finished corpus folders."""
    out: Path
    """The corpus folder to make."""
    text_column: str = "text"
    """The key or column that holds the text; `id` and `source` are taken along where present."""
    txt_documents: TxtDocuments = "line"
    """What one document is in a .txt file: a line, a paragraph (up to an empty line), or the
    whole file."""
    filters: FilterConfig = FilterConfig()
    """Which documents are worth keeping."""
    dedup: bool = True
    """Keep one document of those whose cleaned texts differ in white space at most: the first."""
    source_chars: Annotated[int, Field(ge=1)] | None = None
    """Most characters kept of one source, its first ones: else the largest source sets the tone.
    Sources beyond the first thousand count as one."""
    shard_bytes: Annotated[int, Field(ge=1)] = 256_000_000
    """Begin a new part once the last one has this many bytes before compression."""
    max_line_bytes: Annotated[int, Field(ge=64)] = 16_000_000
    """Longest line, record or value that is read, in bytes; what is longer is set aside unread,
    so that memory stays bounded."""
    workers: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: os.cpu_count() or 1)
    """Processes that read and clean. The result does not depend on it."""

    def deciding(self) -> dict[str, Any]:
        """Return the fields that decide the result: not where it lies, nor how many make it.

        The inputs are known by their names, sizes and sha256, not by how they were asked for.
        """
        return self.model_dump(mode="json", exclude={"inputs", "out", "workers"})
