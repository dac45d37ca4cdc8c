"""The table of benchmark tasks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thaitok.errors import UserError

Kind = Literal["sequence", "multilabel", "ner", "pos", "words", "nested", "qa"]
"""What is predicted.

sequence: one label of a text, or of a pair of texts. multilabel: the labels of a text that hold,
none to all. ner: entities in BIO tags over words. pos: one tag a word. words: where words begin.
nested: entities that may lie within one another. qa: the stretch of a context that answers a
question.
"""

Metric = Literal["accuracy", "micro_f1", "macro_f1", "entity_f1", "word_f1", "f1"]
"""A headline figure, by which the best epoch and the best seed are chosen on validation."""


@dataclass(frozen=True, slots=True)
class Published:
    """A figure from the literature, in 0..1, to print beside ours."""

    system: str
    metric: str
    value: float
    source: str


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
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column → the Hub's; ours are text and label, or tokens and tags."""
    hub_folder: str | None = None
    """The folder of the parquet files, where the repository holds several."""
    relabel: Mapping[str, str] = field(default_factory=dict)
    """Labels, or tags without their B- and I-, to be read as others; to "O" drops an entity."""
    respell: Mapping[str, str] = field(default_factory=dict)
    """Words that stand for a sign, and the sign."""
    published: tuple[Published, ...] = ()

    @property
    def on_words(self) -> bool:
        """Whether gold lies on words."""
        return self.kind in ("ner", "pos", "words", "nested")


WANGCHANBERTA = "Lowphansirikul et al. 2021, arXiv 2101.09635"
PHAYATHAIBERT = "Sriwirote et al. 2023, arXiv 2311.12475; another split of the same sentences"

TASKS: tuple[Task, ...] = (
    Task(
        "wisesight_sentiment",
        "sequence",
        "macro_f1",
        "sentiment of social media posts: neutral, negative, positive, question",
        hub="pythainlp/wisesight_sentiment",
        # The commit that put parquet in the place of the loading script.
        revision="85a79ed833429457227182c9f61a83e9127dfa2e",
        columns={"text": "texts", "label": "category"},
        relabel={"pos": "positive", "neu": "neutral", "neg": "negative", "q": "question"},
        published=(
            Published("WangchanBERTa", "accuracy", 0.7619, WANGCHANBERTA),
            Published("WangchanBERTa", "macro_f1", 0.6705, WANGCHANBERTA),
        ),
    ),
    Task(
        "thainer_v1.3",
        "ner",
        "entity_f1",
        "13 types of named entities in news",
        # The main branch is a loading script, which `datasets` no longer runs; this reference
        # is the Hub's own conversion. It has one split, cut here by seed.
        hub="wannaphong/thainer",
        revision="refs/convert/parquet",
        columns={"tokens": "tokens", "tags": "ner_tags"},
        hub_folder="thainer",
        relabel={"ไม่ยืนยัน": "O"},  # "not confirmed": the annotators' own doubt
        published=(
            Published("WangchanBERTa", "entity_f1", 0.8464, PHAYATHAIBERT),
            Published("PhayaThaiBERT", "entity_f1", 0.8642, PHAYATHAIBERT),
        ),
    ),
    Task("ud_thai_tud_pos", "pos", "accuracy", "15 universal parts of speech (UD Thai-TUD)"),
    Task(
        "orchidpp_pos",
        "pos",
        "accuracy",
        "parts of speech of ORCHID, technical papers",
        relabel={"PRPE": "RPRE"},  # a slip of the pen in the validation split
        respell={
            "<right_parenthesis>": ")",
            "<left_parenthesis>": "(",
            "<full_stop>": ".",
            "<comma>": ",",
            "<minus>": "-",
            "<plus>": "+",
            "<quotation>": '"',
            "<apostrophe>": "'",
            "<slash>": "/",
            "<equal>": "=",
            "<colon>": ":",
            "<semi_colon>": ";",
            "<greater_than>": ">",
            "<less_than>": "<",
        },
    ),
    Task("truevoice_intent", "sequence", "macro_f1", "7 intents of calls to a call centre"),
    Task("thaigov_topic", "sequence", "macro_f1", "6 topics of long government news"),
    Task("demo_sentiment", "sequence", "macro_f1", "sentiment in the demo's made-up text"),
    Task("demo_ner", "ner", "entity_f1", "named entities in the demo's made-up text"),
    Task("demo_pos", "pos", "accuracy", "parts of speech in the demo's made-up text"),
)
"""Every task: adding a benchmark is adding a row."""


def find_task(name: str) -> Task:
    """Return a task by name; `UserError` with the nearest name when there is none."""
    known = {task.name: task for task in TASKS}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    remedy = f"did you mean {close[0]!r}?" if close else "`thaitok tasks` lists them"
    raise UserError(f"unknown task {name!r}", do=remedy)
