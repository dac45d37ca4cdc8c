"""Gold files as they come: words, entities over words, answers in contexts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from thaitok.compare.text import name_of, read_json_lines, sound_text
from thaitok.errors import UserError

Span = tuple[int, int]
"""First character and the one after the last."""


@dataclass(frozen=True, slots=True)
class GoldText:
    """A text with the spans of its words, white space left out, and of its entities or answers."""

    text: str
    words: tuple[Span, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldFile:
    """What a gold file holds. `spans` says what its spans are, None where it has none."""

    name: str
    texts: tuple[GoldText, ...]
    has_words: bool
    spans: Literal["entities", "answers"] | None
    left_out: int = 0
    """Answers that do not stand where the file says."""


def read_gold(path: Path) -> GoldFile:
    """Read JSON lines of one of the known shapes, by their fields.

    `tokens` (or `words`), with `space_after` where spaces are not tokens themselves: wisesight1000,
    ORCHID++, UD; with BIO `tags`: ThaiNER; with nested `entities` over the words, whose "_" is a
    space: Thai-NNER. `context` and `answers` {text, answer_start}: SQuAD, iapp. Raises `UserError`.
    """
    records = list(read_json_lines(path))
    if not records:
        raise UserError("holds no record", where=path)
    first = records[0][1]
    if "context" in first and "answers" in first:
        return _read_answers(path, records)
    if "tokens" in first or "words" in first:
        return _read_words(path, records)
    raise UserError(
        f"has none of the known fields, but {', '.join(first)}",
        where=f"{path}:{records[0][0]}",
        do="give records with tokens, or with context and answers",
    )


def _read_words(path: Path, records: Sequence[tuple[int, Mapping[str, Any]]]) -> GoldFile:
    tags = (str(tag) for _, record in records for tag in record.get("tags") or ())
    tagged = any(tag.startswith("B-") for tag in tags)
    nested = "entities" in records[0][1]
    texts = []
    for number, record in records:
        try:
            words = [sound_text(word) for word in record.get("tokens", record.get("words"))]
            after = [bool(one) for one in record.get("space_after") or [False] * len(words)]
            _same_number(words=words, space_after=after)
            if nested:
                words = [" " if word == "_" else word for word in words]
                entities = [(int(one), int(two)) for one, two in _nested(record)]
            else:
                entities = list(_tagged(record["tags"])) if tagged else []
                _same_number(words=words, **({"tags": record["tags"]} if tagged else {}))
            texts.append(_joined(words, after, entities))
        except (TypeError, ValueError, LookupError, AttributeError) as err:
            said = f"its words, spaces and tags do not go together: {err}"
            raise UserError(said, where=f"{path}:{number}") from None
    spans: Literal["entities"] | None = "entities" if tagged or nested else None
    return GoldFile(name_of(path), tuple(texts), True, spans)


def _same_number(**lists: Sequence[Any]) -> None:
    (name, first), *others = lists.items()
    for other, values in others:
        if len(values) != len(first):
            raise ValueError(f"{len(first)} {name}, {len(values)} {other}")


def _joined(words: Sequence[str], after: Sequence[bool], entities: Iterable[Span]) -> GoldText:
    """Join words to their text; entities are spans of words and become spans of characters."""
    parts = [word + " " * space for word, space in zip(words, after, strict=True)]
    starts = [0, *accumulate(map(len, parts))]
    where = [_trimmed(start, word) for start, word in zip(starts, words, strict=False)]
    spans = [(where[one][0], where[two - 1][1]) for one, two in entities]
    full = [span for span in where if span[0] < span[1]]
    return GoldText("".join(parts), tuple(full), tuple(one for one in spans if one[0] < one[1]))


def _trimmed(start: int, word: str) -> Span:
    begin = start + len(word) - len(word.lstrip())
    return begin, max(begin, start + len(word.rstrip()))


def _tagged(tags: Sequence[str]) -> Iterator[Span]:
    """Yield the entities of BIO tags as spans of words; a tag of another form means O.

    An I- after another type or after O begins an entity, as in conlleval.
    """
    begin, kind = 0, ""
    for number, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        inside = name if mark in ("B", "I") else ""
        if kind and (mark == "B" or inside != kind):
            yield begin, number
            kind = ""
        if inside and not kind:
            begin, kind = number, inside


def _nested(record: Mapping[str, Any]) -> Iterator[Sequence[int]]:
    for entity in record["entities"]:
        one, two = entity["span"]
        if 0 <= one < two <= len(record["tokens"]):
            yield one, two


def _read_answers(path: Path, records: Sequence[tuple[int, Mapping[str, Any]]]) -> GoldFile:
    """Gather the answers of each context: several questions share one."""
    found: dict[str, set[Span]] = {}
    left_out = 0
    for number, record in records:
        try:
            context = sound_text(record["context"])
            spans = found.setdefault(context, set())
            answers = record["answers"]
            _same_number(text=answers["text"], answer_start=answers["answer_start"])
            for text, start in zip(answers["text"], answers["answer_start"], strict=True):
                span = _trimmed(start, text)
                if context[start : start + len(text)] == text and span[0] < span[1]:
                    spans.add(span)
                else:
                    left_out += 1
        except (TypeError, ValueError, LookupError, AttributeError) as err:
            said = f"its context and answers do not go together: {err}"
            raise UserError(said, where=f"{path}:{number}") from None
    texts = tuple(GoldText(text, spans=tuple(sorted(spans))) for text, spans in found.items())
    return GoldFile(name_of(path), texts, False, "answers", left_out)
