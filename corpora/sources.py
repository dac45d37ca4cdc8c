"""The table of open Thai corpora: where each lies, under which licence, and what to beware of."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from thaitok.config import Config

TABLE = Path(__file__).with_name("sources.toml")


class Source(Config):
    """A row of the table."""

    name: str
    """What stands for it in hub:NAME."""
    about: str
    repo: str = ""
    """The data set on the Hub; empty for one that is not there."""
    revision: str = "main"
    config: str | None = None
    split: str = "train"
    files: str | None = None
    """A pattern of files in the repository, instead of a config."""
    column: str = "text"
    licence: str
    bytes: int | None = None
    """What has to be downloaded, in bytes; None where it is not known."""
    measured: str = ""
    """Where the size is from, and of when."""
    gated: bool = False
    """Whether its terms must be accepted on its page first."""
    checked: str = ""
    """What of the row was seen on public pages, and what was not."""
    warning: str = ""


@cache
def sources_table() -> tuple[Source, ...]:
    """Return the rows, large and general ones first."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["source"]
    return tuple(Source.model_validate(row) for row in rows)


def source_names() -> list[str]:
    """Return the names that hub:NAME knows."""
    return [row.name for row in sources_table()]


def source_of(name: str) -> Source | None:
    """Return the row of a name."""
    return next((row for row in sources_table() if row.name == name), None)


def row_for(repo: str, config: str | None = None, files: str | None = None) -> Source | None:
    """Return the row of a repository, the one of this config or these files if there is one."""
    rows = [row for row in sources_table() if row.repo.lower() == repo.lower()]
    same = [row for row in rows if (row.config, row.files) == (config, files)]
    return next(iter(same or rows), None)
