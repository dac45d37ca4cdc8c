"""Documents of the synthetic corpus, source by source, with what cleaning should drop."""

from __future__ import annotations

import random
from collections.abc import Callable

from corpora.synthetic.dirt import near_duplicate
from corpora.synthetic.grammar import Grammar, expand, text_of
from corpora.synthetic.tasks import LABELS, sentiment_text
from corpora.synthetic.words import DOMAINS

SOURCES = {
    "news.jsonl": 0.30,
    "reviews.jsonl.gz": 0.15,
    "social.jsonl": 0.15,
    "encyclopedia.txt": 0.25,
    "stories.csv": 0.15,
}
"""Files of `raw/` and their shares of the bytes."""

SHARES = {"exact": 0.03, "near": 0.03, "english": 0.02, "short": 0.02}
"""Share of the documents that are added as duplicates of either kind, English, or too short."""

LEAST_CHARS = 80
"""A document made on purpose is at least so long, to be far from those made too short."""


def make_documents(
    name: str, least_bytes: float, grammar: Grammar, rng: random.Random, seen: set[str]
) -> list[str]:
    """Write different documents of a source until there are enough bytes."""
    texts: list[str] = []
    size = 0
    while size < least_bytes or not texts:
        text = _WRITERS[name](grammar, rng)
        if text not in seen and len(text) >= LEAST_CHARS:
            seen.add(text)
            texts.append(text)
            size += len(text.encode())
    return texts


def add_unwanted(
    texts: list[str], grammar: Grammar, rng: random.Random, seen: set[str]
) -> dict[str, int]:
    """Add what cleaning should drop, and mix it in; returns how many of each kind."""
    counts = {kind: max(1, round(share * len(texts))) for kind, share in SHARES.items()}
    originals = list(texts)
    texts += rng.choices(originals, k=counts["exact"])
    texts += [
        _new(lambda: near_duplicate(rng.choice(originals), rng), seen)
        for _ in range(counts["near"])
    ]
    texts += [_new(lambda: _english(grammar, rng), seen) for _ in range(counts["english"])]
    texts += [_new(lambda: _some("{vocab}", grammar, rng), seen) for _ in range(counts["short"])]
    rng.shuffle(texts)
    return counts


def _new(write: Callable[[], str], seen: set[str]) -> str:
    while (text := write()) in seen:
        pass
    seen.add(text)
    return text


def _some(pattern: str, grammar: Grammar, rng: random.Random, times: int = 1) -> str:
    return " ".join(text_of(expand(pattern, grammar, rng)) for _ in range(times))


def _english(grammar: Grammar, rng: random.Random) -> str:
    return _some("{english_text}", grammar, rng, rng.randint(2, 4))


def _news(grammar: Grammar, rng: random.Random) -> str:
    paragraphs = [
        " ".join(_some(rng.choice(("{news}", "{ner}")), grammar, rng) for _ in range(times))
        for times in rng.choice(((3,), (2, 3), (3, 2, 2), (4, 3)))
    ]
    return "\n".join([_some("{headline}", grammar, rng), *paragraphs])


def _reviews(grammar: Grammar, rng: random.Random) -> str:
    """Write a review of one thing that mostly says the same of it."""
    domain, mood = rng.choice(DOMAINS), rng.choice(("positive", "negative"))
    labels = [rng.choice((mood, mood, *LABELS)) for _ in range(rng.randint(2, 5))]
    return " ".join(sentiment_text(label, domain, grammar, rng) for label in labels)


def _social(grammar: Grammar, rng: random.Random) -> str:
    return _some("{social}", grammar, rng, rng.randint(1, 4))


def _encyclopedia(grammar: Grammar, rng: random.Random) -> str:
    return _some("{encyclopedia}", grammar, rng, rng.randint(3, 7))


def _stories(grammar: Grammar, rng: random.Random) -> str:
    return _some("{pos}", grammar, rng, rng.randint(3, 9))


_WRITERS: dict[str, Callable[[Grammar, random.Random], str]] = {
    "news.jsonl": _news,
    "reviews.jsonl.gz": _reviews,
    "social.jsonl": _social,
    "encyclopedia.txt": _encyclopedia,
    "stories.csv": _stories,
}
"""How a document of each source is made."""
