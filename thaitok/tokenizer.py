"""Using a tokenizer folder: ids, pieces and offsets, in bulk by SentencePiece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer

from thaitok.convert import SPM_FILE, TOKENIZER_FILE
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, FileFacts, file_facts
from thaitok.rules import SPACE_TOKEN, normalize


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load `tokenizer.json` of a tokenizer's or a model's folder."""
    path = folder / TOKENIZER_FILE
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


class BulkEncoder:
    """Encode by `spm.model`, several times faster than `tokenizer.json` and with equal ids.

    Only a special token written out in a text, such as `<mask>`, is text here and a token there.

    Texts are normalised, cut at spaces, and each distinct phrase is encoded once: what stands
    between two spaces never depends on what is around it.
    """

    def __init__(self, folder: Path, keep: int = 1_000_000) -> None:
        path = folder / SPM_FILE
        if not path.is_file():
            raise UserError(f"no {SPM_FILE} here", where=folder, do="make one with `thaitok train`")
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.space = self.model.piece_to_id(SPACE_TOKEN)
        self.unknown = self.model.unk_id()
        self.keep = keep
        """Distinct phrases remembered; then all are forgotten, so that memory is bounded."""
        self.phrases: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without `<s>` and `</s>`."""
        ids: list[int] = []
        for number, phrase in enumerate(normalize(text).split(" ")):
            if number:
                ids.append(self.space)
            if phrase:
                ids += self.encode_phrase(phrase)
        return ids

    def encode_phrase(self, phrase: str) -> list[int]:
        """Return the ids of a normalised text without spaces."""
        ids = self.phrases.get(phrase)
        if ids is None:
            if len(self.phrases) >= self.keep:
                self.phrases.clear()
            ids = self.phrases[phrase] = self.model.encode(phrase)
        return ids


def measure(folder: Path, texts: Sequence[str]) -> dict[str, float | int]:
    """Measure a tokenizer on texts: tokens a character, bytes a token, unknown share."""
    encoder = BulkEncoder(folder)
    tokens = unknown = characters = size = 0
    for text in texts:
        ids = encoder.encode(text)
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


def decode_lines(tokenizer: Tokenizer, lines: Iterable[str], where: str) -> Iterator[str]:
    """Turn lines of ids back into text; `UserError` names the line that is not ids."""
    size = tokenizer.get_vocab_size()
    for number, line in enumerate(lines, 1):
        try:
            ids = [int(field) for field in line.split()]
        except ValueError:
            raise UserError("is no line of ids", where=f"{where}:{number}") from None
        if wrong := [one for one in ids if not 0 <= one < size]:
            raise UserError(
                f"id {wrong[0]} is outside the vocabulary of {size:,}", where=f"{where}:{number}"
            )
        yield tokenizer.decode(ids)
