"""What stays together in newmm, as tables of states: Thai character clusters, and other runs.

The rules are those of nlpo3 1.4 (src/tokenizer/tcc/tcc_rules.rs, newmm.rs), its slips included:
words are to be cut as nlpo3 cuts them. Clusters are those of Theeramunkong et al. 2000 (CiteSeerX
10.1.1.59.2548).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RULES = (
    "เc็ck", "เcctาะk", "เccีtยะk", "เcc็ck", "เcิc์ck", "เcิtยK<", "เcิtck", "เcีtยK<", "เcีtยะ?k",
    "เcืtอะ?k", "เctา?ะ?k", "cัtวะk", "c[ัื]tc[ุิะ]?k", "c[ิุู]์k", "c[ะ-ู]tk", "cรรc์ ็", "c็",
    "ct[ะาำ]?k", "แc็c", "แcc์", "แctะ", "แcc็c", "แccc์", "โctะ", "[เ-ไ]ct",
)  # fmt: skip
"""The first that fits a place counts, and its longest reading.

c is a consonant, t a tone mark or none, K a silenced end, k that or none. `<` leaves the last
character to the next cluster: nlpo3's two rules that look ahead do so to what its rules 6 and 7
have found. Rules of it that never come first (17 and from 25 on) are left out.
"""
CONSONANTS = tuple(map(chr, range(ord("ก"), ord("ฮ") + 1)))
CONSONANT, TONE = "[ก-ฮ]", "[่-๋]?"
SILENCED_END = f"{CONSONANT}{CONSONANT}?[ูุิ]?์"

CHARACTERS = (" ", *map(chr, range(ord("ก"), ord("๎") + 1)))
"""All that a rule speaks of."""

Item = tuple[str, int]
"""Characters that fit a place of a rule, and how many places fall away if none of them stands
there; 0: one has to."""

Thread = tuple[int, int]
"""A rule, and the place in it that is reached."""

State = tuple[tuple[Thread, ...], int]
"""Threads that are alive, the first preferred, and what is accepted here."""


class States(NamedTuple):
    """An automaton; numba takes it. The search begins in state 1 and ends in state 0."""

    following: NDArray[np.int16]
    """The next state, shape (states, symbols)."""
    accepted: NDArray[np.int16]
    """Of each state: 1 where a match ends here, 2 where one character before, else 0."""


LETTER, DIGIT, THAI_DIGIT, POINT, BLANK, RETURN, NEWLINE = range(1, 8)
"""Kinds of characters; others have 0."""
KINDS = {
    LETTER: "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    DIGIT: "0123456789",
    THAI_DIGIT: "๐๑๒๓๔๕๖๗๘๙",
    POINT: ",.",
    BLANK: " \t",
    RETURN: "\r",
    NEWLINE: "\n",
}
_RUN, _NUMBER, _THAI_NUMBER, _BLANKS, _LINE, _POINT, _THAI_POINT, _LINE_BEGUN = range(2, 10)
_RUNS = {
    **{(1, LETTER): _RUN, (_RUN, LETTER): _RUN},
    **{(1, DIGIT): _NUMBER, (_NUMBER, DIGIT): _NUMBER, (_POINT, DIGIT): _NUMBER},
    **{(_NUMBER, POINT): _POINT, (_THAI_NUMBER, POINT): _THAI_POINT},
    **{(one, THAI_DIGIT): _THAI_NUMBER for one in (1, _THAI_NUMBER, _THAI_POINT)},
    **{(1, BLANK): _BLANKS, (_BLANKS, BLANK): _BLANKS},
    **{(1, RETURN): _LINE_BEGUN, (1, NEWLINE): _LINE, (_LINE_BEGUN, NEWLINE): _LINE},
}
"""Letters, numbers with points inside, blanks, an end of line: NON_THAI_PATTERN of newmm.rs."""


def run_states(symbols: Mapping[str, int], many: int) -> States:
    """Return what runs on outside of words, for characters numbered by `symbols`, below `many`."""
    following = np.zeros((_LINE_BEGUN + 1, many), np.int16)
    for (state, kind), found in _RUNS.items():
        following[state, [symbols[character] for character in KINDS[kind]]] = found
    accepted = np.zeros(len(following), np.int16)
    accepted[_RUN : _LINE + 1] = 1
    return States(following, accepted)


def cluster_states(symbols: Mapping[str, int], many: int) -> States:
    """Compile the rules of clusters, for characters numbered by `symbols`, below `many`.

    The automaton is the one of RE2 and of Rust's regex: threads keep the order of the rules, and
    those behind one that has come to its end are dropped, so the last state that accepts counts.
    """
    rules = [list(_items(rule)) for rule in RULES]
    begin = _ordered(one for rule in range(len(rules)) for one in _reached(rules, rule, 0))
    numbers: dict[State, int] = {((), 0): 0, (begin, 0): 1}
    rows = [np.zeros(many, np.int16)]
    waiting = deque([(begin, 0)])
    while waiting:
        threads, _ = waiting.popleft()
        rows.append(np.zeros(many, np.int16))
        for character in CHARACTERS:
            state = _step(rules, threads, character)
            if state not in numbers:
                numbers[state] = len(numbers)
                waiting.append(state)
            rows[-1][symbols[character]] = numbers[state]
    return States(np.stack(rows), np.array([accepted for _, accepted in numbers], np.int16))


def _items(rule: str) -> Iterator[Item]:
    """Spell a rule out, place by place."""
    for part in re.findall(r"[kK]|\[[^]]+]\??|[^<]\??", rule.replace("c", CONSONANT)):
        if part in "kK":
            end = list(_items(SILENCED_END))
            yield end[0][0], len(end) if part == "k" else 0
            yield from end[1:]
        elif part == "t":
            yield from _items(TONE)
        else:
            fit = re.compile(part.rstrip("?"))
            yield "".join(filter(fit.fullmatch, CHARACTERS)), int(part.endswith("?"))


def _reached(rules: list[list[Item]], rule: int, place: int) -> Iterator[Thread]:
    """Yield a place, and those after it that may come instead of it."""
    yield rule, place
    if place < len(rules[rule]) and (away := rules[rule][place][1]):
        yield from _reached(rules, rule, place + away)


def _ordered(threads: Iterable[Thread]) -> tuple[Thread, ...]:
    return tuple(dict.fromkeys(threads))


def _step(rules: list[list[Item]], threads: Iterable[Thread], character: str) -> State:
    """Return the state after a character."""
    fit = ((rule, place) for rule, place in threads if character in rules[rule][place][0])
    alive = _ordered(one for rule, place in fit for one in _reached(rules, rule, place + 1))
    for number, (rule, place) in enumerate(alive):
        if place == len(rules[rule]):
            return alive[:number], 2 if RULES[rule].endswith("<") else 1
    return alive, 0
