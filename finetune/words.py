"""Words of raw text, where there is no gold that says where they are."""

from __future__ import annotations

import re

from thaitok.alignment import Span, join_words


def word_spans(text: str) -> list[Span]:
    """Return the spans of a text's words by dictionary, white space left out."""
    from pythainlp.tokenize import word_tokenize

    # newmm-safe: plain newmm's time explodes on long ambiguous runs.
    words = word_tokenize(text, engine="newmm-safe", keep_whitespace=True, join_broken_num=False)
    joined, spans = join_words(words)
    if joined != text:
        spans = [found.span() for found in re.finditer(r"\S+", text)]
    return [(start, end) for start, end in spans if text[start:end].strip()]
