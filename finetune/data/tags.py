"""Tags of words read as BIO whatever their scheme, mended where they break it, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from finetune.data.entities import Entity, in_order
from thaitok.errors import UserError

MENDED = "I- tags without an entity before them, made B-"
CROSSING = "entities that cross an earlier one, dropped"
REPEATED = "entities given twice, taken once"

PLACES = {"B": "B", "I": "I", "E": "I", "L": "I", "M": "I", "S": "B", "U": "B", "W": "B"}
"""The places of BIOES, BILOU and BMEWO in BIO: single words begin, last ones are inside."""


def read_bio(
    tags: Sequence[str], relabel: Mapping[str, str], repairs: Counter[str], where: str
) -> list[str]:
    """Return tags as BIO, types renamed.

    Read are BIO, BIOES, BILOU and BMEWO, with - or _ after the place (LST20 writes B_PER). An I-X
    at the start, after O or after another type's tag becomes B-X: so does conlleval (CoNLL 2000)
    read it. Raises `UserError` for a tag that is none of these.
    """
    found: list[str] = []
    before = "O"
    for tag in tags:
        read = _one_tag(tag, relabel, where)
        if read[0] == "I" and before[2:] != read[2:]:
            read = "B" + read[1:]
            repairs[MENDED] += 1
        found.append(read)
        before = read
    return found


def _one_tag(tag: str, relabel: Mapping[str, str], where: str) -> str:
    if tag == "O":
        return tag
    if tag[:1] not in PLACES or tag[1:2] not in ("-", "_") or len(tag) < 3:
        raise UserError(f"tag {tag!r} is not BIO", where=where, do="write O, B-TYPE or I-TYPE")
    kind = relabel.get(tag[2:], tag[2:])
    return "O" if kind == "O" else f"{PLACES[tag[0]]}-{kind}"


def nest(entities: Sequence[Entity], repairs: Counter[str]) -> list[Entity]:
    """Order entities by first word, then the longer first; leave out repeated and crossing ones.

    Two cross that overlap with neither inside the other: no model of layers or brackets can
    give both, so the later one is dropped.
    """
    once = sorted(set(entities), key=in_order)
    repairs[REPEATED] += len(entities) - len(once)
    kept: list[Entity] = []
    open_ends: list[int] = []
    for entity in once:
        start, end, _ = entity
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if open_ends and open_ends[-1] < end:
            repairs[CROSSING] += 1
            continue
        open_ends.append(end)
        kept.append(entity)
    return kept
