"""Using a tokenizer folder: ids, pieces and offsets, in bulk by SentencePiece."""

from __future__ import annotations

import json
import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, FileFacts, file_facts
from thaitok.rules import SPACE_TOKEN, normalize_many, tokenizers_normalizer
from thaitok.tokenizer_json import (
    CONFIG_FILE,
    OPENING,
    SCORE_STEP,
    SPECIAL_TOKENS,
    SPM_FILE,
    TOKENIZER_FILE,
)

EXACT_SUM = 2**24 * SCORE_STEP
"""Sums of scores that SentencePiece's 32-bit floats, of 24 bits, hold without rounding."""
UNKNOWN_PENALTY = 10.0
"""An unknown character's score is the lowest less this (SentencePiece's `kUnkPenalty`)."""

_ID = re.compile("-?[0-9]{1,18}")

FEW = 256
"""Phrases encoded at once: with tens of thousands of lists of ids alive, Python's garbage
collector looks through them again and again, which took up to half of the time."""


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load `tokenizer.json` of a tokenizer's or a model's folder."""
    path = folder / TOKENIZER_FILE
    if not folder.is_dir():
        raise UserError(f"no {TOKENIZER_FILE} here: no such folder", where=folder)
    if not path.is_file():
        raise UserError(
            f"no {TOKENIZER_FILE} here", where=folder, do="give a folder that holds a tokenizer"
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as err:  # tokenizers raises Exception itself
        raise UserError(f"is no tokenizer: {err}", where=path) from None


def tokenizer_facts(folder: Path) -> tuple[FileFacts, ...]:
    """Return the facts of a tokenizer's files, by which a folder of token ids is tied to it."""
    load_tokenizer(folder)
    for name in TOKENIZER_FILES:
        if not (folder / name).is_file():
            raise UserError(f"no {name} here", where=folder, do="make one with `thaitok train`")
    return tuple(file_facts(folder / name) for name in TOKENIZER_FILES)


def load_sentencepiece(folder: Path) -> sentencepiece.SentencePieceProcessor:
    """Load `spm.model` of a tokenizer's folder."""
    path = folder / SPM_FILE
    if not path.is_file():
        raise UserError(f"no {SPM_FILE} here", where=folder, do="make one with `thaitok train`")
    try:
        return sentencepiece.SentencePieceProcessor(model_file=str(path))
    except Exception as err:  # RuntimeError, OSError or pybind11's own
        raise UserError(f"is no SentencePiece model: {err}", where=path) from None


def is_uncased(folder: Path) -> bool:
    """Whether the tokenizer lower-cases what it reads, by its `tokenizer_config.json`."""
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return bool(config.get("do_lower_case", False))
    except (ValueError, AttributeError):
        raise UserError("is no JSON object", where=path) from None


def has_our_rules(folder: Path) -> bool:
    """Say whether a tokenizer normalises by our rules, as what `thaitok convert` makes does not."""
    try:
        found = json.loads((folder / TOKENIZER_FILE).read_bytes())["normalizer"]
    except (OSError, ValueError, KeyError, TypeError):
        load_tokenizer(folder)  # says what is wrong
        return False
    ours: bool = found == json.loads(tokenizers_normalizer(is_uncased(folder)).__getstate__())
    return ours


class BulkEncoder:
    """Encode by `spm.model`, several times faster than `tokenizer.json` and with equal ids.

    Only a mask token written out in a text is text here and a token there.

    Texts are normalised, cut at spaces, and each distinct phrase is encoded once: what stands
    between two spaces never depends on what is around it. A tokenizer with other rules than ours
    is left to its own `tokenizer.json`, all of it.
    """

    def __init__(self, folder: Path, keep: int = 200_000_000) -> None:
        self.folder = folder
        self.model = load_sentencepiece(folder)
        self.lower = is_uncased(folder)
        # Not by loading it, which takes as long as all the rest.
        self.foreign = None if has_our_rules(folder) else load_tokenizer(folder)
        """The tokenizer that encodes, where its rules are not ours."""
        self.space: int = self.model.piece_to_id(SPACE_TOKEN)
        self.unknown: int = self.model.unk_id()
        self.code: Literal["H", "I"] = "H" if self.model.get_piece_size() <= 1 << 16 else "I"
        """An id's type in `array`: two bytes up to 65,536 pieces, else four."""
        self.longest = exact_length(self.model)
        """Characters beyond which a phrase is left to `tokenizer.json`."""
        self.keep = keep
        """Bytes of phrases remembered; then all are forgotten, so that memory is bounded."""
        self.held = 0
        self.phrases: dict[str, bytes] = {}
        """The ids of phrases, each with the space after it, as the bytes of an array."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without `<s>` and `</s>`."""
        return self.encode_many([text])[0]

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [array(self.code, ids).tolist() for ids in self.encode_packed(texts)]

    def encode_packed(self, texts: Sequence[str]) -> list[bytes]:
        """Return the ids of each text as the bytes of an array of type `code`."""
        if self.foreign is not None:
            found_ids = self.foreign.encode_batch_fast(list(texts), add_special_tokens=False)
            return [array(self.code, one.ids).tobytes() for one in found_ids]
        split = [text.split(" ") for text in normalize_many(texts, self.lower)]
        if self.held > self.keep:
            self.phrases.clear()
            self.held = 0
        self._learn(dict.fromkeys(chain.from_iterable(split)))
        found = self.phrases.__getitem__
        after = -array(self.code).itemsize  # no space follows the last phrase
        return [b"".join(map(found, phrases))[:after] for phrases in split]

    def _learn(self, phrases: Iterable[str]) -> None:
        new = [phrase for phrase in phrases if phrase not in self.phrases]
        odd = {phrase for phrase in new if OPENING in phrase or len(phrase) > self.longest}
        plain = [phrase for phrase in new if phrase not in odd] if odd else new
        space = [self.space]
        for at in range(0, len(plain), FEW):
            some = plain[at : at + FEW]
            for phrase, ids in zip(some, self.model.encode(some, num_threads=1), strict=True):
                self.phrases[phrase] = array(self.code, ids + space).tobytes()
        for phrase in odd:
            self.phrases[phrase] = array(self.code, self._encode_odd(phrase) + space).tobytes()
        learned = map(self.phrases.__getitem__, new)
        self.held += sum(map(sys.getsizeof, chain(new, learned)))

    def _encode_odd(self, phrase: str) -> list[int]:
        """Encode a phrase that is long, or in which `<` stands alone."""
        ids: list[int] = []
        for number, part in enumerate(phrase.split(OPENING)):
            ids += self.opening if number else ()
            if len(part) > self.longest:
                ids += self._exact.encode(part, add_special_tokens=False).ids
            else:
                ids += self.model.encode(part)
        return ids

    def encode_phrase_offsets(self, phrase: str) -> tuple[list[int], list[int]]:
        """Return the ids of a normalised text without spaces, and where each piece begins."""
        if OPENING in phrase or len(phrase) > self.longest:
            found = self._exact.encode(phrase, add_special_tokens=False)
            return found.ids, [start for start, _ in found.offsets]
        encoded = self.model.encode(phrase, return_type="offset_mapping")
        return encoded["ids"], [start for start, _ in encoded["offsets"]]

    @cached_property
    def opening(self) -> list[int]:
        """The ids of `<`: several where it is written in bytes."""
        ids: list[int] = self.model.encode(OPENING)
        return ids

    @cached_property
    def _exact(self) -> Tokenizer:
        tokenizer = load_tokenizer(self.folder)
        tokenizer.encode_special_tokens = True  # a mask token written out is text
        return tokenizer


def exact_length(model: sentencepiece.SentencePieceProcessor) -> int:
    """Return how many characters of a text a model surely encodes as `tokenizer.json` does.

    Beyond, its sums of scores may round, and equal cuts no longer tie. BPE sums nothing, and its
    scores are but ranks: there is no end.
    """
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.serialized_model_proto())  # type: ignore[attr-defined]
    if proto.trainer_spec.model_type != proto.trainer_spec.UNIGRAM:
        return sys.maxsize
    lowest = min(piece.score for piece in proto.pieces)
    return int(EXACT_SUM / (UNKNOWN_PENALTY - lowest))


def measure(folder: Path, texts: Sequence[str]) -> dict[str, float | int]:
    """Measure a tokenizer on texts: tokens a character, bytes a token, unknown share."""
    encoder = BulkEncoder(folder)
    tokens = unknown = characters = size = 0
    for text, ids in zip(texts, encoder.encode_many(texts), strict=True):
        tokens += len(ids)
        unknown += ids.count(encoder.unknown)
        characters += len(text)
        size += len(text.encode())
    return {
        "documents_measured": len(texts),
        "tokens_per_character": round(tokens / max(1, characters), 4),
        "bytes_per_token": round(size / max(1, tokens), 3),
        "unknown_share": round(unknown / max(1, tokens), 6),
    }


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as a tokenizer reads it; offsets are (start, end) in characters of the text."""

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]


def encode_lines(
    tokenizer: Tokenizer, lines: Iterable[str], special_tokens: bool = False
) -> Iterator[Encoded]:
    """Encode lines one by one; offsets as `alignment.widen` leaves them.

    With `special_tokens`, `<mask>` written out in a text is the token, and `<s>` and `</s>` are
    put around it; without, it is text.
    """
    from thaitok.alignment import widen

    tokenizer.encode_special_tokens = not special_tokens
    for line in lines:
        found = tokenizer.encode(line, add_special_tokens=special_tokens)
        spans = widen(line, found.offsets)
        yield Encoded(line, tuple(found.ids), tuple(found.tokens), tuple(spans))


def decode_lines(tokenizer: Tokenizer, lines: Iterable[str], where: str) -> Iterator[str]:
    """Turn lines of ids back into text; `UserError` names the line that is not ids.

    Of the special tokens `<unk>` alone is shown: it stands for text.
    """
    added = tokenizer.get_added_tokens_decoder().items()
    unknown = SPECIAL_TOKENS["unk_token"]
    silent = {one for one, token in added if token.special and token.content != unknown}
    size = tokenizer.get_vocab_size()
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not all(map(_ID.fullmatch, fields)):
            raise UserError("is no line of ids", where=f"{where}:{number}")
        ids = list(map(int, fields))
        if wrong := [one for one in ids if not 0 <= one < size]:
            raise UserError(
                f"id {wrong[0]} is outside the vocabulary of {size:,}", where=f"{where}:{number}"
            )
        yield tokenizer.decode([one for one in ids if one not in silent], skip_special_tokens=False)
