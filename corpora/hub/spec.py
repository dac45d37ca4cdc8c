"""What hub:REPO[@REV][:CONFIG][#COLUMN] says."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from corpora.inputs import format_of
from corpora.sources import Source, row_for, source_names, source_of
from thaitok.errors import UserError

FORM = "hub:ORG/NAME[@REVISION][:CONFIG][#COLUMN], or hub:NAME with a name of the table of sources"
GIVEN = re.compile(r"hub:([^@:#]+)(?:@([^:#]+))?(?::([^#]+))?(?:#(.+))?")
REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubSpec:
    """What a user asked for."""

    given: str
    repo: str
    revision: str = "main"
    config: str | None = None
    split: str = "train"
    files: str | None = None
    """A path or pattern of files in the repository, instead of a config."""
    column: str | None = None
    row: Source | None = None
    """The row of the table of sources for this repository, for what it warns of."""

    @property
    def is_row(self) -> bool:
        """Whether it means the very files of the row, not others of the repository."""
        wanted = (self.config, self.files)
        return self.row is not None and (self.row.config, self.row.files) == wanted


def parse_hub(given: str) -> HubSpec:
    """Read hub:REPO[@REV][:CONFIG][#COLUMN], where REPO may be a name of the table of sources.

    CONFIG is a config, config/split (else the split is train), or a path or pattern of files in
    the repository (`*` crosses folders), which works beside a loading script too. Raises
    `UserError`.

    >>> parse_hub("hub:org/news@v1:th/validation#body").split
    'validation'
    """
    match = GIVEN.fullmatch(given)
    if match is None:
        raise UserError("is no data set of the Hub", where=given, do=f"give {FORM}")
    repo, revision, config, column = match.groups()
    if "/" not in repo:
        return _from_table(given, repo, revision, config, column)
    if not REPO.fullmatch(repo):
        raise UserError(f"{repo!r} is no name of a data set", where=given, do=f"give {FORM}")
    spec = _with_config(HubSpec(given, repo, revision or "main"), config)
    spec = replace(spec, column=column, row=row_for(repo, spec.config, spec.files))
    return replace(spec, column=column or spec.row.column) if spec.row and spec.is_row else spec


def _from_table(
    given: str, name: str, revision: str | None, config: str | None, column: str | None
) -> HubSpec:
    row = source_of(name)
    if row is None:
        near = difflib.get_close_matches(name, source_names(), 1)
        do = f"did you mean hub:{near[0]}?" if near else f"give {FORM}"
        raise UserError(f"no source of the table is named {name!r}", where=given, do=do)
    if not row.repo:
        raise UserError(f"is not on the Hub: {row.warning}", where=given, do="download it first")
    spec = HubSpec(given, row.repo, revision or row.revision, row=row, column=column or row.column)
    if config:
        return _with_config(spec, config)
    return replace(spec, config=row.config, split=row.split, files=row.files)


def _with_config(spec: HubSpec, config: str | None) -> HubSpec:
    if config is None:
        return spec
    # A config may hold a dot, as in 20231101.th: a file is told by its ending or by wildcards.
    if any(sign in config for sign in "*?[") or ("." in config and format_of(config)):
        return replace(spec, files=config)
    name, _, split = config.partition("/")
    return replace(spec, config=name, split=split or "train")
