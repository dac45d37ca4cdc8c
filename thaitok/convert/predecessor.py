"""`process_transformers` inside `tokenizer.json`: as much of it as normalizers can say.

Left out are `html.unescape` beyond the entities listed here, doubled words (they take a
segmenter) and the emoji that are cut apart for them: `thaitok.wangchanberta` has it all.
"""

from __future__ import annotations

from tokenizers import Regex, normalizers

from thaitok.rules import SPACE_TOKEN
from thaitok.wangchanberta import REPLACED

LETTER = r"a-zA-Z0-9\x{e01}-\x{e59}"
"""What the bracket rules take for content."""
WHITE = (
    r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
"""White space to Python's `strip` and `\\S`; Oniguruma's is another."""

ENTITIES = {
    "lt": "<", "gt": ">", "times": "×", "hellip": "…", "ldquo": "“", "rdquo": "”", "ndash": "–",
    "#34": '"', "#42": "*", "#8203": "\u200b", "#8220": "“", "#8221": "”",
}  # fmt: skip
"""The entities of `html.unescape` that are replaced, with their semicolon: those met in 85,000
real lines and their like. Each costs 10 ms a megabyte."""

STRETCH = "\ufdd2"
"""A noncharacter that marks the place of a run while it is cut."""


def process_transformers_normalizers() -> list[normalizers.Normalizer]:
    """Return the rules of thai2transformers' `process_transformers`, in their order.

    On text that went through them before, with its spaces marked, they change nothing more.
    """
    return [
        normalizers.Replace(Regex(r"(?<=[\p{Ll}\p{Lu}\p{Lt}])Σ(?![\p{Ll}\p{Lu}\p{Lt}])"), "ς"),
        normalizers.Replace("Σ", "σ"),  # the others, of which browsers find more to be final
        normalizers.Lowercase(),
        *_fix_html(),
        normalizers.Replace(Regex("  +"), " "),
        *_brackets(),
        normalizers.Replace(Regex(rf"\A[{WHITE}]+"), ""),
        normalizers.Replace(Regex(rf"[{WHITE}]+\z"), ""),
        normalizers.Replace("\n", " "),
        normalizers.Replace(Regex("  +"), " "),
        normalizers.Replace(" ", SPACE_TOKEN),
        *_unstretch(),
    ]


def _fix_html() -> list[normalizers.Normalizer]:
    steps: list[normalizers.Normalizer] = []
    steps += [normalizers.Replace(old, new) for _, old, new in REPLACED if old != "\\"]
    # Not where a space is marked beside it: that was done before.
    backslash = rf"(?<!{SPACE_TOKEN})\\(?!{SPACE_TOKEN})"
    steps.append(normalizers.Replace(Regex(backslash), " \\ "))
    return steps + [normalizers.Replace(f"&{name};", sign) for name, sign in ENTITIES.items()]


def _brackets() -> list[normalizers.Normalizer]:
    """Return `rm_brackets`: each pattern takes out what it matches, one bracket after another."""
    pairs = ((r"\(", r"\)"), (r"\{", r"\}"), (r"\[", r"\]"))
    other, letter = f"[^{LETTER}]", f"[{LETTER}]"
    patterns = (
        *(f"{opening}{closing}" for opening, closing in pairs),
        *(f"{opening}{other}+{closing}" for opening, closing in pairs),
        *(f"(?<={opening}){other}++(?={letter})" for opening, _ in pairs),
        *(f"(?<={letter}){other}+(?={closing})" for _, closing in pairs),
    )
    return [normalizers.Replace(Regex(pattern), "") for pattern in patterns]


def _unstretch() -> list[normalizers.Normalizer]:
    """Return `replace_rep_after`: a sign that stands four or more times stands once.

    A replacement cannot name what was matched, so the first signs of a run become a mark.
    """
    sign = rf"[^{WHITE}\x{{fdd2}}]"
    return [
        normalizers.Replace(Regex(rf"({sign})(?=\1{{3}})"), STRETCH),
        normalizers.Replace(Regex(rf"{STRETCH}+({sign})(?=\1\1)"), STRETCH),
        normalizers.Replace(Regex(rf"{STRETCH}({sign})(?=\1)"), ""),
        normalizers.Replace(STRETCH, ""),
    ]
