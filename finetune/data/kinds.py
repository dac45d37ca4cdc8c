"""What a task is: its kind, where its rows lie, how they are read, what others scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal["sequence", "multilabel", "ner", "pos", "words", "nested", "qa"]
"""What is predicted.

sequence: one label of a text, or of a pair of texts. multilabel: the labels of a text that hold,
none to all. ner: entities in BIO tags over words. pos: one tag a word. words: where words begin.
nested: entities that may lie within one another. qa: the stretch of a context that answers a
question.
"""
KINDS: tuple[Kind, ...] = get_args(Kind)

Metric = Literal["accuracy", "micro_f1", "macro_f1", "entity_f1", "word_f1", "f1"]
"""A headline figure, by which the best epoch and the best seed are chosen on validation."""

HEADLINE: Mapping[Kind, Metric] = {
    "sequence": "macro_f1",
    "multilabel": "macro_f1",
    "ner": "entity_f1",
    "pos": "accuracy",
    "words": "word_f1",
    "nested": "entity_f1",
    "qa": "f1",
}
"""The headline figure of a kind where the task says nothing."""

Role = Literal["text", "pair", "label", "tokens", "space_after"]
"""What a column is for. label: also tags, entities and answers; text: of qa, the context; pair:
the second text of a pair, of qa the question; space_after: whether a space follows each token."""


@dataclass(frozen=True, slots=True)
class Published:
    """A figure from the literature, in 0..1, to print beside ours.

    A `gain` is a difference from another system, and may be negative.
    """

    system: str
    metric: str
    value: float
    source: str
    gain: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the table; without `hub` its files come from --data-dir."""

    name: str
    kind: Kind
    metric: Metric
    about: str
    hub: str | None = None
    """The Hub repository with the task as parquet."""
    revision: str = "main"
    columns: Mapping[Role, str] = field(default_factory=dict)
    """Its own names of the columns, tried before the usual ones; "" is a column not to read."""
    hub_folder: str | None = None
    """The folder of the parquet files, where the repository holds several."""
    hub_config: str | None = None
    """The config, where the repository tells of several."""
    relabel: Mapping[str, str] = field(default_factory=dict)
    """Labels, or tags without their B- and I-, to be read as others; to "O" drops an entity."""
    respell: Mapping[str, str] = field(default_factory=dict)
    """Words that stand for a sign, and the sign."""
    published: tuple[Published, ...] = ()
    chosen: Mapping[Role, str] = field(default_factory=dict)
    """Columns that the user named: no other will do."""
    own: bool = False
    """Whether the data is the user's own, and no benchmark."""
    one_split: bool = False
    """Whether it comes as one split, whatever its name, from which all three are cut."""
    validation: float | None = 0.1
    """Where validation is not given: a share of train, from 1 on a number of its rows; None: as
    many as test has."""
    first: Mapping[str, int] = field(default_factory=dict)
    """Of each split only so many rows, the first ones."""

    @property
    def on_words(self) -> bool:
        """Whether gold lies on words."""
        return self.kind in ("ner", "pos", "words", "nested")
