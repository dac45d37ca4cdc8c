"""Model cards: the README.md of a published folder, written from the run's own records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaitok.card.front import Front, front_matter
from thaitok.card.public import SECRET, cell, public, table
from thaitok.card.recipes import Recipe, citation
from thaitok.card.snippets import USES, snippet_of
from thaitok.folder import TOKENIZER_FILES, written
from thaitok.rules import SPACE_TOKEN, tokenizers_normalizer

CARD = "README.md"
TEMPLATE = Path(__file__).with_name("model.md")

HEADS = {
    "ForMaskedLM": "fill-mask",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What a card says beside its summary and its table; what is empty has no section.

    All are Markdown but `versions`, package → version.
    """

    needs: str = "Plain `transformers` is enough: no other package, no remote code."
    """What the snippet needs to run."""
    reading: str = ""
    """What to know of the outputs, after the snippet."""
    data: str = ""
    """What it was trained on."""
    evaluation: str = ""
    tokenizer: str = ""
    """What the tokenizer does to a text, where its own files do not tell."""
    limits: Sequence[str] = ()
    """Limits that the kind of head alone does not tell: paragraphs."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The packages that made it, and the device."""
    recipes: Sequence[Recipe] = ()
    """Recipes that were followed, to be cited."""


def write_card(
    folder: Path,
    *,
    pipeline_tag: str,
    title: str,
    summary: str,
    facts: Mapping[str, str],
    snippet: str | None = None,
    library_name: str | None = "transformers",
    base_model: str | None = None,
    front: Front | None = None,
    body: Body | None = None,
) -> None:
    """Write `folder`/README.md, valid by huggingface_hub's own card classes.

    `pipeline_tag` is the Hub's name of the task, or "" for a folder with only a tokenizer.
    `facts` are the rows of the table of how it was made, in their order. `snippet` is given where
    the kind of head alone does not tell it. A `base_model` that is a folder here and not a Hub
    name is left out. Tokens and the folders of absolute paths are taken
    out of whatever is given. The licence is for the user to choose when publishing,
    so a card has none yet.
    """
    from huggingface_hub import ModelCard

    front, body, title = front or Front(), body or Body(), public(title)
    card = ModelCard.from_template(
        front_matter(
            front,
            pipeline_tag=pipeline_tag,
            library_name=library_name,
            title=title,
            base_model=base_model,
        ),
        template_str=template(TEMPLATE),
        title=title,
        summary=public(summary),
        needs=public(body.needs),
        snippet=snippet or _snippet(pipeline_tag, front),
        sections=list(_sections(folder, pipeline_tag, facts, body)),
    )
    with written(folder / CARD) as stream:
        stream.write(SECRET.sub("[removed]", str(card)).rstrip() + "\n")


def _snippet(pipeline_tag: str, front: Front) -> str:
    examples = [public(text) for one in front.widget[:1] for text in one.values()]
    return snippet_of(USES[pipeline_tag], *examples)


def _sections(
    folder: Path, pipeline_tag: str, facts: Mapping[str, str], body: Body
) -> Iterator[tuple[str, str]]:
    """Yield the headings and texts that come after the snippet."""
    sections = {
        "Reading the outputs": public(body.reading),
        "Training data": public(body.data),
        "How it was made": table(facts.items()) if facts else "",
        "Evaluation": public(body.evaluation),
        "The tokenizer": public(body.tokenizer or tokenizer_note(folder)),
        "Limits": "\n\n".join([LIMITS[pipeline_tag], *map(public, body.limits), LAST_LIMIT]),
        "Environment": ", ".join(f"{name} {cell(one)}" for name, one in body.versions.items()),
        "Citation": citation(body.recipes),
    }
    yield from ((heading, text) for heading, text in sections.items() if text)


def template(path: Path) -> str:
    """Read a template; lines that hold only a tag leave no empty line behind."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^(\{%.*%\})\n", r"\1", text, flags=re.MULTILINE)


def pipeline_tag_of(config: Mapping[str, Any]) -> str:
    """Return the Hub's name of a model's task by its config.json; "" where cards know none."""
    architecture = str((config.get("architectures") or [""])[0])
    return next((tag for head, tag in HEADS.items() if architecture.endswith(head)), "")


LIMITS = {
    "": "The vocabulary follows the text it was trained on: words of other fields fall into many "
    "pieces.",
    "feature-extraction": "The model gives vectors to fine-tune from; as they are they compare no "
    "sentences, and the model fills in no masks.",
    "fill-mask": "The model fills in masks and gives vectors to fine-tune from; it was not made to "
    "write text, to answer questions or to state facts.",
    "text-classification": "The model knows only the labels it was trained with, and its scores "
    "are no calibrated probabilities.",
    "token-classification": "The model knows only the labels it was trained with; names and words "
    "unlike those of the training data are missed or labelled wrongly.",
    "question-answering": "The model answers with a stretch of the context it is given, always, "
    "also when the answer is not there; it knows nothing by itself.",
}
"""What a reader must know not to expect, by pipeline tag."""

LAST_LIMIT = (
    "Text unlike the training data (another time, register, region or dialect) is handled less "
    "well, and what the training data says about people and groups, fair or not, may show in what "
    "comes out. Check it on your own data before you decide anything by it."
)

OURS = f"""\
Thai writes spaces between phrases and not between words, so a space is a token of its own,
written `{SPACE_TOKEN}`. Give plain text: the tokenizer turns each space into `{SPACE_TOKEN}` and
`decode` gives spaces back; do not write `{SPACE_TOKEN}` yourself. Text is normalised inside the
tokenizer too (no-break spaces, zero-width characters, a sara am in two parts, two sara e for one
sara ae), so the same word gets the same tokens however it was typed. Offsets
(`return_offsets_mapping`) point into the text as you gave it."""

OTHERS = """\
What is done to a text before it is cut into pieces is what the tokenizer did that this one is of;
all of it stands in `tokenizer.json`."""

ALGORITHMS = {"Unigram": "a SentencePiece unigram model", "BPE": "a SentencePiece BPE model"}


def tokenizer_note(folder: Path) -> str:
    """Say what a folder's tokenizer does, by its tokenizer.json; without one, what ours do."""
    try:
        found = json.loads((folder / TOKENIZER_FILES[0]).read_bytes())
    except FileNotFoundError:
        return " ".join(OURS.split())
    kind = found["model"].get("type")
    pieces = f"The pieces are those of {ALGORITHMS[kind]}. " if kind in ALGORITHMS else ""
    ours = {lower: _as_json(tokenizers_normalizer(lower)) for lower in (False, True)}
    if found["normalizer"] not in ours.values():
        return pieces + " ".join(OTHERS.split())
    lower = found["normalizer"] != ours[False]
    return pieces + " ".join(OURS.split()) + (" Letters are read in lower case." if lower else "")


def _as_json(normalizer: Any) -> Any:
    return json.loads(normalizer.__getstate__())
