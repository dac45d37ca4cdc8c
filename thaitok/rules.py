"""Text rules: one table, compiled to a Python function and to `tokenizers` normalizers alike."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

SPACE_TOKEN = "<_>"
"""The piece that stands for a space inside a tokenizer (WangchanBERTa's, arXiv 2101.09635).

Thai writes spaces between phrases, not words, so a space is a token of its own. It is spelled
here and nowhere else; corpora stay natural text."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Replace what `pattern` matches by the literal `replacement`.

    Patterns keep to what Python's `re` and Oniguruma (inside `tokenizers`) read alike:
    literals, character classes, look-behind; no shorthand classes, no group references.
    """

    name: str
    pattern: str
    replacement: str
    why: str

    @property
    def literal(self) -> bool:
        """Whether the pattern is a plain string."""
        return not set(self.pattern) & set("[](){}|?*+^$.\\")


TONES = "\u0e48\u0e49\u0e4a\u0e4b"
NIKHAHIT, SARA_AA, SARA_AM = "\u0e4d", "\u0e32", "\u0e33"
EMOJI = "\u2600-\u27bf\ufe0f\U0001f000-\U0001faff"

CHARACTERS: tuple[Rule, ...] = (
    Rule(
        "controls", "[\x00-\x08\x0e-\x1f\x7f]", "", "invisible; they come from broken conversions"
    ),
    Rule(
        "zero_width",
        "[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]",
        "",
        "word-break hints and direction marks: the same word must get the same tokens",
    ),
    Rule("line_breaks", "\r\n|[\r\x0b\x0c\u2028\u2029]", "\n", "one kind of line end"),
    Rule(
        "spaces",
        "[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]",
        " ",
        "one kind of space; thaigov alone has 565,000 no-break spaces",
    ),
    Rule(
        "joiner",
        # What is sought comes first: looking behind at every place takes three times as long.
        f"\u200d(?<![{EMOJI}]\u200d)\u200d*",
        "",
        "a zero-width joiner means something after an emoji only",
    ),
)
"""Rules on single characters, before Unicode composition, so that what they join composes."""

LETTERS: tuple[Rule, ...] = (
    Rule("sara_am", NIKHAHIT + SARA_AA, SARA_AM, "NFKC and old editors split sara am in two"),
    *(
        Rule("sara_am", NIKHAHIT + tone + SARA_AA, tone + SARA_AM, "the same around a tone mark")
        for tone in TONES
    ),
    Rule("sara_ae", "เเ", "แ", "two sara e typed for one sara ae; they look alike"),
)
"""Rules on Thai letters, after Unicode composition (NFC)."""

LINES: tuple[Rule, ...] = (
    Rule("repeated_spaces", " {2,}", " ", "layout, not language"),
    Rule("line_edges", " ?\n ?", "\n", "layout"),
    Rule("empty_lines", "\n{3,}", "\n\n", "one empty line parts two paragraphs"),
)
"""Rules on the layout of a document."""

ONE_LINE: tuple[Rule, ...] = (
    Rule("marked_space", SPACE_TOKEN, " ", "text marked by hand for WangchanBERTa"),
    Rule("newline", "\n", " ", "an encoder reads one line"),
    Rule("repeated_spaces", " {2,}", " ", "layout, not language"),
)
"""Rules that make a text the one line that a tokenizer reads."""

ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""An HTML entity with its semicolon: without one, `?a=1&copy=2` in an address would change."""

ENTITY_ROUNDS = 8
"""How deep entities may stand inside one another: pages escaped twice have 2. Without an end,
`&amp;amp;amp;...` takes quadratic time: 40 kB of it took 13 s."""

Text = Callable[[str], str]


def _compile(rules: tuple[Rule, ...]) -> tuple[Text, ...]:
    def compiled(rule: Rule) -> Text:
        if rule.literal:
            return lambda text: text.replace(rule.pattern, rule.replacement)
        pattern = re.compile(rule.pattern)
        return lambda text: pattern.sub(rule.replacement, text)

    return tuple(compiled(rule) for rule in rules)


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_SHARED: tuple[Text, ...] = (*_compile(CHARACTERS), _compose, *_compile(LETTERS))
_CORPUS: tuple[Text, ...] = (*_SHARED, *_compile(LINES))
_TOKENIZER: tuple[Text, ...] = (*_SHARED, *_compile(ONE_LINE))


def clean_text(text: str) -> str:
    r"""Clean a document for a corpus: natural Thai with its lines, spaces and signs kept.

    HTML entities become characters, then every rule of `CHARACTERS`, NFC, `LETTERS` and
    `LINES` is applied; the ends are trimmed. Idempotent, unless entities are nested more than
    `ENTITY_ROUNDS` deep.

    >>> clean_text("น้ํา\u200b&nbsp;เเข็ง")
    'น้ำ แข็ง'
    """
    cleaned = text
    for _ in range(ENTITY_ROUNDS):
        cleaned = ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        for rule in _CORPUS:
            cleaned = rule(cleaned)
        # What was removed may have stood inside an entity, and &amp;nbsp; holds another.
        if "&" not in cleaned or cleaned == text:
            break
        text = cleaned
    return cleaned.strip(" \n")


def normalize(text: str) -> str:
    """Normalise a text as the tokenizer does, with its spaces as spaces. Idempotent.

    It is what `decode(encode(text))` gives back where no piece is unknown.
    """
    for rule in _TOKENIZER:
        text = rule(text)
    return text


def mark_spaces(text: str) -> str:
    """Write each space as the space token: the last step before SentencePiece."""
    return text.replace(" ", SPACE_TOKEN)


def unmark_spaces(text: str) -> str:
    """Undo `mark_spaces`."""
    return text.replace(SPACE_TOKEN, " ")


def tokenizers_normalizer() -> Normalizer:
    """Return `mark_spaces(normalize(text))` as a normalizer for `tokenizer.json`."""
    from tokenizers import Regex, normalizers

    def replace(rule: Rule) -> Normalizer:
        pattern = rule.pattern if rule.literal else Regex(rule.pattern)
        return normalizers.Replace(pattern, rule.replacement)

    return normalizers.Sequence(
        [
            *map(replace, CHARACTERS),
            normalizers.NFC(),
            *map(replace, LETTERS),
            *map(replace, ONE_LINE),
            normalizers.Replace(" ", SPACE_TOKEN),
        ]
    )
