"""From a SentencePiece model to `tokenizer.json`: the whole tokenizer in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

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


@dataclass(frozen=True, slots=True)
class UnigramModel:
    """A SentencePiece unigram model: its serialised form and its scored pieces by id."""

    serialized: bytes
    pieces: tuple[tuple[str, float], ...]


def read_model(serialized: bytes) -> UnigramModel:
    """Parse a SentencePiece unigram model, round its scores, and forget where it was trained.

    The training paths in a model tell a machine's layout, and make equal models differ.
    """
    proto = sentencepiece_model_pb2.ModelProto.FromString(serialized)  # type: ignore[attr-defined]
    for piece in proto.pieces:
        piece.score = round(piece.score / SCORE_STEP) * SCORE_STEP
    for path in ("input", "model_prefix", "seed_sentencepieces_file"):
        proto.trainer_spec.ClearField(path)
    pieces = tuple((piece.piece, float(piece.score)) for piece in proto.pieces)
    return UnigramModel(proto.SerializeToString(deterministic=True), pieces)


def fast_tokenizer(model: UnigramModel) -> Tokenizer:
    """Build the `tokenizers` pipeline whose ids equal SentencePiece's.

    The rules are its normalizer, the space token is isolated before the unigram model as
    SentencePiece isolates its user-defined symbols, and the decoder gives back spaces. A special
    token written out in a text, such as `<mask>`, is taken for the token here, as by every
    Hugging Face tokenizer; to SentencePiece, and so in a corpus, it is text.
    """
    ids = {piece: number for number, (piece, _) in enumerate(model.pieces)}
    unigram = models.Unigram(list(model.pieces), ids[SPECIAL_TOKENS["unk_token"]], False)
    tokenizer = Tokenizer(unigram)
    tokenizer.normalizer = tokenizers_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(SPACE_TOKEN, "isolated")
    bos, eos = SPECIAL_TOKENS["bos_token"], SPECIAL_TOKENS["eos_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, ids[bos]), (eos, ids[eos])],
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE_TOKEN, " "), decoders.Fuse()])
    special = dict.fromkeys(SPECIAL_TOKENS.values())
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    return tokenizer


def write_tokenizer_files(folder: Path, model: UnigramModel, model_max_length: int) -> None:
    """Write `spm.model`, `tokenizer.json` and `tokenizer_config.json` into a folder."""
    with written(folder / SPM_FILE, "wb") as stream:
        stream.write(model.serialized)
    with written(folder / TOKENIZER_FILE) as stream:
        stream.write(fast_tokenizer(model).to_str(pretty=True))
    write_json(
        folder / CONFIG_FILE,
        {
            # Without this name a config.json of RoBERTa or CamemBERT makes AutoTokenizer
            # rebuild the pipeline and give other ids; transformers 4 and 5 both know it.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model_max_length,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            **SPECIAL_TOKENS,
        },
    )
