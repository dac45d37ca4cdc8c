"""Rows of gold data: from what a file or the Hub holds to an example, checked one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finetune.data.answers import UNANSWERABLE, read_answers
from finetune.data.clusters import split_clusters
from finetune.data.columns import (
    Row,
    cell,
    find_column,
    label_of,
    labels_of,
    optional_cell,
    strings_of,
    text_of,
)
from finetune.data.entities import Entity, entities_of, write_entities
from finetune.data.kinds import Kind, Task
from finetune.data.tags import nest, read_bio
from finetune.model.align import locate_words
from thaitok.alignment import Span, join_words
from thaitok.errors import UserError

NO_WORDS = "rows without words, dropped"
NO_ANSWER = "questions without an answer, dropped"
INSIDE = "word borders inside a cluster, left out"

Repairs = Counter[str]


@dataclass(frozen=True, slots=True)
class Example:
    """One gold row.

    `gold` by the task's kind: sequence, the one label; multilabel, those that hold; ner and pos, a
    tag for each of `words`; words, a tag B or I for each grapheme cluster, which `words` then are;
    nested, an entity each as "FIRST:END:TYPE" in numbers of words, END excluded, in the order of
    FIRST, then the longer first; qa, the answers, each as it stands in `text`.

    `text` is what is read (of qa, the context), `pair` the second text of a pair (of qa, the
    question). `spans` are characters in `text`: of each word, or of each answer. `where` is
    FILE:LINE, or the Hub's split and row.
    """

    text: str
    gold: tuple[str, ...]
    where: str
    words: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    pair: str | None = None


def read_rows(task: Task, rows: Iterable[tuple[str, Row]], repairs: Repairs) -> list[Example]:
    """Read raw rows, each with its place; what is mended or dropped is counted in `repairs`.

    Raises `UserError` naming the place for a row that only its owner can mend.
    """
    read = READERS[task.kind]
    examples = (read(task, where, row, repairs) for where, row in rows)
    return [example for example in examples if example is not None]


def _sequence(task: Task, where: str, row: Row, repairs: Repairs) -> Example:
    text = text_of(cell(task, "text", row, where), "text", where)
    pair = None
    if "pair" in task.chosen or find_column(task, "pair", row) is not None:
        pair = text_of(cell(task, "pair", row, where), "pair", where)
    label = label_of(cell(task, "label", row, where), where)
    return Example(text, (task.relabel.get(label, label),), where, pair=pair)


def _multilabel(task: Task, where: str, row: Row, repairs: Repairs) -> Example:
    text = text_of(cell(task, "text", row, where), "text", where)
    labels = labels_of(cell(task, "label", row, where), where)
    found = sorted({task.relabel.get(label, label) for label in labels})
    return Example(text, tuple(found), where)


def _tagged(task: Task, where: str, row: Row, repairs: Repairs) -> Example | None:
    words = _words(task, where, row)
    tags = strings_of(_named_tags(task, where, row), "tags", where)
    if len(words) != len(tags):
        raise UserError(f"{len(words)} tokens but {len(tags)} tags", where=where)
    if not words:
        repairs[NO_WORDS] += 1
        return None
    if task.kind == "ner":
        tags = read_bio(tags, task.relabel, repairs, where)
    else:
        tags = [task.relabel.get(tag, tag) for tag in tags]
    text, spans = _joined(task, row, words, where)
    return Example(text, tuple(tags), where, tuple(words), tuple(spans))


def _named_tags(task: Task, where: str, row: Row) -> Any:
    tags = cell(task, "label", row, where)
    if isinstance(tags, list) and all(isinstance(tag, int) for tag in tags) and tags:
        raise UserError(
            "tags are numbers without their names", where=where, do="write the tags themselves"
        )
    return tags


def _clusters(task: Task, where: str, row: Row, repairs: Repairs) -> Example | None:
    words = [word for word in _words(task, where, row) if word]
    if not words:
        repairs[NO_WORDS] += 1
        return None
    text, word_spans = _joined(task, row, words, where)
    spans = split_clusters(text)
    begins = {start for start, _ in word_spans} | {end for _, end in word_spans}
    repairs[INSIDE] += len(begins - {start for start, _ in spans} - {len(text)})
    gold = tuple("B" if start in begins or start == 0 else "I" for start, _ in spans)
    clusters = tuple(text[start:end] for start, end in spans)
    return Example(text, gold, where, clusters, tuple(spans))


def _nested(task: Task, where: str, row: Row, repairs: Repairs) -> Example | None:
    words = _words(task, where, row)
    if not words:
        repairs[NO_WORDS] += 1
        return None
    given = cell(task, "label", row, where)
    layered = isinstance(given, Mapping) or (
        isinstance(given, list) and bool(given) and isinstance(given[0], list)
    )
    read = _layers if layered else _entities
    entities = nest(read(task, given, len(words), repairs, where), repairs)
    text, spans = _joined(task, row, words, where)
    return Example(text, tuple(write_entities(entities)), where, tuple(words), tuple(spans))


def _entities(task: Task, given: Any, many: int, repairs: Repairs, where: str) -> list[Entity]:
    """Read entities as Thai-NNER writes them: {"span": [first word, end], "entity_type": type}."""
    found: list[Entity] = []
    for one in given if isinstance(given, list) else [given]:
        try:
            first, end = map(int, one["span"])
            kind = label_of(one["entity_type"], where)
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"{one!r} is no entity", where=where,
                do='write {"span": [FIRST WORD, END], "entity_type": "TYPE"}',
            ) from None  # fmt: skip
        if not 0 <= first < end <= many:
            raise UserError(f"span {first}:{end} is not within {many} words", where=where)
        kind = task.relabel.get(kind, kind)
        if kind != "O":
            found.append((first, end, kind))
    return found


def _layers(task: Task, given: Any, many: int, repairs: Repairs, where: str) -> list[Entity]:
    """Read entities from layers, each the tags of all words."""
    found: list[Entity] = []
    for layer in given.values() if isinstance(given, Mapping) else given:
        tags = strings_of(layer, "layer", where)
        if len(tags) != many:
            raise UserError(f"{many} tokens but {len(tags)} tags", where=where)
        found.extend(entities_of(read_bio(tags, task.relabel, repairs, where)))
    return found


def _question(task: Task, where: str, row: Row, repairs: Repairs) -> Example | None:
    text = text_of(cell(task, "text", row, where), "text", where)
    question = text_of(cell(task, "pair", row, where), "pair", where)
    given = cell(task, "label", row, where)
    spans = read_answers(text, given, repairs, where)
    if not spans:
        repairs[NO_ANSWER if spans is None else UNANSWERABLE] += 1
        return None
    gold = tuple(text[start:end] for start, end in spans)
    return Example(text, gold, where, spans=tuple(spans), pair=question)


def _words(task: Task, where: str, row: Row) -> list[str]:
    words = strings_of(cell(task, "tokens", row, where), "tokens", where)
    return [task.respell.get(word, word) for word in words]


def _joined(task: Task, row: Row, words: Sequence[str], where: str) -> tuple[str, list[Span]]:
    """Return the row's text with the words' spans: as given, else by space_after, else joined."""
    text = optional_cell(task, "text", row, where)
    if isinstance(text, str):
        spans = locate_words(words, text)
        if spans is None:
            raise UserError("tokens do not rebuild text", where=where, do="mend or drop text")
        return text, spans
    space_after = optional_cell(task, "space_after", row, where) or ()
    if space_after and len(space_after) != len(words):
        raise UserError(f"{len(words)} tokens but {len(space_after)} space_after", where=where)
    return join_words(words, space_after)


READERS: Mapping[Kind, Callable[[Task, str, Row, Repairs], Example | None]] = {
    "sequence": _sequence,
    "multilabel": _multilabel,
    "ner": _tagged,
    "pos": _tagged,
    "words": _clusters,
    "nested": _nested,
    "qa": _question,
}
