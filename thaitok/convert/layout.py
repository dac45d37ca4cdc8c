"""Which id each piece has: the layouts that old folders were made in, by what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sentencepiece import sentencepiece_model_pb2

from thaitok.errors import UserError
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer_json import SPECIAL_TOKENS

if TYPE_CHECKING:
    from thaitok.convert.source import Source

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
"""SentencePiece's kinds of pieces (sentencepiece_model.proto)."""
UNIGRAM, BPE = 1, 2
"""SentencePiece's numbers of the model types."""

DEAD = "NOTUSED"
"""How the name of a piece ends that no text has; fairseq's, kept by CamemBERT."""

Name = Literal["wangchanberta", "wiki-spm", "camembert", "xlm-roberta", "sentencepiece"]
Rules = Literal["process_transformers", "spaces", "none"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece as SentencePiece has it."""

    text: str
    score: float = 0.0
    kind: int = CONTROL


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces by id, and what is done to a text before SentencePiece."""

    name: Name
    pieces: tuple[Piece, ...]
    rules: Rules
    added: tuple[str, ...] = ()
    """Tokens of added_tokens.json that are no special ones."""

    def ids(self) -> dict[str, int]:
        """Return the id of each piece."""
        return {piece.text: number for number, piece in enumerate(self.pieces)}


def read_proto(path: Path) -> Any:
    """Parse a SentencePiece model; `UserError` where it is none that can be converted."""
    try:
        proto = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())  # type: ignore[attr-defined]
    except Exception as err:  # protobuf's DecodeError, of which it has several
        raise UserError(f"is no SentencePiece model: {err}", where=path) from None
    if sum(piece.type == UNKNOWN for piece in proto.pieces) != 1:
        raise UserError("is no SentencePiece model: it has no unknown piece", where=path)
    if proto.trainer_spec.model_type not in (UNIGRAM, BPE):
        do = "give a unigram or BPE"
        raise UserError("a SentencePiece model of words or characters", where=path, do=do)
    if proto.trainer_spec.treat_whitespace_as_suffix:
        raise UserError("has spaces at the ends of its pieces, which is not supported", where=path)
    return proto


def find_layout(proto: Any, source: Source) -> Layout:
    """Recognise a layout by SentencePiece's own ids and pieces, the classes, and the sizes.

    Where the folder has a unigram tokenizer.json as well, its ids count. Raises `UserError` where
    the files do not fit each other.
    """
    own = [Piece(piece.piece, piece.score, piece.type) for piece in proto.pieces]
    rows = None if source.config is None else source.config.get("vocab_size")
    shifted = [piece.text for piece in own[:3]] == ["<unk>", "<s>", "</s>"]
    family = _family(source.config, source.settings, len(own), source.added) if shifted else ""
    if family == "camembert":
        layout = _camembert(own)
    elif family == "xlm-roberta":
        layout = _xlm_roberta(own)
    else:
        layout = _unshifted(own)
    added = dict(source.added)
    if source.table is None:
        layout = _one_mask(layout, added)
    else:
        layout = _by_table(layout, source.table, source.where)
        beyond = len(layout.pieces)
        added = {one: number for one, number in source.table.items() if number >= beyond} | added
    return _of_size(_with_added(layout, added, source.where), rows, source.where)


MASK = SPECIAL_TOKENS["mask_token"]


def _one_mask(layout: Layout, added: Mapping[str, int]) -> Layout:
    """Keep one of two masks: that of added_tokens.json, or else the last, as CamemBERT does."""
    places = [one for one, piece in enumerate(layout.pieces) if piece.text == MASK]
    if len(places) < 2:
        return layout
    pieces = list(layout.pieces)
    if added.get(MASK) == places[0]:
        pieces[places[0]] = pieces.pop()
    else:
        pieces[places[0]] = _dead(places[0])
    return replace(layout, pieces=tuple(pieces))


def _by_table(layout: Layout, table: Mapping[str, int], where: Path) -> Layout:
    """Give each piece the id that the folder's own tokenizer.json gives it."""
    used = [piece for piece in layout.pieces if piece.kind != UNUSED]
    if missing := [piece.text for piece in used if piece.text not in table]:
        raise UserError(
            f"tokenizer.json has no {missing[0]!r}, which the SentencePiece model has",
            where=where,
            do="see that both are of one tokenizer",
        )
    ids = layout.ids()
    if all(table[piece.text] == ids[piece.text] for piece in used):
        return layout
    places = {table[piece.text]: piece for piece in used}
    pieces = (places.get(one) or _dead(one) for one in range(max(places) + 1))
    return replace(layout, pieces=tuple(pieces))


def _family(
    config: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    pieces: int,
    added: Mapping[str, int],
) -> str:
    """Return the family whose ids SentencePiece's are shifted for, by class, then by size."""
    said = f"{settings.get('tokenizer_class')} {(config or {}).get('model_type')}".lower()
    for family, words in (("camembert", ("camembert", "wangchanberta")), ("xlm-roberta", ("xlm",))):
        if any(word in said.replace("-", "") for word in words):
            return family
    rows = (config or {}).get("vocab_size")
    beyond = sum(one >= pieces + 5 for one in added.values())
    return {pieces + 5 + beyond: "camembert", pieces + 2: "xlm-roberta"}.get(rows or 0, "")


def _camembert(own: Sequence[Piece]) -> Layout:
    """CamemBERT's: fairseq's four ids and then SentencePiece's, of which two are twins."""
    pieces = (
        Piece(f"<s>{DEAD}", kind=UNUSED),
        Piece("<pad>"),
        Piece(f"</s>{DEAD}", kind=UNUSED),
        replace(own[0], text="<unk>"),
        Piece(f"<unk>{DEAD}", kind=UNUSED),
        *own[1:],
        Piece("<mask>"),
    )
    if any(piece.text == SPACE_TOKEN for piece in own):
        return Layout("wangchanberta", pieces, "process_transformers")
    return Layout("camembert", pieces, "none")


def _xlm_roberta(own: Sequence[Piece]) -> Layout:
    """XLM-R's: SentencePiece's three are fairseq's first four, the rest shifted by one."""
    first = (Piece("<s>"), Piece("<pad>"), Piece("</s>"), own[0])
    return Layout("xlm-roberta", (*first, *own[3:], Piece("<mask>")), "none")


def _unshifted(own: Sequence[Piece]) -> Layout:
    """SentencePiece's ids as they are, and then the special tokens that it has not."""
    texts = {piece.text for piece in own}
    unknown = next(piece.text for piece in own if piece.kind == UNKNOWN)
    if unknown != SPECIAL_TOKENS["unk_token"]:
        raise UserError(f"its unknown piece is {unknown}, not {SPECIAL_TOKENS['unk_token']}")
    missing = [Piece(one) for one in dict.fromkeys(SPECIAL_TOKENS.values()) if one not in texts]
    spaced = SPACE_TOKEN in texts
    name: Name = "wiki-spm" if spaced and not missing else "sentencepiece"
    return Layout(name, (*own, *missing), "spaces" if spaced else "none")


MOST_ADDED = 10_000
"""Tokens beyond SentencePiece's, and ids between them; each is sought in every text."""


def _with_added(layout: Layout, added: Mapping[str, int], where: Path) -> Layout:
    """Give the tokens of added_tokens.json their ids, beyond those of the layout."""
    ids, pieces = layout.ids(), list(layout.pieces)
    new = {}
    for token, number in sorted(added.items(), key=lambda item: item[1]):
        if ids.get(token, number) != number or (token not in ids and number < len(layout.pieces)):
            raise UserError(
                f"gives {token!r} the id {number}, which is another's in this layout",
                where=where / "added_tokens.json",
            )
        if token not in ids:
            new[token] = number
    for token, number in new.items():
        if number > len(pieces) + MOST_ADDED:
            raise UserError(f"the id {number} of {token!r} is far beyond the others", where=where)
        pieces += (_dead(one) for one in range(len(pieces), number))
        pieces.append(Piece(token, kind=USER_DEFINED))
    return replace(layout, pieces=tuple(pieces), added=tuple(new))


def _dead(number: int) -> Piece:
    return Piece(f"<{number}>{DEAD}", kind=UNUSED)


SPARE = 64
"""Rows of a model beyond its pieces that may be padding, where ids are SentencePiece's own."""


def _of_size(layout: Layout, rows: Any, where: Path) -> Layout:
    """Check the layout against the model's rows; padding becomes pieces that no text has."""
    size = len(layout.pieces)
    if rows is None or rows == size:
        return layout
    spare = SPARE if layout.name in ("wiki-spm", "sentencepiece") else 0
    if not isinstance(rows, int) or not size < rows <= size + spare:
        raise UserError(
            f"vocab_size {rows} does not fit the layout {layout.name}, which has {size} ids here",
            where=where / "config.json",
            do="see that the SentencePiece model is the model's own",
        )
    return replace(layout, pieces=(*layout.pieces, *map(_dead, range(size, rows))))
