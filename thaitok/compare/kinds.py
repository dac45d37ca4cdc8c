"""Three kinds of tokenizers behind one interface: Hugging Face, SentencePiece and tiktoken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import sentencepiece
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2

from thaitok.compare.spans import Block, Bools, Tokens, place_bytes, place_tokens
from thaitok.tokenizer_json import WORD_MARK

if TYPE_CHECKING:
    import tiktoken
    from tokenizers import Tokenizer

Floats = NDArray[np.float64]


class AnyTokenizer(Protocol):
    """What is measured of a tokenizer. Special tokens around a text are nobody's."""

    name: str
    kind: str
    """Such as unigram, BPE, byte BPE."""
    size: int
    """Pieces of the vocabulary."""
    notes: tuple[str, ...]
    """What a reader of its figures must know."""
    unknown: int | None
    """The id that stands for what it cannot spell."""
    byte_pieces: Bools
    """(ids,) which ids are single bytes for what has no piece (`<0xE0>`)."""
    scores: Floats | None
    """(ids,) natural log-probabilities of a unigram model; NaN for a piece that has none."""

    def encode(self, block: Block) -> Tokens:
        """Return the tokens of texts and where they lie."""

    def ids(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Return the ids alone, by the fastest call there is."""

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the texts that ids stand for."""

    def normalize(self, text: str) -> str:
        """Return what its own normaliser makes of a text; a text, where it has none."""

    def piece(self, number: int) -> str:
        r"""Return a piece as its vocabulary writes it; bytes that are no text as `\xe0`."""


class HuggingFaceTokenizer:
    """A `tokenizers` pipeline, as `AutoTokenizer` and `tokenizer.json` give it."""

    def __init__(self, name: str, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        pipeline = json.loads(tokenizer.to_str())
        model = pipeline["model"]
        self.tokenizer = tokenizer
        self.name = name
        self.kind = _kind(pipeline)
        self.size = tokenizer.get_vocab_size()
        self.notes: tuple[str, ...] = ()
        self.unknown = model.get("unk_id")
        if isinstance(unknown := model.get("unk_token"), str):
            self.unknown = tokenizer.token_to_id(unknown)
        slots = 1 + max(tokenizer.get_vocab().values())
        self.byte_pieces = _byte_pieces(tokenizer, slots, bool(model.get("byte_fallback")))
        self.scores: Floats | None = None
        if model["type"] == "Unigram":
            self.scores = _log_probabilities([score for _, score in model["vocab"]], slots)
        self.prefix = tokenizer.token_to_id(WORD_MARK)

    def encode(self, block: Block) -> Tokens:
        found = self.tokenizer.encode_batch(list(block.texts), add_special_tokens=False)
        ids, offsets = ([one.ids for one in found], [one.offsets for one in found])
        return place_tokens(block, ids, offsets, in_bytes=False, prefix=self.prefix)

    def ids(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        found = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [one.ids for one in found]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        return list(self.tokenizer.decode_batch(ids, skip_special_tokens=False))

    def normalize(self, text: str) -> str:
        normalizer = self.tokenizer.normalizer
        return str(normalizer.normalize_str(text)) if normalizer else text

    def piece(self, number: int) -> str:
        return self.tokenizer.id_to_token(number) or ""


class SentencePieceTokenizer:
    """A SentencePiece `.model`."""

    def __init__(self, name: str, serialized: bytes) -> None:
        proto = sentencepiece_model_pb2.ModelProto.FromString(serialized)  # type: ignore[attr-defined]
        if not proto.pieces:
            raise ValueError("it has no pieces")
        self.model = sentencepiece.SentencePieceProcessor(model_proto=serialized)
        self.name = name
        self.kind = {1: "unigram", 2: "BPE", 3: "word", 4: "char"}[proto.trainer_spec.model_type]
        self.size = len(proto.pieces)
        self.notes: tuple[str, ...] = ()
        self.unknown: int | None = self.model.unk_id()
        kind = np.array([piece.type for piece in proto.pieces])
        self.byte_pieces: Bools = kind == 6  # BYTE of sentencepiece_model.proto
        self.scores: Floats | None = None
        if self.kind == "unigram":
            self.scores = _log_probabilities([piece.score for piece in proto.pieces], self.size)
        mark = self.model.piece_to_id(WORD_MARK)
        self.prefix = None if mark == self.unknown else mark

    def encode(self, block: Block) -> Tokens:
        found = self.model.encode(
            list(block.texts), return_type="offset_mapping", return_bytes=True
        )
        ids, offsets = ([one["ids"] for one in found], [one["offsets"] for one in found])
        return place_tokens(block, ids, offsets, in_bytes=True, prefix=self.prefix)

    def ids(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        found: list[list[int]] = self.model.encode(list(texts))
        return found

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        return list(self.model.decode(list(ids))) if ids else []

    def normalize(self, text: str) -> str:
        return str(self.model.normalize(text))

    def piece(self, number: int) -> str:
        return str(self.model.id_to_piece(number))


class TiktokenTokenizer:
    """Ranks of byte-level BPE, encoded by tiktoken."""

    def __init__(self, name: str, ranks: Mapping[bytes, int], pattern: str) -> None:
        import tiktoken

        self.encoding: tiktoken.Encoding = tiktoken.Encoding(
            name, pat_str=pattern, mergeable_ranks=dict(ranks), special_tokens={}
        )
        self.name = name
        self.kind = "byte BPE"
        self.size = len(ranks)
        self.notes: tuple[str, ...] = ()
        self.unknown: int | None = None
        self.scores: Floats | None = None
        self.lengths = np.zeros(max(ranks.values()) + 1, np.int64)
        for token, rank in ranks.items():
            self.lengths[rank] = len(token)
        self.byte_pieces = np.zeros(len(self.lengths), np.bool_)

    def encode(self, block: Block) -> Tokens:
        return place_bytes(block, self.ids(block.texts), self.lengths)

    def ids(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        # Not by its batch call, which hands each text to a thread: twice the time on lines.
        return [self.encoding.encode_ordinary(text) for text in texts]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        return [self.encoding.decode(list(one)) for one in ids]

    def normalize(self, text: str) -> str:
        return text

    def piece(self, number: int) -> str:
        return self.encoding.decode_single_token_bytes(number).decode(errors="backslashreplace")


def _kind(pipeline: Mapping[str, Any]) -> str:
    name = str(pipeline["model"]["type"])
    if name == "Unigram":
        return "unigram"
    if name == "BPE" and '"ByteLevel"' in json.dumps(pipeline.get("pre_tokenizer")):
        return "byte BPE"
    return name


def _byte_pieces(tokenizer: Tokenizer, size: int, used: bool) -> Bools:
    """Say which ids are `<0x00>` to `<0xFF>`, where the model spells by them (`used`)."""
    found = np.zeros(size, np.bool_)
    numbers = (tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in range(256 * used))
    found[[number for number in numbers if number is not None]] = True
    return found


def _log_probabilities(scores: Sequence[float], size: int) -> Floats:
    """Return scores by id; what is not below 0 (control and user-defined pieces) is none."""
    found = np.full(size, np.nan)
    found[: len(scores)] = scores
    found[~(found < 0)] = np.nan
    return found
