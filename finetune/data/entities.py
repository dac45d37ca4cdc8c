"""Entities over words: read from BIO tags, and written FIRST:END:TYPE where they nest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Entity = tuple[int, int, str]
"""First word, end word (excluded), type."""


def in_order(entity: Entity) -> tuple[int, int, str]:
    """Order entities by their first word, the longer before the shorter."""
    first, end, kind = entity
    return first, -end, kind


def entities_of(tags: Iterable[str]) -> list[Entity]:
    """Return the entities of BIO tags, strictly: each begins with its B-.

    An I- that goes on from no B- or I- of its type belongs to none, as in seqeval's mode "strict"
    with scheme IOB2 (its default mode forgives that and scores higher).

    >>> entities_of(["B-PER", "I-PER", "O", "B-LOC"])
    [(0, 2, 'PER'), (3, 4, 'LOC')]
    """
    found: list[Entity] = []
    first, kind = -1, ""  # of the entity that is open; -1: none
    for at, tag in enumerate([*tags, "O"]):
        if first >= 0 and tag[:1] == "I" and tag[2:] == kind:
            continue
        if first >= 0:
            found.append((first, at, kind))
            first = -1
        if tag[:1] == "B":
            first, kind = at, tag[2:]
    return found


def parse_entities(row: Iterable[str]) -> list[Entity]:
    """Read entities written FIRST:END:TYPE.

    >>> parse_entities(["0:3:date", "2:3:cardinal"])
    [(0, 3, 'date'), (2, 3, 'cardinal')]
    """
    found = []
    for written in row:
        first, end, kind = written.split(":", 2)
        found.append((int(first), int(end), kind))
    return found


def write_entities(entities: Iterable[Entity]) -> list[str]:
    """Write entities FIRST:END:TYPE, in order."""
    return [f"{first}:{end}:{kind}" for first, end, kind in sorted(entities, key=in_order)]


def layer_tags(row: Sequence[str], words: int, layers: int) -> list[list[str]]:
    """Lay entities written FIRST:END:TYPE in layers of BIO tags: the outermost in the first.

    Of entities that do not cross, each lies in the layer of as many as stand around it; those
    that lie deeper than there are layers are left out.

    >>> layer_tags(["0:3:org", "1:3:loc"], 3, 2)
    [['B-org', 'I-org', 'I-org'], ['O', 'B-loc', 'I-loc']]
    """
    tags = [["O"] * words for _ in range(layers)]
    for first, end, kind in sorted(parse_entities(row), key=in_order):
        for layer in tags:  # the first in which its words are free
            if all(tag == "O" for tag in layer[first:end]):
                layer[first:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - first - 1)]
                break
    return tags
