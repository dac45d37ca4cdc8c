"""Encoding texts with a mark on each token that starts a word of nlpo3."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thaitok.rules import normalize_many
from thaitok.segmenter import mark_words
from thaitok.tokenizer import FEW, BulkEncoder
from thaitok.tokenizer_json import OPENING

KEEP = 100_000_000
"""Bytes of phrases that an encoder remembers; then all are forgotten."""

Marked = tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.bool_], NDArray[np.int64]]
"""Ids of texts, one after another; whether each starts a word; and how many each text has."""


class PhraseEncoder:
    """Encode texts to ids, and say which of them start a word; a space is a word.

    Each distinct phrase (what stands between two spaces) is encoded and cut into words once. By a
    tokenizer with other rules than ours, whole texts are encoded.
    """

    def __init__(self, tokenizer: Path) -> None:
        self.bulk = BulkEncoder(tokenizer)
        model = self.bulk.model
        self.pieces: int = model.get_piece_size()
        unsure = (model.is_byte(n) or n == self.bulk.unknown for n in range(self.pieces))
        texts = map(model.id_to_piece, range(self.pieces))
        sizes = (0 if un else len(text) for un, text in zip(unsure, texts, strict=True))
        self.characters = np.fromiter(sizes, np.int64)
        """Characters of each piece; 0 where they are not known by the piece alone."""
        self.space = _marked([self.bulk.space], [True])
        self.known = {"": self.space}
        """Of each phrase and the space after it: twice the ids, and 1 where a word starts."""
        self.held = 0

    def encode(self, texts: Sequence[str]) -> Marked:
        """Return the ids of texts, without `<s>` and `</s>`, and which of them start a word."""
        if self.bulk.foreign is not None:
            marked = [self._whole(text) for text in texts]
        else:
            split = [text.split(" ") for text in normalize_many(texts, self.bulk.lower)]
            self._learn(dict.fromkeys(chain.from_iterable(split)))
            found = self.known.__getitem__
            # No space follows the last phrase.
            marked = [b"".join(map(found, phrases))[: -len(self.space)] for phrases in split]
        flat = np.frombuffer(b"".join(marked), np.uint32)
        lengths = np.fromiter(map(len, marked), np.int64, len(marked)) // flat.itemsize
        return (flat >> 1).astype(self.bulk.code), flat & 1 == 1, lengths

    def _whole(self, text: str) -> bytes:
        assert self.bulk.foreign
        encoded = self.bulk.foreign.encode(text, add_special_tokens=False)
        return _marked(encoded.ids, _word_starts(text, encoded.offsets))

    def _learn(self, phrases: Iterable[str]) -> None:
        if self.held > KEEP:
            self.known = {"": self.space}
            self.held = 0
        new = [phrase for phrase in phrases if phrase not in self.known]
        longest = self.bulk.longest
        odd = [phrase for phrase in new if OPENING in phrase or len(phrase) > longest]
        plain = [phrase for phrase in new if len(phrase) <= longest and OPENING not in phrase]
        for at in range(0, len(plain), FEW):
            self._learn_plain(plain[at : at + FEW])
        for phrase in odd:
            self.known[phrase] = self._alone(phrase)
        learned = map(self.known.__getitem__, new)
        self.held += sum(map(sys.getsizeof, chain(new, learned)))

    def _learn_plain(self, phrases: Sequence[str]) -> None:
        """Encode phrases at once; the places of tokens are sums of the pieces' characters."""
        found = self.bulk.model.encode(phrases, num_threads=1)
        bounds = _bounds(map(len, found))
        ids = np.fromiter(chain.from_iterable(found), np.int64, bounds[-1])
        first = _bounds(map(len, phrases))
        word_at = mark_words(phrases)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.characters[ids])])
        shift = np.repeat(first[:-1] - ends[bounds[:-1]], np.diff(bounds))
        marked = (2 * ids + word_at[ends[:-1] + shift]).astype(np.uint32)
        packed, cuts = marked.tobytes(), (bounds * marked.itemsize).tolist()
        whole = np.diff(ends[bounds]) == np.diff(first)
        for phrase, (start, end), sure in zip(phrases, pairwise(cuts), whole.tolist(), strict=True):
            self.known[phrase] = packed[start:end] + self.space if sure else self._alone(phrase)

    def _alone(self, phrase: str) -> bytes:
        """Encode a phrase with unknown characters or bytes, or an odd one, by its offsets."""
        ids, places = self.bulk.encode_phrase_offsets(phrase)
        return _marked(ids, mark_words([phrase])[places]) + self.space


def _bounds(sizes: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(accumulate(sizes, initial=0), np.int64)


def _marked(ids: Sequence[int], starts: Sequence[bool] | NDArray[np.bool_]) -> bytes:
    return (2 * np.array(ids, np.uint32) + np.array(starts, np.uint32)).tobytes()


def _word_starts(text: str, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """Say which tokens start a word of the text; of several at one place only the first does."""
    marks = mark_words(re.split(r"(\s+)", text))
    for space in re.finditer(r"\s+", text):
        marks[space.start() + 1 : space.end()] = False  # as many spaces as there are, one word
    before = chain((-1,), (start for start, _ in offsets))
    return [
        bool(marks[start]) and start != last
        for (start, _), last in zip(offsets, before, strict=False)
    ]
