"""Model cards: the README.md of a published folder, written from the run's own records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaitok.folder import written
from thaitok.rules import SPACE_TOKEN

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

CARD = "README.md"
TEMPLATE = Path(__file__).with_name("card.md")

MODEL_HERE = 'model = "."'
"""The snippet's line that names the model: the folder itself, until it is published."""

SECRET = re.compile(r"\bhf_[A-Za-z0-9]{16,}")
"""A Hub token; real ones have 34 letters and digits after the prefix."""

_FOLDERS = re.compile(r"(?<![\w./:~\\])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\,;|]+[/\\])+")
"""The folders of an absolute path: they tell a machine's layout and its user's name."""


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of a model: a metric of a task on a split of a data set."""

    task: str
    dataset: str
    split: str
    metric: str
    value: float


def write_card(
    folder: Path,
    *,
    pipeline_tag: str,
    title: str,
    summary: str,
    facts: Mapping[str, str],
    scores: Sequence[Score] = (),
    widget: Sequence[str] = (),
    base_model: str | None = None,
    tokenizer: str | None = None,
) -> None:
    """Write `folder`/README.md, valid by huggingface_hub's own card classes.

    `pipeline_tag` is the Hub's name of the task, or "" for a folder with only a tokenizer.
    `facts` are the rows of the training table, in their order; `widget` holds example inputs
    (with the mask token for fill-mask), the first of which the snippet runs. A `base_model`
    that is a folder here and not a Hub name is left out. `tokenizer` says what the tokenizer does
    to a text where it is not one that `thaitok train` makes. Tokens and the folders of absolute
    paths are taken out of whatever is given. The licence is for the user to choose when
    publishing, so a card has none yet.
    """
    from huggingface_hub import ModelCard

    title, summary = _public(title), _public(summary)
    scores = [_public_score(score) for score in scores]
    examples = [_public(text) for text in widget]
    card = ModelCard.from_template(
        _card_data(pipeline_tag, title, scores, examples, base_model),
        template_str=_template(),
        title=title,
        summary=summary,
        snippet=_snippet(pipeline_tag, examples),
        facts=[(_cell(name), _cell(value)) for name, value in facts.items()],
        scores=[_cells(score) for score in scores],
        space=SPACE_TOKEN,
        limits=LIMITS[pipeline_tag],
        tokenizer=tokenizer and _public(tokenizer),
    )
    with written(folder / CARD) as stream:
        stream.write(str(card).rstrip() + "\n")


HEADS = {
    "ForMaskedLM": "fill-mask",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
}


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
    "text-classification": "The model knows only the labels it was trained with and always answers "
    "with one of them, with a score that is no calibrated probability.",
    "token-classification": "The model knows only the labels it was trained with; names and words "
    "unlike those of the training data are missed or labelled wrongly.",
    "question-answering": "The model answers with a stretch of the context it is given, always, "
    "also when the answer is not there; it knows nothing by itself.",
}
"""What a reader must know not to expect, by pipeline tag."""

EXAMPLES = {
    "": "ภาษาไทยเขียน ติดกัน",
    "feature-extraction": "วันนี้อากาศดีมาก",
    "fill-mask": "วันนี้อากาศ<mask>มาก",
    "text-classification": "อาหารอร่อยมาก",
    "token-classification": "คุณสมชายไปเชียงใหม่",
    "question-answering": "สมชายไปไหน",
}
"""What the snippet runs where no example is given."""


def _card_data(
    pipeline_tag: str,
    title: str,
    scores: Sequence[Score],
    examples: Sequence[str],
    base_model: str | None,
) -> ModelCardData:
    from huggingface_hub import ModelCardData

    # Keys that are None are left out of the YAML.
    extra: dict[str, Any] = {"widget": [{"text": text} for text in examples] or None}
    return ModelCardData(
        language="th",
        library_name="transformers",
        pipeline_tag=pipeline_tag or None,
        tags=["thai", "sentencepiece"],
        base_model=_hub_name(base_model),
        metrics=sorted({score.metric for score in scores}) or None,
        model_name=title if scores else None,
        eval_results=[_eval_result(pipeline_tag, score) for score in scores] or None,
        **extra,
    )


def _eval_result(pipeline_tag: str, score: Score) -> EvalResult:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=pipeline_tag or score.task,
        task_name=score.task,
        dataset_type=score.dataset,
        dataset_name=score.dataset,
        dataset_split=score.split,
        metric_type=score.metric,
        # A NumPy number would make the YAML unreadable.
        metric_value=float(score.value),
    )


def _hub_name(base_model: str | None) -> str | None:
    """Return the name if it is a Hub repo's, None if it is a folder here."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if base_model is None or Path(base_model).exists():
        return None
    try:
        validate_repo_id(base_model)
    except HFValidationError:
        return None
    return base_model


def _snippet(pipeline_tag: str, examples: Sequence[str]) -> str:
    text = json.dumps(examples[0] if examples else EXAMPLES[pipeline_tag], ensure_ascii=False)
    if not pipeline_tag:
        return (
            "from transformers import AutoTokenizer\n\n"
            f"{MODEL_HERE}\n"
            "tokenizer = AutoTokenizer.from_pretrained(model)\n"
            f"ids = tokenizer({text}).input_ids\n"
            "print(tokenizer.convert_ids_to_tokens(ids))\n"
            "print(tokenizer.decode(ids, skip_special_tokens=True))"
        )
    if pipeline_tag == "question-answering":
        return QUESTION_SNIPPET.format(model=MODEL_HERE, question=text)
    grouped = ', aggregation_strategy="simple"' if pipeline_tag == "token-classification" else ""
    return (
        "from transformers import pipeline\n\n"
        f"{MODEL_HERE}\n"
        f'run = pipeline("{pipeline_tag}", model=model{grouped})\n'
        f"print(run({text}))"
    )


QUESTION_SNIPPET = """\
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

{model}
tokenizer = AutoTokenizer.from_pretrained(model)
reader = AutoModelForQuestionAnswering.from_pretrained(model)
question, context = {question}, "เมื่อวานนี้สมชายไปเชียงใหม่กับเพื่อน"
inputs = tokenizer(question, context, return_offsets_mapping=True, return_tensors="pt")
offsets = inputs.pop("offset_mapping")[0].tolist()
found = reader(**inputs)
start, end = int(found.start_logits.argmax()), int(found.end_logits.argmax())
print(context[offsets[start][0] : offsets[end][1]])"""
"""transformers has had no pipeline for questions since version 5."""


def _template() -> str:
    # Lines that hold only a tag leave no empty line behind: a Markdown table must stand whole.
    text = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"^(\{%.*%\})\n", r"\1", text, flags=re.MULTILINE)


def _public(text: str) -> str:
    """Take out of a text what must never be published: tokens, and where things lie."""
    return _FOLDERS.sub("", SECRET.sub("[removed]", text))


def _public_score(score: Score) -> Score:
    return replace(score, task=_public(score.task), dataset=_public(score.dataset))


def _cell(value: object) -> str:
    """Write a value as one cell of a Markdown table."""
    return " ".join(_public(str(value)).split()).replace("|", "\\|")


def _cells(score: Score) -> dict[str, Any]:
    names = {name: _cell(getattr(score, name)) for name in ("task", "dataset", "split", "metric")}
    return {**names, "value": float(score.value)}
