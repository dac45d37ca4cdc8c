"""Answers of questions: found in their context, moved to where they stand, or dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from thaitok.alignment import Span
from thaitok.errors import UserError

MOVED = "answers moved to where they stand"
MISALIGNED = "misaligned answers, dropped"
UNANSWERABLE = "questions with misaligned answers alone, dropped"


def read_answers(context: str, given: Any, repairs: Counter[str], where: str) -> list[Span] | None:
    """Return the spans of the answers in the context; None for a question without any.

    An empty list is a question of misaligned answers alone.

    `given` is SQuAD's {"text": [...], "answer_start": [...]}, a list of {"text", "answer_start"},
    or the answer alone. An answer that does not stand where its start says is moved when it
    stands elsewhere exactly once, and dropped otherwise, each counted. One given without a start
    is taken where it stands first.
    """
    answers = [(text, start) for text, start in _pairs(given, where) if text.strip()]
    if not answers:
        return None
    spans = [_locate(context, text, start, repairs) for text, start in answers]
    return [span for span in spans if span is not None]


def _locate(context: str, text: str, start: int | None, repairs: Counter[str]) -> Span | None:
    if start is not None and start >= 0 and context.startswith(text, start):
        return start, start + len(text)
    first = context.find(text)
    if first >= 0 and start is None:
        return first, first + len(text)
    if first >= 0 and context.find(text, first + 1) < 0:
        repairs[MOVED] += 1
        return first, first + len(text)
    repairs[MISALIGNED] += 1
    return None


def _pairs(given: Any, where: str) -> list[tuple[str, int | None]]:
    if given is None:
        return []
    if isinstance(given, str):
        return [(given, None)]
    try:
        if isinstance(given, Mapping):
            texts = list(given["text"])
            starts = list(given.get("answer_start") or [None] * len(texts))
            pairs = list(zip(texts, starts, strict=True))
        else:
            pairs = [(one["text"], one.get("answer_start")) for one in given]
    except (KeyError, TypeError, ValueError, AttributeError):
        pairs = [(None, None)]
    for text, start in pairs:
        if not isinstance(text, str) or not (start is None or isinstance(start, int)):
            raise UserError(
                "answers are not as in SQuAD", where=where,
                do='write {"text": ["..."], "answer_start": [NUMBER]}',
            )  # fmt: skip
    return pairs
