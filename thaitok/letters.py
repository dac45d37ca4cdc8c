"""Rules on Thai letters: sara am, sara ae, the order of marks, and what is typed twice."""

from __future__ import annotations

from thaitok.marks import (
    LATER_MARKS,
    THANTHAKHAT,
    TONES,
    UPPER_VOWELS,
    VOWEL_MARKS,
    compose,
    order_marks,
)
from thaitok.passes import Rule
from thaitok.triggers import Trigger

__all__ = ["CLUSTERS", "COMPOSE", "LETTERS", "SARA_AM", "TONES"]

NIKHAHIT, SARA_AA, SARA_AM = "\u0e4d", "\u0e32", "\u0e33"
NOT_COMPOSED = (
    "[\u0300-\u0dff\u0e80-\u1fff\u2000-\u200f\u20d0-\u20ff\u2126\u212a\u212b\u2329\u232a\u2adc"
    "\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\uabff\ud800-\udfff"
    "\uf900-\ufb4f\ufe20-\ufe2f]"
)
"""Where anything lies that NFC changes, or that composes or sorts behind another character."""

_MISPLACED = (
    Trigger(f"[{LATER_MARKS}]", then=f"[{VOWEL_MARKS}{LATER_MARKS}]"),
    Trigger(f"[{VOWEL_MARKS}]", then=f"[{VOWEL_MARKS}]"),
)
_TYPED_TWICE = (Trigger("[เแโใไำ]", "twice"),)

COMPOSE = Rule(
    "nfc",
    "one code for one character: Unicode's normal form C",
    rewrite=compose,
    triggers=(Trigger(NOT_COMPOSED), *_MISPLACED),
)


def _letter(name: str, why: str, pairs: dict[str, str], *triggers: Trigger) -> tuple[Rule, ...]:
    return tuple(Rule(name, why, wrong, right, None, triggers) for wrong, right in pairs.items())


_OTHER_SCRIPTS = "\u0300-\u0dff\u0f00-\u1fff\u302a-\u309a\ua66f-\uabff\ufb1e"
"""Where marks of other scripts lie that NFC would move before a Thai tone."""


def _alone(pair: str) -> str:
    """Return the pattern of two marks alone on a consonant, what is sought first."""
    return f"{pair}(?<=[ก-ฮ]{pair})(?![{VOWEL_MARKS}{LATER_MARKS}{_OTHER_SCRIPTS}])"


LETTERS: tuple[Rule, ...] = (
    *_letter(
        "sara_am",
        "NFKC and old editors split sara am in two",
        {NIKHAHIT + SARA_AA: SARA_AM}
        # On Thai alone: behind an accent of another script NFC would move the tone once more.
        | {
            f"{NIKHAHIT}{tone}{SARA_AA}(?<=[ก-๎]{NIKHAHIT}{tone}{SARA_AA})": tone + SARA_AM
            for tone in TONES
        },
        Trigger(NIKHAHIT),
    ),
    *_letter(
        "mark_order",
        "a mark typed twice cannot be seen",
        {f"{mark}{mark}+": mark for mark in "่้ีัิุ์ืู"},
        *_MISPLACED,
    ),
    *_letter(
        "mark_order",
        "a tone typed before its vowel mark looks the same",
        # Piles of three and more are for `order_marks`: pairs alone would have no end to them.
        {
            _alone(tone + vowel): vowel + tone
            for tone, vowels in (
                *((tone, UPPER_VOWELS) for tone in "่้"),
                (THANTHAKHAT, "\u0e34\u0e38"),
            )
            for vowel in vowels
        },
        *_MISPLACED,
    ),
    *_letter(
        "late_tone",
        "a tone typed after sara am, as in น + ำ + ้",
        {f"{SARA_AM}{tone}(?<=[ก-ฮ]{SARA_AM}{tone})": tone + SARA_AM for tone in "่้"},
        Trigger(f"[{SARA_AA}{SARA_AM}]", then=f"[{TONES}]"),
    ),
    *_letter(
        "sara_ae", "two sara e typed for one sara ae; they look alike", {"เเ": "แ"}, *_TYPED_TWICE
    ),
)
"""Rules on Thai letters, after Unicode composition (NFC), that a tokenizer has as well."""

CLUSTERS: tuple[Rule, ...] = (
    Rule(
        "mark_order",
        "any number of marks on a letter",
        rewrite=order_marks,
        triggers=(*_MISPLACED, Trigger(f"[{SARA_AA}{SARA_AM}]", then=f"[{TONES}]")),
    ),
    *_letter(
        "doubled_vowels",
        "no Thai word has a leading vowel or sara am twice",
        {f"{vowel}{vowel}+": vowel for vowel in "แโใไำ"},
        *_TYPED_TWICE,
    ),
)
"""Rules on Thai letters that only `re` can say."""
