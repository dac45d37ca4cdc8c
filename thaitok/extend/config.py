"""Settings of `thaitok extend`: what is added or dropped, and what a model gets for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from thaitok.config import Config

Init = Literal["mean", "similar", "random"]
Weight = Annotated[float, Field(gt=0)]


class ExtendConfig(Config):
    """How to change the vocabulary of a tokenizer, and of a model with it."""

    tokenizer: Path
    """A unigram tokenizer folder, of `thaitok train`, `convert` or `extend`."""
    corpus: tuple[Path, ...] = ()
    """Finished corpus folders whose words are to take fewer tokens."""
    out: Path | None = None
    """The tokenizer folder to make; a plan needs none."""
    add: int | None = Field(default=None, ge=1)
    """Pieces to add for the words of `script`."""
    words: Path | None = None
    """A file of terms, a line each, that are to be one token each."""
    source: str | None = None
    """Another tokenizer, whose pieces of `script` are the only candidates. Without `add`, all."""
    script: str = "latin"
    """Whose words count: any script of Unicode's but Thai, whose scores are never touched."""
    prune: tuple[Path, ...] = ()
    """Corpus folders; pieces that are not used in them are dropped."""
    keep: int | None = Field(default=None, ge=1)
    """Pieces left after pruning; by default all that are used."""
    model: Path | None = None
    """A model folder of this tokenizer; its embeddings are changed with the vocabulary."""
    init: Init = "mean"
    """New rows: the mean of those of the pieces they replace, a mean of similar pieces' weighted
    by likeness, or random as PhayaThaiBERT's (arXiv 2311.12475)."""
    balance: float = Field(default=0.3, ge=0, le=1)
    """Sources count as (their words) ** balance: 1 is as they are, 0 all alike. Social media are a
    fortieth of the Latin words of a mix with manuals, and manuals' are words like `endpoint`."""
    source_weights: dict[str, Weight] = Field(default_factory=dict)
    """How many times more a source counts; 1 where none is given."""
    longest: int = Field(default=40, ge=2, le=64)
    """Characters of the longest piece."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of random rows."""
    workers: int | None = Field(default=None, ge=1)
    """Processes that read the corpus; all cores by default. The result does not depend on it."""

    @field_validator("script")
    @classmethod
    def _other_than_thai(cls, script: str) -> str:
        script = " ".join(script.lower().split())
        if script.split(" ")[0] == "thai":
            raise ValueError("pieces of Thai keep their scores; give terms as words instead")
        return script

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> ExtendConfig:
        adds = self.add is not None or self.words is not None or self.source is not None
        if self.prune and (adds or self.corpus):
            raise ValueError("prune drops pieces and nothing else; extend what it makes afterwards")
        if self.keep is not None and not self.prune:
            raise ValueError("keep is for prune, and no corpus to prune by is given")
        if not self.prune and not self.corpus:
            raise ValueError("corpus is not given: what should take fewer tokens?")
        if self.init != "mean" and self.model is None:
            raise ValueError("init is for the rows of a model, and no model is given")
        return self
