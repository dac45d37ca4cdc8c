"""Three benchmark tasks whose labels are known from how each sentence was made."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from corpora.synthetic.grammar import Grammar, Word, expand, text_of
from corpora.synthetic.words import DOMAINS, fold

LABEL_NOISE = 0.05
"""Share of sentiments labelled wrongly, as annotators do: no model can score 1."""

LABELS = {"positive": 0.3, "negative": 0.3, "neutral": 0.25, "question": 0.15}
"""Sentiments and their shares."""

FOLDS = {"train": range(7), "validation": range(7, 8), "test": range(8, 10)}
"""Tenths of the people's names that each split draws from: none stands in two splits."""

Example = dict[str, Any]
Make = Callable[[Grammar, random.Random], Example]


def make_task(
    name: str, sizes: Mapping[str, int], grammar: Grammar, seed: int
) -> dict[str, list[Example]]:
    """Make the splits of a task; no sentence stands twice, within a split or in two of them."""
    seen: set[str] = set()
    made: dict[str, list[Example]] = {}
    for split, size in sizes.items():
        rng = random.Random(f"{seed}/{name}/{split}")
        source = _distinct(MAKERS[name], fold(grammar, FOLDS[split]), rng, seen)
        made[split] = [next(source) for _ in range(size)]
        if name == "demo_sentiment":
            _mislabel(made[split], rng)
    return made


def _distinct(
    make: Make, grammar: Grammar, rng: random.Random, seen: set[str]
) -> Iterator[Example]:
    while True:
        example = make(grammar, rng)
        text = example.get("text") or "".join(example["tokens"])
        if text not in seen:
            seen.add(text)
            yield example


def sentiment_text(label: str, domain: str, grammar: Grammar, rng: random.Random) -> str:
    """Write a short review, question or remark of the label about something of the domain."""
    text = text_of(expand(f"{{{label}}}", grammar, rng, domain))
    if label != "question" and rng.random() < 0.4 and text[-1] >= "ก":
        text += text_of(expand("{ending}", grammar, rng))
    if rng.random() < 0.5:
        text = text_of(expand("{opener} ", grammar, rng)) + text
    if rng.random() < 0.25:
        text += text_of(expand(rng.choice((" {emoji}", " {laugh}")), grammar, rng))
    return text


def _sentiment(grammar: Grammar, rng: random.Random) -> Example:
    label = rng.choices(list(LABELS), list(LABELS.values()))[0]
    return {"text": sentiment_text(label, rng.choice(DOMAINS), grammar, rng), "label": label}


def _mislabel(examples: list[Example], rng: random.Random) -> None:
    for example in rng.sample(examples, round(LABEL_NOISE * len(examples))):
        example["label"] = rng.choice([label for label in LABELS if label != example["label"]])


def _ner(grammar: Grammar, rng: random.Random) -> Example:
    pattern = "{ner} {ner}" if rng.random() < 0.25 else "{ner}"
    words = expand(pattern, grammar, rng)
    return {"tokens": [word.text for word in words], "tags": [word.entity for word in words]}


def _pos(grammar: Grammar, rng: random.Random) -> Example:
    pattern = "{pos} {pos}" if rng.random() < 0.3 else "{pos}"
    words = expand(pattern, grammar, rng)
    real = [word for word in words if word.text != " "]
    return {
        "tokens": [word.text for word in real],
        "tags": [word.upos for word in real],
        "space_after": _space_after(words),
    }


def _space_after(words: list[Word]) -> list[bool]:
    following = [*(word.text for word in words[1:]), ""]
    return [after == " " for word, after in zip(words, following, strict=True) if word.text != " "]


MAKERS: dict[str, Make] = {"demo_sentiment": _sentiment, "demo_ner": _ner, "demo_pos": _pos}
"""How an example of each task is made."""
