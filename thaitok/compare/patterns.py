"""How OpenAI's tokenizers cut a text before they merge bytes: a rank file does not tell it.

The patterns are those of `tiktoken_ext/openai_public.py` (tiktoken 0.14); Whisper's tokenizer uses
GPT-2's (`whisper/tokenizer.py`).
"""

from __future__ import annotations

from pathlib import Path

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)

PATTERNS = {
    "gpt2": GPT2,
    "r50k": GPT2,
    "p50k": GPT2,
    "whisper": GPT2,
    "multilingual": GPT2,
    "cl100k": CL100K,
    "o200k": O200K,
}
"""By what the name of a rank file or of its folder begins with or holds."""


def pattern_of(path: Path) -> tuple[str, str]:
    """Return the pattern that a rank file goes with, and a note that says which that is."""
    for name in (path.name, path.parent.name):
        for known, pattern in PATTERNS.items():
            if known in name:
                return pattern, f"cut by the pattern of {known}"
    return CL100K, f"{path.name} is of no known name: cut by the pattern of cl100k"
