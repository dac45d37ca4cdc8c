"""Settings of a tokenizer's training, its profiles and its presets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from thaitok.config import Config
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer_json import SPECIAL_TOKENS

PRESETS = Path(__file__).parent / "presets"
"""Folder of the presets, one TOML each."""

Mode = Literal["mixed", "word", "phrase", "line"]
Profile = Literal["compact", "balanced", "spans"]
UNUSED: dict[Mode, tuple[str, ...]] = {
    "mixed": (),
    "phrase": ("profile",),
    "word": ("profile", "phrases", "scripts"),
    "line": ("profile", "phrases", "scripts", "source_weights"),
}
"""Settings that mean nothing in a mode."""
SPECIAL = re.compile(r"<(?!0x[0-9A-F]{2}>)[^<>\s]+>")
"""Special tokens begin with `<`, which stands alone in every text, so that no text spells one."""
LEAST_PIECES = 100
Budget = Annotated[int, Field(ge=0)]
Weight = Annotated[float, Field(gt=0)]


class PhraseConfig(Config):
    """Which rows of words may become one piece, in the modes `mixed` and `phrase`.

    What is None is taken from the profile.
    """

    share: float | None = Field(default=None, ge=0, le=1)
    """Largest share of the vocabulary (what is also part of some longer word is not counted)."""
    npmi: float | None = Field(default=None, ge=0, le=1)
    """Least normalised pointwise mutual information a word boundary (0: any row of words).

    Bouma 2009, "Normalized (pointwise) mutual information in collocation extraction", over
    words - 1."""
    token_gain: float | None = Field(default=None, ge=0, le=100)
    """Nats that a saved token is worth, beside the likelihood, when pieces are pruned."""
    most_words: int = Field(default=8, ge=2, le=32)
    least_count: float = Field(default=50, gt=0)
    """How often such a row must come in 200 MB of Thai, and in proportion in any other corpus."""


class ScriptConfig(Config):
    """Most pieces of each script but Thai, single characters aside.

    None is a share of the vocabulary.
    """

    latin: Budget | None = None
    digits: Budget | None = None
    emoji: Budget | None = None
    other: Budget | None = None


class TokenizerConfig(Config):
    """How to train a tokenizer."""

    corpus: tuple[Path, ...] = Field(min_length=1)
    """Finished corpus folders."""
    out: Path
    """The tokenizer folder to make."""
    vocab_size: int = Field(default=25_000, ge=LEAST_PIECES, le=500_000)
    """Pieces, special tokens included."""
    mode: Mode = "mixed"
    """`mixed`: words and phrases in one lattice, phrases within a budget. `phrase`: the same
    without a budget. `word`: pieces stay inside dictionary words. `line`: SentencePiece on
    whole lines, WangchanBERTa's way, for comparison; memory grows with the corpus."""
    profile: Profile = "balanced"
    """`compact`: fewest tokens. `spans`: fewest word boundaries swallowed, for NER and question
    answering. `balanced`: phrases that cohere."""
    algorithm: Literal["unigram", "bpe"] = "unigram"
    """`bpe` is for the modes `word` and `line`."""
    phrases: PhraseConfig = PhraseConfig()
    scripts: ScriptConfig = ScriptConfig()
    source_weights: dict[str, Weight] = Field(default_factory=dict)
    """How many times the text of a source counts; 1 where none is given."""
    character_coverage: float = Field(default=0.99995, ge=0.98, le=1.0)
    """Share of characters the alphabet covers. Thai letters and ASCII in use always belong to
    it; the others left out are named."""
    max_piece_length: int | None = Field(default=None, ge=2, le=64)
    """Characters of the longest piece: by default 40, and in mode `line` SentencePiece's 16."""
    lower: bool = False
    """Uncased: the tokenizer lower-cases what it reads."""
    byte_fallback: bool = False
    """Write characters outside of the alphabet as bytes, which take 256 pieces."""
    split_digits: bool = False
    """Let every digit be a piece of its own."""
    special_tokens: tuple[str, ...] = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    """The first pieces in the order of their ids (RoBERTa's); further ones may follow."""
    model_max_length: int = Field(default=512, ge=8)
    """Longest input in pieces, `<s>` and `</s>` included, that its models will take."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the draw of rare phrases, where a corpus has more than fit in memory."""
    workers: int | None = Field(default=None, ge=1)
    """Processes that count; all cores by default. The result does not depend on it."""

    @model_validator(mode="after")
    def _fits(self) -> TokenizerConfig:
        if self.algorithm == "bpe" and self.mode not in ("word", "line"):
            raise ValueError(f"algorithm 'bpe' takes mode 'word' or 'line', not {self.mode!r}")
        for name in UNUSED[self.mode]:
            if name in self.model_fields_set and getattr(self, name) != _default(name):
                raise ValueError(f"{name} has no effect in mode {self.mode!r}")
        if len({path.resolve() for path in self.corpus}) < len(self.corpus):
            raise ValueError("corpus names one folder twice")
        return self

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> TokenizerConfig:
        for token in self.special_tokens:
            if not SPECIAL.fullmatch(token) or token == SPACE_TOKEN:
                raise ValueError(f"special_tokens: {token!r} is not written as <name>")
        needed = dict.fromkeys(SPECIAL_TOKENS.values())
        if missing := [token for token in needed if token not in self.special_tokens]:
            raise ValueError(f"special_tokens lack {', '.join(missing)}")
        if len(set(self.special_tokens)) < len(self.special_tokens):
            raise ValueError("special_tokens name one twice")
        return self


def _default(name: str) -> Any:
    return TokenizerConfig.model_fields[name].get_default(call_default_factory=True)


class Resolved(Config):
    """What a profile stands for, unless a setting says otherwise."""

    share: float
    npmi: float
    token_gain: float


PROFILES: dict[Profile, Resolved] = {
    "compact": Resolved(share=0.36, npmi=0.0, token_gain=2.0),
    "balanced": Resolved(share=0.2, npmi=0.36, token_gain=2.0),
    "spans": Resolved(share=0.16, npmi=0.43, token_gain=1.0),
}
SHARES = {"latin": 0.17, "digits": 0.01, "emoji": 0.01, "other": 0.02}
"""Default largest share of each script, of all pieces."""


def longest_piece(config: TokenizerConfig) -> int:
    """Return the characters of the longest piece, by the setting and the mode."""
    return config.max_piece_length or (16 if config.mode == "line" else 40)


def phrase_settings(config: TokenizerConfig) -> Resolved:
    """Return share, NPMI and gain of phrases, by the mode, the profile and the settings."""
    if config.mode == "phrase":
        profile = Resolved(share=1.0, npmi=0.0, token_gain=1.0)
    else:
        profile = PROFILES[config.profile]
    given = config.phrases.model_dump(include=set(Resolved.model_fields), exclude_none=True)
    return profile.model_copy(update=given)


def budgets(config: TokenizerConfig) -> dict[str, int]:
    """Return the most pieces of each script but Thai, and of phrases."""
    given = config.scripts.model_dump(exclude_none=True)
    shares = {**SHARES, "phrase": phrase_settings(config).share}
    return {name: given.get(name, int(config.vocab_size * share)) for name, share in shares.items()}
