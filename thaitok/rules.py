"""Text rules: one table of named rules, compiled to a batch function and to `tokenizers` alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from thaitok.letters import CLUSTERS, COMPOSE, LETTERS, SARA_AM, TONES
from thaitok.marks import FONT_CODES, compose, replace_font_codes
from thaitok.markup import drop_markup, replace_entities
from thaitok.mojibake import repair_mojibake, repair_utf8_as_thai
from thaitok.passes import Change, Passes, Rule, Text
from thaitok.stretches import STRETCHED, cut_laughter, cut_stretches
from thaitok.triggers import Trigger

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

__all__ = [
    "CORPUS", "SARA_AM", "SPACE_TOKEN", "TOKENIZER", "TONES", "Change", "Rule", "clean_text",
    "clean_texts", "explain", "mark_spaces", "normalize", "normalize_many", "tokenizers_normalizer",
    "unmark_spaces",
]  # fmt: skip

SPACE_TOKEN = "<_>"
"""The piece that stands for a space inside a tokenizer (WangchanBERTa's, arXiv 2101.09635).

Thai writes spaces between phrases, not words, so a space is a token of its own. It is spelled
here and nowhere else; corpora stay natural text."""

EMOJI = "\u2600-\u27bf\ufe0f\U0001f000-\U0001faff"
CONTROLS = "[\x00-\x08\x0e-\x1f\x7f-\x9f]"
ZERO_WIDTH = (
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffc]"
)
RARE_SPACES = "[\u1680\u2000-\u200a\u202f\u205f\u3000]"
LINE_ENDS = "[\r\x0b\x0c\u2028\u2029]"


def _squeeze(run: str, kept: str) -> Text:
    def squeezed(text: str) -> str:
        while run in text:
            text = text.replace(run, kept)
        return text

    return squeezed


_SELDOM = (Trigger(f"{LINE_ENDS}|{CONTROLS}|{FONT_CODES}"),)
_INVISIBLE = (Trigger(f"{ZERO_WIDTH}|\u200d"),)

PAGES: tuple[Rule, ...] = (
    *(
        Rule("line_breaks", "one kind of line end", end, "\n", triggers=_SELDOM)
        for end in ("\r\n", LINE_ENDS)
    ),
    Rule(
        "entities",
        "pages escaped once or several times",
        rewrite=replace_entities,
        triggers=(Trigger("&"),),
    ),
    Rule(
        "markup",
        "HTML tags, comments, scripts and styles are not language",
        rewrite=drop_markup,
        triggers=(Trigger("<"),),
    ),
    Rule(
        "mojibake",
        "Thai that was read in the wrong encoding",
        rewrite=repair_mojibake,
        triggers=(Trigger("[\xc3\xd0-\xd6\xd8-\xda\xe0-\xee]"),),
    ),
    Rule(
        "mojibake",
        "the same, read as Thai letters",
        rewrite=repair_utf8_as_thai,
        triggers=(Trigger("เ", then="ธ"),),
    ),
    Rule(
        "font_codes",
        "codes of glyphs in old Thai fonts: the tone marks of many a PDF; quotes of Windows",
        rewrite=replace_font_codes,
        triggers=_SELDOM,
    ),
)
"""Rules on how a text was stored: they bring to light what the others work on."""

CHARACTERS: tuple[Rule, ...] = (
    Rule(
        "controls",
        "invisible; they come from broken conversions",
        CONTROLS,
        triggers=_SELDOM,
    ),
    Rule(
        "zero_width",
        "word-break hints and direction marks: the same word must get the same tokens",
        ZERO_WIDTH,
        triggers=_INVISIBLE,
    ),
)
"""Rules on single characters, before Unicode composition, so that what they join composes."""

JOINER = Rule(
    "joiner",
    "a zero-width joiner means something after an emoji only",
    # What is sought comes first: looking behind at every place takes three times as long.
    f"\u200d(?<![{EMOJI}]\u200d)\u200d*",
    triggers=_INVISIBLE,
)

REPEATED_SPACES = Rule(
    "repeated_spaces",
    "layout, not language",
    " {2,}",
    " ",
    rewrite=_squeeze("  ", " "),
    triggers=(Trigger(" ", "twice"),),
    layout=True,
)

_EDGES = (Trigger(" ", then="\n"), Trigger("\n", then=" "))

LINES: tuple[Rule, ...] = (
    *(
        Rule(
            "spaces",
            "one kind of space; thaigov alone has 565,000 no-break spaces",
            space,
            " ",
            triggers=(Trigger(space if space == RARE_SPACES else "[\t\u00a0]"),),
            layout=True,
        )
        for space in ("\u00a0", "\t", RARE_SPACES)
    ),
    REPEATED_SPACES,
    Rule("line_edges", "layout", " \n", "\n", None, _EDGES, True),
    Rule("line_edges", "layout", "\n ", "\n", None, _EDGES, True),
    Rule(
        "empty_lines",
        "one empty line parts two paragraphs",
        "\n{3,}",
        "\n\n",
        rewrite=_squeeze("\n\n\n", "\n\n"),
        triggers=(Trigger("\n", "twice"),),
        layout=True,
    ),
)
"""Rules on white space in a document."""

STRETCHES: tuple[Rule, ...] = (
    Rule(
        "laughter",
        "555: the longer, the funnier, and each length a word of its own",
        rewrite=cut_laughter,
        triggers=(Trigger("5", "run"),),
        last=True,
    ),
    Rule(
        "stretches",
        "มากกกกก, !!!!!! and ------ at any length are one word, one sign and one rule",
        rewrite=cut_stretches,
        triggers=(
            Trigger(f"(?![0-9]){STRETCHED}", "run"),
            Trigger("\ufe0f"),
            Trigger("[\udc00-\udfff]", then="[\ud800-\udbff]"),
        ),
        last=True,
    ),
)

SPACES = f"[ \n\t\u00a0{RARE_SPACES[1:-1]}{LINE_ENDS[1:]}"
"""What a tokenizer reads as its one kind of space."""
_ODD_SPACE = re.compile(f"{RARE_SPACES[:-1]}{LINE_ENDS[1:]}")


def _one_space(text: str) -> str:
    """Apply the rule `one_line`: nearly all that it meets are these three."""
    text = text.replace("\n", " ").replace("\u00a0", " ").replace("\t", " ")
    return _squeeze("  ", " ")(_ODD_SPACE.sub(" ", text))


def _compose_apart(text: str) -> str:
    """Compose, but nothing with `<`: `tokenizer.json` cuts there before it normalises."""
    if "\u0338" not in text:  # the one mark that Unicode composes with it, to U+226E
        return compose(text)
    return "<".join(map(compose, text.split("<")))


# Classes of the corpus's rules in one each: a regex costs Rust up to 16 ms a megabyte.
INVISIBLE = Rule(
    "invisible",
    "controls, zero-width characters, and joiners that follow no emoji",
    f"{CONTROLS[:-1]}{ZERO_WIDTH[1:-1]}\u200d](?<![{EMOJI}]\u200d)",
    triggers=(*_SELDOM, *_INVISIBLE),
)
ONE_LINE = Rule(
    "one_line",
    "an encoder reads one line, and knows one kind of space",
    f"{SPACES}+",
    " ",
    rewrite=_one_space,
    triggers=(Trigger(f"[\n\t\u00a0]|{RARE_SPACES}|{LINE_ENDS}"), Trigger(" ", "twice")),
    layout=True,
)
LOWER = Rule(
    "lower",
    "an uncased tokenizer; one by one, so that a final sigma is a sigma like any other",
    rewrite=lambda text: text.replace("Σ", "σ").lower(),
)
COMPOSE_APART = Rule("nfc", COMPOSE.why, rewrite=_compose_apart, triggers=COMPOSE.triggers)

CORPUS: tuple[Rule, ...] = (
    *PAGES, *CHARACTERS, JOINER, COMPOSE, *LETTERS, *CLUSTERS, *LINES, *STRETCHES,
)  # fmt: skip
"""All that is done to a document, in this order, until nothing changes."""

TOKENIZER: tuple[Rule, ...] = (INVISIBLE, COMPOSE_APART, *LETTERS, ONE_LINE)
"""All that a tokenizer does to its line, once, before it marks the spaces."""

UNCASED: tuple[Rule, ...] = (INVISIBLE, LOWER, *TOKENIZER[1:])
"""What an uncased tokenizer does."""

_CORPUS = Passes(CORPUS)
_TOKENIZER = {False: Passes(TOKENIZER, rounds=1), True: Passes(UNCASED, rounds=1)}


def clean_text(text: str) -> str:
    r"""Clean a document for a corpus: natural Thai with its lines, spaces and signs kept.

    Every rule of `CORPUS` is applied until nothing changes, then the ends are trimmed.
    Idempotent, unless entities or tags are nested more than `passes.ROUNDS` deep.

    >>> clean_text("น้ํา\u200b&nbsp;เเข็ง")
    'น้ำ แข็ง'
    """
    return _CORPUS.one(text).strip(" \n")


def clean_texts(texts: Sequence[str]) -> list[str]:
    """Clean many documents, several times faster than one by one and with the same results."""
    return [text.strip(" \n") for text in _CORPUS.many(texts)]


def explain(text: str) -> list[Change]:
    """Return which rules change a text when it is cleaned, each with the first place it changes."""
    return _CORPUS.changes(text)


def normalize(text: str, lower: bool = False) -> str:
    """Normalise a text as the tokenizer does, with its spaces as spaces. Idempotent.

    It is what `decode(encode(text))` gives back where no piece is unknown; `lower` is for
    uncased tokenizers.
    """
    return _TOKENIZER[lower].one(text)


def normalize_many(texts: Sequence[str], lower: bool = False) -> list[str]:
    """Normalise many texts, several times faster than one by one and with the same results."""
    return _TOKENIZER[lower].many(texts)


def mark_spaces(text: str) -> str:
    """Write each space as the space token: the last step before SentencePiece."""
    return text.replace(" ", SPACE_TOKEN)


def unmark_spaces(text: str) -> str:
    """Undo `mark_spaces`."""
    return text.replace(SPACE_TOKEN, " ")


def tokenizers_normalizer(lower: bool = False) -> Normalizer:
    """Return `mark_spaces(normalize(text))` as a normalizer for `tokenizer.json`.

    It composes U+0338 with a `<` before it, which `normalize` does not: `tokenizer.json` must
    cut the text at each `<` beforehand.
    """
    from tokenizers import Regex, normalizers

    def written(rule: Rule) -> Normalizer:
        if rule is COMPOSE_APART:
            return normalizers.NFC()
        if rule is LOWER:
            # Browsers lower a final sigma to another letter.
            return normalizers.Sequence([normalizers.Replace("Σ", "σ"), normalizers.Lowercase()])
        # The last rule marks the spaces too; any earlier, U+0338 would compose with the `>`.
        replacement = SPACE_TOKEN if rule is ONE_LINE else rule.replacement
        return normalizers.Replace(
            rule.pattern if rule.literal else Regex(rule.pattern), replacement
        )

    return normalizers.Sequence(list(map(written, UNCASED if lower else TOKENIZER)))
