"""The baselines of spans: a dictionary of entities, and the window that shares most words."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from finetune.data.entities import parse_entities
from finetune.measure.naive import Predict, Rows

SURE = 0.5
"""Share of a run's occurrences in training that must be an entity of a type to say so."""


def dictionary(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Look up every run of words that was an entity of training, whatever lies within another.

    A run has the types that it had in at least half of its occurrences in training; where none
    had, it is none.
    """
    types: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for example in train:
        for first, end, kind in parse_entities(example.gold):
            types[example.words[first:end]][kind] += 1
    longest = max(map(len, types), default=0)
    seen = Counter(run for row in train for _, _, run in _runs(row.words, longest) if run in types)
    known = {
        run: tuple(sorted(kind for kind, count in kinds.items() if count >= SURE * seen[run]))
        for run, kinds in types.items()
    }

    def look_up(words: Sequence[str]) -> list[str]:
        found = _runs(words, longest)
        return [f"{a}:{b}:{kind}" for a, b, run in found for kind in known.get(run, ())]

    return lambda rows: [look_up(row.words) for row in rows]


def _runs(words: Sequence[str], longest: int) -> Iterable[tuple[int, int, tuple[str, ...]]]:
    """Yield each run of up to `longest` words: first, end, words; of one first the longer first."""
    for first in range(len(words)):
        for end in range(min(first + longest, len(words)), first, -1):
            yield first, end, tuple(words[first:end])


FADE, AFTER = 0.95, 0.3
"""How a shared word fades with each word between it and the answer, and what it is worth when it
comes after. Of a few pairs the best on 400 training rows of iapp_wiki_qa_squad."""


def word_overlap(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Answer the run of words that stands nearest to those that the question shares.

    A sliding window (Richardson et al. 2013, D13-1020) of newmm's words, as long as the mean
    answer of training: the shared words before it and after it count, the nearer and the rarer in
    the contexts of training the more; a shared word within it counts twice against it.
    """
    sizes = [len(_words(answer)) for row in train for answer in row.gold[:1]]
    size = max(round(statistics.fmean(sizes)), 1) if sizes else 1
    contexts = [set(_words(text)) for text in dict.fromkeys(row.text for row in train)]
    often = Counter(word for words in contexts for word in words)

    def rarity(word: str) -> float:
        return math.log((1 + len(contexts)) / (1 + often[word])) + 1 if word.strip() else 0.0

    def answer(context: str, question: str) -> str:
        words, asked = _words(context), set(_words(question))
        starts = [at for at in range(len(words) - size + 1) if words[at].strip()] or [0]
        first = _best_run([rarity(word) if word in asked else 0.0 for word in words], starts, size)
        return "".join(words[first : first + size]).strip() or context

    return lambda rows: [[answer(row.text, row.pair or "")] for row in rows]


def _best_run(hits: Sequence[float], starts: Sequence[int], size: int) -> int:
    """Return the start of the run of `size` words that lies nearest to hits and holds none."""
    before = [0.0]
    for hit in hits:
        before.append(FADE * (before[-1] + hit))
    after = [0.0]
    for hit in reversed(hits):
        after.append(FADE * (after[-1] + hit))
    after.reverse()

    def worth(first: int) -> float:
        end = min(first + size, len(hits))
        return before[first] + AFTER * after[end] - 2 * sum(hits[first:end])

    return max(starts, key=worth)


@lru_cache(maxsize=2**14)
def _words(text: str) -> tuple[str, ...]:
    from pythainlp.tokenize import word_tokenize

    return tuple(word_tokenize(text, engine="newmm"))
