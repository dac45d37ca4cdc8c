"""From a layout to `tokenizer.json` and `spm.model`, whose ids are the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from thaitok.convert.charsmap import charsmap_normalizers
from thaitok.convert.layout import BPE, CONTROL, DEAD, NORMAL, UNUSED, USER_DEFINED, Layout, Piece
from thaitok.convert.predecessor import process_transformers_normalizers
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer_json import SPECIAL_TOKENS, WORD_MARK

SPECIALS = tuple(dict.fromkeys(SPECIAL_TOKENS.values()))


def build_tokenizer(layout: Layout, proto: Any) -> Tokenizer:
    """Build the pipeline whose ids are SentencePiece's in this layout.

    Special and added tokens are sought in the normalised text, so that the normalizer sees the
    whole text: what it does at its ends is not done beside `<mask>`, and the dummy prefix comes
    once. `<mask>` takes the space before it with it where a space is a part of pieces.
    """
    tokenizer = Tokenizer(_model(layout, proto))
    tokenizer.normalizer = normalizers.Sequence(_normalizers(layout, proto))
    defined = _defined(layout)
    if defined:
        pattern = "|".join(map(re.escape, defined))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    ids = layout.ids()
    bos, eos = SPECIAL_TOKENS["bos_token"], SPECIAL_TOKENS["eos_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, ids[bos]), (eos, ids[eos])],
    )
    tokenizer.decoder = _decoder(layout, proto)
    tokenizer.add_special_tokens([AddedToken(one, normalized=True) for one in SPECIALS])
    plain = (*layout.added, *(defined if proto.trainer_spec.model_type == BPE else ()))
    tokenizer.add_tokens([AddedToken(one, normalized=True) for one in plain])
    return tokenizer


def _defined(layout: Layout) -> list[str]:
    """Return what SentencePiece cuts out before all else, the longest first."""
    apart = {*SPECIALS, *layout.added}
    found = (piece.text for piece in layout.pieces if piece.kind == USER_DEFINED)
    return sorted((one for one in found if one not in apart), key=len, reverse=True)


def _model(layout: Layout, proto: Any) -> models.Unigram | models.BPE:
    ids, spec = layout.ids(), proto.trainer_spec
    unknown = SPECIAL_TOKENS["unk_token"]
    if spec.model_type != BPE:
        # Scores as they are: rounded, they would tie, and choose, otherwise.
        scored = [(_unread(piece), piece.score) for piece in layout.pieces]
        return models.Unigram(scored, ids[unknown], spec.byte_fallback)
    merges = _merges([piece for piece in layout.pieces if piece.kind == NORMAL])
    return models.BPE(
        {_unread(piece): number for number, piece in enumerate(layout.pieces)},
        merges,
        unk_token=unknown,
        fuse_unk=True,
        byte_fallback=spec.byte_fallback,
    )


def _unread(piece: Piece) -> str:
    """Return a piece's text, changed to what no text has where SentencePiece never uses it."""
    return piece.text + DEAD if piece.kind == UNUSED and DEAD not in piece.text else piece.text


def _merges(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """Derive BPE's merges, best first: each way to make a piece of two others."""
    known = {piece.text for piece in pieces}
    return [
        (piece.text[:at], piece.text[at:])
        for piece in sorted(pieces, key=lambda piece: -piece.score)
        for at in range(1, len(piece.text))
        if piece.text[:at] in known and piece.text[at:] in known
    ]


def _normalizers(layout: Layout, proto: Any) -> list[normalizers.Normalizer]:
    spec = proto.normalizer_spec
    steps: list[normalizers.Normalizer] = []
    if layout.rules == "process_transformers":
        steps += process_transformers_normalizers()
    elif layout.rules == "spaces":
        steps += [normalizers.Replace("\u00a0", " "), normalizers.Replace(" ", SPACE_TOKEN)]
    steps += charsmap_normalizers(spec.precompiled_charsmap, _defined(layout))
    if spec.remove_extra_whitespaces:
        steps += [
            normalizers.Replace(Regex("  +"), " "),
            normalizers.Replace(Regex(r"\A +"), ""),
            normalizers.Replace(Regex(f"[ {WORD_MARK}]+\\z"), ""),
        ]
    if spec.escape_whitespaces:
        steps.append(normalizers.Replace(" ", WORD_MARK))
    if SPACE_TOKEN not in layout.ids():
        # A mask stands for a piece with its space; `lstrip` sees no white space here any more.
        mask = SPECIAL_TOKENS["mask_token"]
        steps.append(normalizers.Replace(f"{WORD_MARK}{mask}", mask))
    if spec.add_dummy_prefix:
        # Not before a token: it would be sought with the prefix, and found only there. Not before
        # nothing, where `tokenizers` puts no prefix but its JavaScript sister does.
        tokens = "|".join(map(re.escape, (*SPECIALS, *layout.added)))
        steps += [
            normalizers.Prepend(WORD_MARK),
            normalizers.Replace(Regex(f"\\A{WORD_MARK}(?={tokens}|\\z)"), ""),
        ]
    return steps


def _decoder(layout: Layout, proto: Any) -> decoders.Decoder:
    steps: list[decoders.Decoder] = [decoders.Replace(WORD_MARK, " ")]
    if SPACE_TOKEN in layout.ids():
        steps.append(decoders.Replace(SPACE_TOKEN, " "))
    if proto.trainer_spec.byte_fallback:
        steps.append(decoders.ByteFallback())
    steps.append(decoders.Fuse())
    if proto.normalizer_spec.add_dummy_prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return decoders.Sequence(steps)


def rewrite_model(layout: Layout, proto: Any) -> bytes:
    """Return the SentencePiece model with the layout's ids; its normalizer stays.

    Paths in it, which tell of a machine, are taken out.
    """
    new = type(proto)()
    new.CopyFrom(proto)
    del new.pieces[:]
    for piece in layout.pieces:
        kind = CONTROL if piece.text in SPECIALS and piece.kind == NORMAL else piece.kind
        new.pieces.add(piece=_unread(piece), score=piece.score, type=kind)
    ids, spec = layout.ids(), new.trainer_spec
    spec.vocab_size = len(layout.pieces)
    for name in ("bos", "eos", "pad", "unk"):
        token = SPECIAL_TOKENS[f"{name}_token"]
        setattr(spec, f"{name}_id", ids[token])
        setattr(spec, f"{name}_piece", token)
    for path in ("input", "model_prefix", "seed_sentencepieces_file"):
        spec.ClearField(path)
    return bytes(new.SerializeToString(deterministic=True))
