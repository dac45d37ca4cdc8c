"""The config of publishing: what goes where, under which licence."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from thaitok.config import Config

NAME = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)
"""What git takes for a branch or a tag, and little else."""
COMMIT = re.compile(r"[0-9a-f]{40}")


class PublishConfig(Config):
    """What to publish, under which name and licence.

    The token is the Hub client's: HF_TOKEN, or what `hf auth login` keeps. It is no setting, so
    that it stands in no file, log or list of processes.
    """

    folder: Path
    """A tokenizer, model, corpus or export folder, or the run or result folder of a model."""
    repo: str
    """Its name on the Hub, USER/NAME or ORGANISATION/NAME; NAME alone is the token's user's."""
    license: str
    """A licence id of the Hub, such as apache-2.0: yours to choose, so there is no default."""
    private: bool = False
    """Whether a new repo is seen by its owner alone; one that is there stays as it is."""
    revision: str | None = None
    """The branch to commit to, made from main where it is not there; main by default."""
    create_pr: bool = False
    """Whether to propose the commit as a pull request, as for a repo of somebody else."""
    message: str = Field("Publish with thaitok", min_length=1)
    """The commit's message."""
    tag: str | None = None
    """A tag to put on the commit."""
    endpoint: str | None = None
    """The Hub's address; HF_ENDPOINT, or huggingface.co, by default."""
    files_at_once: int = Field(200, ge=1)
    """A corpus of more files goes up in several commits, by the library's resumable upload."""

    @field_validator("revision", "tag")
    @classmethod
    def _a_name(cls, name: str | None) -> str | None:
        if name is not None and (not NAME.fullmatch(name) or ".." in name):
            raise ValueError("write letters, digits, '-', '_', '.' and '/'")
        if name is not None and COMMIT.fullmatch(name):
            raise ValueError("give a branch or a tag, not a commit")
        return name

    @model_validator(mode="after")
    def _one_place(self) -> PublishConfig:
        if self.create_pr and (self.revision or self.tag):
            raise ValueError("a pull request has a branch of its own: leave out revision and tag")
        return self
