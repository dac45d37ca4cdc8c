"""Rules compiled: a table of them applied to many texts, each rule only where it can matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from thaitok.triggers import ALWAYS, BLOCK_CHARS, Lookout, Trigger

Text = Callable[[str], str]

ROUNDS = 8
"""How often a table is gone through at most. What a rule takes out may have parted what another
one seeks (`&amp;nbsp;`), so texts are cleaned until nothing changes: nearly always twice. Without
an end, `&amp;amp;amp;...` takes quadratic time: 40 kB of it took 13 s."""

SHORT = 600
"""Characters up to which a single text is not worth a look by numpy, 50 µs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Replace what `pattern` matches by the literal `replacement`, or rewrite in Python.

    Patterns keep to what Python's `re` and Oniguruma (inside `tokenizers`) read alike:
    literals, character classes, look-around; no shorthand classes, no group references.
    A rule with a pattern and a `rewrite` is one change said twice, the second way faster.
    `triggers` are what a text must hold to be changed (any of them; none: it is always tried).
    A rule of `layout` changes white space alone and can set off no rule before it; a `last` rule
    sets off no rule at all, so that it is applied once, when the others have nothing to do.
    """

    name: str
    why: str
    pattern: str = ""
    replacement: str = ""
    rewrite: Text | None = None
    triggers: tuple[Trigger, ...] = ()
    layout: bool = False
    last: bool = False

    @property
    def literal(self) -> bool:
        """Whether the pattern is a plain string."""
        return not set(self.pattern) & set("[](){}|?*+^$.\\")

    def compiled(self) -> Text:
        """Return the rule as a Python function."""
        if self.rewrite is not None:
            return self.rewrite
        if self.literal:
            return lambda text: text.replace(self.pattern, self.replacement)
        pattern = re.compile(self.pattern)
        return lambda text: pattern.sub(self.replacement, text)


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule of this name changed in a text: its first place, with what stands around."""

    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Step:
    """Neighbouring rules of one name and the bits of their triggers."""

    name: str
    rules: tuple[Text, ...]
    bits: int
    guards: tuple[re.Pattern[str], ...]
    """What the rules match, where there are so many that a look before saves time.

    One by one: `re` finds where a class may begin three times as fast without `|`."""
    layout: bool
    last: bool

    def __call__(self, text: str) -> str:
        for rule in self.rules:
            text = rule(text)
        return text


class Passes:
    """A table of rules, compiled. Its results are those of the rules applied one by one."""

    def __init__(self, table: Sequence[Rule], rounds: int = ROUNDS) -> None:
        self.table = tuple(table)
        self.rounds = rounds

    @cached_property
    def _lookout(self) -> Lookout:
        return Lookout(list(dict.fromkeys(t for rule in self.table for t in rule.triggers)))

    @cached_property
    def _steps(self) -> tuple[_Step, ...]:
        steps = []
        for (name, triggers, layout, last), group in groupby(
            self.table, key=lambda rule: (rule.name, rule.triggers, rule.layout, rule.last)
        ):
            bits = 0
            for trigger in triggers:
                bits |= self._lookout.bits[trigger]
            rules = tuple(rule.compiled() for rule in group)
            guards = tuple(map(_as_pattern, triggers)) if len(rules) > 2 else ()
            steps.append(_Step(name, rules, bits or ALWAYS, guards, layout, last))
        return tuple(steps)

    @cached_property
    def _layout(self) -> int:
        """The bits of all rules of layout: each of them may set off the next."""
        bits = 0
        for step in self._steps:
            bits |= step.bits if step.layout else 0
        return bits

    def one(self, text: str) -> str:
        """Apply the table to a text."""
        if len(text) > SHORT:
            return self._looked_at(text)
        for _ in range(self.rounds):
            start = text
            for step in self._steps:
                if step.last or (step.guards and not any(g.search(text) for g in step.guards)):
                    continue
                text = step(text)
            if text == start:
                break
        for step in self._steps:
            text = step(text) if step.last else text
        return text

    def _looked_at(self, text: str) -> str:
        """Apply the table to one text as `_settled` does to many."""
        awake = found = self._lookout.look_at(text)
        for _ in range(self.rounds):
            changed = False
            for step in self._steps:
                if step.last or not awake & step.bits or (after := step(text)) == text:
                    continue
                text = after
                if step.layout:
                    awake |= self._layout
                else:
                    changed = True
                    awake = found = self._lookout.look_at(text)
            if not changed:
                break
        for step in self._steps:
            text = step(text) if step.last and found & step.bits else text
        return text

    def many(self, texts: Sequence[str]) -> list[str]:
        """Apply the table to many texts; a megabyte at a time is looked at together."""
        done: list[str] = []
        for block in _blocks(texts):
            done += self._settled(list(block))
        return done

    def _settled(self, texts: list[str]) -> list[str]:
        """Go through the table, rule by rule over all texts, until none of them changes."""
        import numpy as np

        found = self._lookout.look(texts)
        awake = found.copy()
        for _ in range(self.rounds):
            changed = np.zeros(len(texts), dtype=bool)
            for step in self._steps:
                if step.last:
                    continue
                touched = _apply(step, texts, np.flatnonzero(awake & step.bits).tolist())
                if touched and step.layout:
                    awake[touched] |= self._layout
                elif touched:
                    changed[touched] = True
                    found[touched] = self._lookout.look([texts[number] for number in touched])
                    awake[touched] = found[touched]
            if not changed.any():
                break
            awake[~changed] = 0
        for step in self._steps:
            if step.last:
                _apply(step, texts, np.flatnonzero(found & step.bits).tolist())
        return texts

    def changes(self, text: str) -> list[Change]:
        """Return what each rule changed, by name in the order in which they did."""
        found: dict[str, Change] = {}

        def applied(steps: Iterable[_Step], text: str) -> str:
            for step in steps:
                before, text = text, step(text)
                if before != text:
                    found.setdefault(step.name, _first_change(step.name, before, text))
            return text

        for _ in range(self.rounds):
            start = text
            text = applied((step for step in self._steps if not step.last), text)
            if text == start:
                break
        applied((step for step in self._steps if step.last), text)
        return list(found.values())


def _as_pattern(trigger: Trigger) -> re.Pattern[str]:
    """Return a trigger as what `re` finds; not for surrogates, which no text holds."""
    if trigger.then:
        return re.compile(trigger.units + trigger.then)
    times = {"once": "", "twice": "{2}", "run": "{4}"}[trigger.kind]
    return re.compile(trigger.units + times)


def _apply(step: _Step, texts: list[str], numbers: list[int]) -> list[int]:
    """Apply a step to the texts of these numbers; return the numbers of those that changed."""
    touched = []
    for number in numbers:
        before = texts[number]
        after = step(before)
        if after is not before and after != before:
            texts[number] = after
            touched.append(number)
    return touched


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first = size = 0
    for number, text in enumerate(texts):
        if size and size + len(text) > BLOCK_CHARS:
            yield texts[first:number]
            first, size = number, 0
        size += len(text)
    yield texts[first:]


_AROUND = 30


def _first_change(name: str, before: str, after: str) -> Change:
    """Cut both texts to their first difference with `_AROUND` characters on each side."""
    place = 0
    shorter = min(len(before), len(after))
    while place < shorter and before[place] == after[place]:
        place += 1
    tail = 0
    while tail < shorter - place and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    start, most = max(0, place - _AROUND), place + 3 * _AROUND
    return Change(
        name,
        before[start : min(most, len(before) - tail + _AROUND)],
        after[start : min(most, len(after) - tail + _AROUND)],
    )
