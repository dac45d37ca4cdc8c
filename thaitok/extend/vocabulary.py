"""The pieces of a unigram tokenizer folder: read, joined by others, thinned out, written again.

Whatever normalises and cuts the text stays as it is, so that this is for tokenizers of any make
whose `tokenizer.json` is a unigram and whose `spm.model` has the same ids.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sentencepiece import sentencepiece_model_pb2 as spm
from tokenizers import Tokenizer, models

from thaitok.errors import UserError
from thaitok.folder import MADE_BY, written
from thaitok.ranges import runs_of_codes
from thaitok.tokenizer_json import CONFIG_FILE, SCORE_STEP, SPM_FILE, TOKENIZER_FILE, WORD_MARK

_KINDS = spm.ModelProto.SentencePiece  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A unigram tokenizer: its pieces and scores by id, and all else it is."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    """Natural log-probabilities; those of special pieces mean nothing."""
    pipeline: Mapping[str, Any]
    """`tokenizer.json`."""
    proto: Any
    """`spm.model`, whose pieces are the same."""
    config: bytes
    """`tokenizer_config.json`."""

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def normal(self) -> list[int]:
        """Ids of the pieces that stand for text by their scores."""
        return [n for n, one in enumerate(self.proto.pieces) if one.type == _KINDS.NORMAL]

    @property
    def special(self) -> list[int]:
        """Ids of all others: control, unknown, user-defined, unused and byte pieces."""
        return [n for n, one in enumerate(self.proto.pieces) if one.type != _KINDS.NORMAL]

    @property
    def scored(self) -> dict[str, float]:
        """Normal pieces with their scores."""
        return {self.pieces[one]: self.scores[one] for one in self.normal}

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest score of normal pieces.

        An unknown character's score hangs on the lowest, so no change may move it.
        """
        scores = self.scored.values()
        return min(scores), max(scores)

    def unigram(self) -> models.Unigram:
        """Return the model that cuts a text into pieces, normalised and parted already."""
        model = self.pipeline["model"]
        scored = list(zip(self.pieces, self.scores, strict=True))
        return models.Unigram(scored, model["unk_id"], model.get("byte_fallback", False))

    def tokenizer(self) -> Tokenizer:
        """Return the whole tokenizer."""
        return Tokenizer.from_str(json.dumps(self._pipeline(), ensure_ascii=False))

    def with_scores(self, scores: Mapping[str, float]) -> Vocabulary:
        """Return this vocabulary with other scores for some pieces, and new pieces after the old.

        Scores are rounded to multiples of `SCORE_STEP` and stay within the `range`, whose lower
        end some piece keeps.
        """
        lowest, highest = self.range
        fitted = {
            piece: min(max(round(score / SCORE_STEP) * SCORE_STEP, lowest), highest)
            for piece, score in scores.items()
        }
        known = set(self.pieces)
        pieces = (*self.pieces, *(piece for piece in fitted if piece not in known))
        old = dict(zip(self.pieces, self.scores, strict=True))
        new = [fitted.get(piece, old.get(piece, 0.0)) for piece in pieces]
        normal = [*self.normal, *range(len(self.pieces), len(pieces))]
        if min(new[one] for one in normal) > lowest:  # it was one of those that are rescored
            new[pieces.index(min(fitted, key=lambda piece: fitted[piece]))] = lowest
        proto = spm.ModelProto()  # type: ignore[attr-defined]
        proto.CopyFrom(self.proto)
        for piece in pieces[len(self.pieces) :]:
            proto.pieces.add(piece=piece, type=_KINDS.NORMAL)
        return replace(self, pieces=pieces, scores=tuple(new), proto=_filled(proto, pieces, new))

    def only(self, kept: Sequence[int]) -> Vocabulary:
        """Return the vocabulary of these ids, which must be in order, numbered anew."""
        number = {old: new for new, old in enumerate(kept)}
        pieces = tuple(self.pieces[one] for one in kept)
        scores = tuple(self.scores[one] for one in kept)
        proto = spm.ModelProto()  # type: ignore[attr-defined]
        proto.CopyFrom(self.proto)
        del proto.pieces[:]
        for one in kept:
            proto.pieces.append(self.proto.pieces[one])
        spec = proto.trainer_spec
        for name in ("unk_id", "bos_id", "eos_id", "pad_id"):
            setattr(spec, name, number.get(getattr(spec, name), -1))
        pipeline = _renumbered(self.pipeline, number)
        return replace(
            self,
            pieces=pieces,
            scores=scores,
            pipeline=pipeline,
            proto=_filled(proto, pieces, scores),
        )

    def write(self, folder: Path) -> None:
        """Write the three files of a tokenizer folder."""
        with written(folder / SPM_FILE, "wb") as stream:
            stream.write(self.proto.SerializeToString(deterministic=True))
        with written(folder / TOKENIZER_FILE) as stream:
            json.dump(self._pipeline(), stream, ensure_ascii=False, indent=2)
        with written(folder / CONFIG_FILE, "wb") as stream:
            stream.write(self.config)

    def _pipeline(self) -> dict[str, Any]:
        vocab = [list(one) for one in zip(self.pieces, self.scores, strict=True)]
        return {**self.pipeline, "model": {**self.pipeline["model"], "vocab": vocab}}


def _filled(proto: Any, pieces: Iterable[str], scores: Iterable[float]) -> Any:
    for one, piece, score in zip(proto.pieces, pieces, scores, strict=True):
        one.piece, one.score = piece, score
    proto.trainer_spec.vocab_size = len(proto.pieces)
    return proto


def _renumbered(pipeline: Mapping[str, Any], number: Mapping[int, int]) -> dict[str, Any]:
    """Give every id in a pipeline its new number: those of added tokens, templates and `<unk>`."""
    copy: dict[str, Any] = json.loads(json.dumps(pipeline))
    copy["added_tokens"] = [{**one, "id": number[one["id"]]} for one in copy["added_tokens"]]
    copy["model"]["unk_id"] = number[copy["model"]["unk_id"]]
    processor = copy.get("post_processor") or {}
    for part in processor.get("processors", [processor]):
        if part.get("type") == "TemplateProcessing":
            for token in part["special_tokens"].values():
                token["ids"] = [number[one] for one in token["ids"]]
        for name in ("sep", "cls"):  # BERT's and RoBERTa's own processors
            if name in part:
                part[name] = [part[name][0], number[part[name][1]]]
    return copy


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the vocabulary of a tokenizer folder.

    Raises `UserError` for a folder without one, one that is no unigram, and one whose two files
    do not have the same pieces.
    """
    if not folder.is_dir():
        raise UserError("no such tokenizer folder", where=folder, do=MADE_BY["tokenizer"])
    for name in (TOKENIZER_FILE, SPM_FILE, CONFIG_FILE):
        if not (folder / name).is_file():
            old = any(folder.glob("*.model")) or (folder / "config.json").is_file()
            do = f"make one of it with `thaitok convert {folder}`" if old else MADE_BY["tokenizer"]
            raise UserError(f"no {name} here", where=folder, do=do)
    try:
        pipeline = json.loads((folder / TOKENIZER_FILE).read_bytes())
        kind = pipeline["model"].get("type", "BPE")
        proto = spm.ModelProto.FromString((folder / SPM_FILE).read_bytes())  # type: ignore[attr-defined]
    except Exception as err:  # of json or protobuf, which has several
        raise UserError(f"is no tokenizer: {err}", where=folder) from None
    if kind != "Unigram":
        raise UserError(
            f"a {kind} tokenizer: its pieces have no probabilities to extend",
            where=folder,
            do="give a unigram",
        )
    pieces = tuple(piece for piece, _ in pipeline["model"]["vocab"])
    if pieces != tuple(one.piece for one in proto.pieces):
        raise UserError(
            f"{TOKENIZER_FILE} and {SPM_FILE} do not have the same pieces",
            where=folder,
            do="make it anew with `thaitok convert`",
        )
    scores = tuple(float(score) for _, score in pipeline["model"]["vocab"])
    return Vocabulary(pieces, scores, pipeline, proto, (folder / CONFIG_FILE).read_bytes())


@cache
def letters_of(script: str) -> str:
    """Return a character class, without its brackets, of a script's letters and marks.

    By the names of Unicode's characters, which begin with their script's. Raises `UserError`
    for a script without any.
    """
    wanted = f"{script.upper()} "
    codes = [
        code
        for code in range(0x20000)
        if unicodedata.name(chr(code), "").startswith(wanted)
        and unicodedata.category(chr(code))[0] in "LM"
    ]
    if not codes:
        do = "write it as Unicode does: latin, greek, cyrillic, hiragana, hangul, cjk"
        raise UserError(f"no script called {script!r}", where="--script", do=do)
    runs = runs_of_codes(codes)
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in runs)


def words_in(script: str) -> re.Pattern[str]:
    """Return what finds words of a script, each with the sign of a space before it if any."""
    return re.compile(f"{WORD_MARK}?[{letters_of(script)}]+")
