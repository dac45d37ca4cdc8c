"""From a SentencePiece model to `tokenizer.json`: the whole tokenizer in one file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, write_json, written
from thaitok.rules import SPACE_TOKEN, tokenizers_normalizer

TOKENIZER_FILE, CONFIG_FILE, SPM_FILE = TOKENIZER_FILES

SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
    "cls_token": "<s>",
    "sep_token": "</s>",
}
"""RoBERTa's special tokens; the first five have ids 0 to 4, in this order."""

SCORE_STEP = 2.0**-10
"""Scores are rounded to multiples of this, so that sums of them are exact in SentencePiece's
32-bit floats and in the 64-bit ones of `tokenizers`: else the two break ties such as
"555" + "5" against "5" + "555" each by its own rounding."""

WORD_MARK = "\u2581"
"""SentencePiece's sign of a space, with which words begin in most vocabularies (not in ours)."""

OPENING = "<"
"""What every special token and the space token begins with. It is a token of its own wherever
it stands in a text, so that no text can spell one of those."""

_KINDS = sentencepiece_model_pb2.ModelProto.SentencePiece  # type: ignore[attr-defined]
_UNIGRAM, _BPE = 1, 2
"""SentencePiece's numbers of the model types (sentencepiece_model.proto)."""


@dataclass(frozen=True, slots=True)
class PieceModel:
    """A SentencePiece model: its serialised form and its scored pieces by id."""

    serialized: bytes
    pieces: tuple[tuple[str, float], ...]
    algorithm: str = "unigram"
    """`unigram` or `bpe`."""
    byte_fallback: bool = False
    special: tuple[str, ...] = tuple(dict.fromkeys(SPECIAL_TOKENS.values()))
    """Control pieces, `<unk>` and `<mask>`: never read from a text but as markup."""
    defined: tuple[str, ...] = (SPACE_TOKEN,)
    """Pieces that SentencePiece cuts out before all else."""


def read_model(serialized: bytes) -> PieceModel:
    """Parse a SentencePiece unigram or BPE model, round its scores, forget where it was trained.

    The training paths in a model tell a machine's layout, and make equal models differ. Pieces
    in which `<` stands beside something else are put out of use where `<` is a piece itself.
    Raises `UserError` for another kind of model, or one without the pieces that we rely on.
    """
    try:
        proto = sentencepiece_model_pb2.ModelProto.FromString(serialized)  # type: ignore[attr-defined]
    except Exception as err:  # protobuf's DecodeError, of which it has several
        raise UserError(f"is no SentencePiece model: {err}") from None
    kind = proto.trainer_spec.model_type
    if kind not in (_UNIGRAM, _BPE):
        raise UserError("a SentencePiece model of words or characters", do="give a unigram or BPE")
    special = _special(proto)
    isolated = any(piece.piece == OPENING for piece in proto.pieces)
    for piece in proto.pieces:
        piece.score = round(piece.score / SCORE_STEP) * SCORE_STEP
        if isolated and piece.type == _KINDS.NORMAL and OPENING in piece.piece != OPENING:
            # The score: BPE would otherwise merge them, and then part them again.
            piece.type, piece.score = _KINDS.UNUSED, 0.0 if kind == _UNIGRAM else -(2.0**20)
    for path in ("input", "model_prefix", "seed_sentencepieces_file"):
        proto.trainer_spec.ClearField(path)
    return PieceModel(
        proto.SerializeToString(deterministic=True),
        tuple((piece.piece, float(piece.score)) for piece in proto.pieces),
        "unigram" if kind == _UNIGRAM else "bpe",
        bool(proto.trainer_spec.byte_fallback),
        special,
        tuple(
            piece.piece
            for piece in proto.pieces
            if piece.type == _KINDS.USER_DEFINED and piece.piece not in special
        ),
    )


def _special(proto: Any) -> tuple[str, ...]:
    pieces = {piece.piece for piece in proto.pieces}
    needed = dict.fromkeys((*SPECIAL_TOKENS.values(), SPACE_TOKEN))
    if missing := [token for token in needed if token not in pieces]:
        raise UserError(
            f"the SentencePiece model has no {' '.join(missing)}",
            do="train one with `thaitok train`",
        )
    control = (_KINDS.CONTROL, _KINDS.UNKNOWN)
    found = [piece.piece for piece in proto.pieces if piece.type in control]
    return tuple(dict.fromkeys((*SPECIAL_TOKENS.values(), *found)))


def fast_tokenizer(model: PieceModel, lower: bool = False) -> Tokenizer:
    """Build the `tokenizers` pipeline whose ids equal SentencePiece's.

    The rules are its normalizer; the space token, and what else SentencePiece's user defined,
    is isolated before the model as SentencePiece isolates it; the decoder gives back spaces.

    A special token written out in a text is text, but for `<mask>`, which `fill-mask` needs (and
    which transformers' `split_special_tokens=True` makes text as well): `<` is itself an added
    token, not a special one, found in the text before the others (the longest wins, so `<mask>`
    is whole), and those are sought in what is normalised, where none is left. A vocabulary
    without the piece `<` cannot have this: there they are tokens, as in any Hugging Face
    tokenizer.
    """
    ids = {piece: number for number, (piece, _) in enumerate(model.pieces)}
    tokenizer = Tokenizer(_model(model, ids))
    tokenizer.normalizer = tokenizers_normalizer(lower)
    defined = sorted((*model.defined, OPENING), key=len, reverse=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex("|".join(map(re.escape, defined))), "isolated"
    )
    bos, eos = SPECIAL_TOKENS["bos_token"], SPECIAL_TOKENS["eos_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, ids[bos]), (eos, ids[eos])],
    )
    bytes_ = [decoders.ByteFallback()] if model.byte_fallback else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE_TOKEN, " "), *bytes_, decoders.Fuse()]
    )
    mask = SPECIAL_TOKENS["mask_token"]
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=OPENING in ids and token != mask) for token in model.special]
    )
    if OPENING in ids:
        tokenizer.add_tokens([AddedToken(OPENING, normalized=False)])
    if model.algorithm == "bpe":  # no merges lead to them
        others = [token for token in model.defined if token != OPENING]
        tokenizer.add_tokens([AddedToken(token, normalized=True) for token in others])
    return tokenizer


def _model(model: PieceModel, ids: dict[str, int]) -> models.Unigram | models.BPE:
    unknown = SPECIAL_TOKENS["unk_token"]
    if model.algorithm == "unigram":
        return models.Unigram(list(model.pieces), ids[unknown], model.byte_fallback)
    return models.BPE(
        ids, _merges(model), unk_token=unknown, fuse_unk=True, byte_fallback=model.byte_fallback
    )


def _merges(model: PieceModel) -> list[tuple[str, str]]:
    """Derive the merges of BPE from its scored pieces, best first.

    SentencePiece merges any two neighbours that make the best piece, so each way of making a
    piece of two others is a merge.
    """
    apart = {*model.special, *model.defined}
    pieces = {piece: score for piece, score in model.pieces if piece not in apart}
    ranked = sorted(
        (piece for piece in pieces if len(piece) > 1 and OPENING not in piece),
        key=lambda piece: -pieces[piece],
    )
    return [
        (piece[:at], piece[at:])
        for piece in ranked
        for at in range(1, len(piece))
        if piece[:at] in pieces and piece[at:] in pieces
    ]


def write_tokenizer_files(
    folder: Path, model: PieceModel, model_max_length: int, lower: bool = False
) -> None:
    """Write `spm.model`, `tokenizer.json` and `tokenizer_config.json` into a folder.

    `lower` makes an uncased tokenizer, which its files say of themselves.
    """
    with written(folder / SPM_FILE, "wb") as stream:
        stream.write(model.serialized)
    with written(folder / TOKENIZER_FILE) as stream:
        stream.write(fast_tokenizer(model, lower).to_str(pretty=True))
    write_tokenizer_config(folder, model_max_length, lower)


def write_tokenizer_config(folder: Path, model_max_length: int, lower: bool) -> None:
    """Write `tokenizer_config.json`, which says how plain `AutoTokenizer` is to load the rest."""
    write_json(
        folder / CONFIG_FILE,
        {
            # Without this name a config.json of RoBERTa or CamemBERT makes AutoTokenizer
            # rebuild the pipeline and give other ids; transformers 4 and 5 both know it.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model_max_length,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            **({"do_lower_case": True} if lower else {}),
            **SPECIAL_TOKENS,
        },
    )
