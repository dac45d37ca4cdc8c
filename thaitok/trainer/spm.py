"""SentencePiece models: written from our own pieces, and trained by SentencePiece itself."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from sentencepiece import sentencepiece_model_pb2 as spm

from thaitok.errors import UserError
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer_json import OPENING
from thaitok.trainer.config import TokenizerConfig, longest_piece

APART = [SPACE_TOKEN, OPENING]
"""Pieces that are cut out of a text before the others: whatever special token a text spells is
text, since its `<` stands alone."""
THREADS = 4
"""Fixed, since sums of floats over another number of threads give other scores."""


def build_model(
    pieces: Sequence[tuple[str, float]], special_tokens: Sequence[str], *, byte_fallback: bool
) -> bytes:
    """Return a serialised SentencePiece unigram model.

    Ids are in this order: special tokens, the space token, `<`, bytes, then `pieces`.
    """
    proto = spm.ModelProto()  # type: ignore[attr-defined]
    kinds = spm.ModelProto.SentencePiece  # type: ignore[attr-defined]
    spec, norm = proto.trainer_spec, proto.normalizer_spec
    for token in special_tokens:
        kind = kinds.UNKNOWN if token == "<unk>" else kinds.CONTROL
        proto.pieces.add(piece=token, score=0.0, type=kind)
    for token in APART:
        proto.pieces.add(piece=token, score=0.0, type=kinds.USER_DEFINED)
    if byte_fallback:
        for byte in range(256):
            proto.pieces.add(piece=f"<0x{byte:02X}>", score=0.0, type=kinds.BYTE)
    for piece, score in pieces:
        proto.pieces.add(piece=piece, score=score, type=kinds.NORMAL)
    spec.model_type = spec.UNIGRAM
    spec.vocab_size = len(proto.pieces)
    spec.byte_fallback = byte_fallback
    spec.user_defined_symbols.extend(APART)
    ids = {token: number for number, token in enumerate(special_tokens)}
    spec.bos_id, spec.eos_id = ids.get("<s>", -1), ids.get("</s>", -1)
    spec.pad_id, spec.unk_id = ids.get("<pad>", -1), ids["<unk>"]
    spec.control_symbols.extend(
        token for token in special_tokens if token not in ("<s>", "</s>", "<pad>", "<unk>")
    )
    norm.name = "identity"
    norm.add_dummy_prefix = norm.remove_extra_whitespaces = norm.escape_whitespaces = False
    serialized: bytes = proto.SerializeToString(deterministic=True)
    return serialized


def train_sentencepiece(config: TokenizerConfig, options: dict[str, Any]) -> bytes:
    """Train in a process of its own: SentencePiece cannot be interrupted, a process can."""
    tokens = config.special_tokens
    plain = ("<s>", "<pad>", "</s>", "<unk>")
    wanted = {
        "model_type": config.algorithm,
        "vocab_size": config.vocab_size,
        "character_coverage": config.character_coverage,
        "max_sentencepiece_length": longest_piece(config),
        "byte_fallback": config.byte_fallback,
        "split_digits": config.split_digits,
        # All normalising is ours: nmt_nfkc splits sara am and is lossy.
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        **{f"{name}_id": tokens.index(token) for name, token in zip(IDS, plain, strict=True)},
        "control_symbols": [token for token in tokens if token not in plain],
        "user_defined_symbols": APART,
        "num_threads": THREADS,
        "minloglevel": 2,
        **options,
    }
    command = [sys.executable, "-P", "-c", CHILD]
    done = subprocess.run(command, input=json.dumps(wanted).encode(), capture_output=True)
    if done.returncode:
        raise _explain(done.returncode, done.stderr.decode("utf-8", "replace"), config)
    return done.stdout


IDS = ("bos", "pad", "eos", "unk")
CHILD = """
import io, json, sys
import sentencepiece
model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(model_writer=model, **json.load(sys.stdin))
sys.stdout.buffer.write(model.getvalue())
"""
"""Reads the options from stdin, writes the model to stdout."""


def _explain(status: int, said: str, config: TokenizerConfig) -> Exception:
    """Say which vocabulary the corpus can fill; SentencePiece knows it only after the seeds."""
    where = ", ".join(str(corpus) for corpus in config.corpus)
    if status < 0:
        raise UserError(
            f"SentencePiece was ended by {signal.Signals(-status).name}, as systems do when memory"
            " is short",
            where=where,
            do="give it less text, or take mode 'mixed', whose memory is bounded",
        )
    if most := re.search(r"value <= ([0-9]+)", said):
        return UserError(
            f"the corpus is too small for {config.vocab_size:,} pieces",
            where=where,
            do=f"give --vocab-size {most[1]} or less, or more text",
        )
    if "required_chars" in said:
        return UserError(
            f"{config.vocab_size:,} pieces cannot hold the corpus's alphabet",
            where=where,
            do="give a larger --vocab-size, or a smaller character_coverage",
        )
    return RuntimeError(said)
