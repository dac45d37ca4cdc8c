"""Thresholds of the document filters: one table, each with its meaning and its source."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from thaitok.config import Config

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class FilterConfig(Config):
    """Thresholds of the document filters, all on the cleaned text."""

    min_chars: Count = 3
    """Fewest characters a document may have, spaces included.

    Low on purpose: posts of four letters are language. Raise it for web crawls."""
    max_chars: Annotated[int, Field(ge=1)] = 2_000_000
    """Most characters a document may have: a fuse against dumps and logs, not a matter of taste.

    The longest of 94,000 government news and laws has 243,084."""
    max_other_script_share: Share = 0.2
    """Most of the letters that may be Lao, Khmer, Burmese, Tai or Cham; 1 switches it off.

    Text in one of these measures over 0.9, Thai that quotes a word of them under 0.05."""
    max_pali_share: Share = 0.03
    """Most of the Thai characters that may be phinthu or nikhahit, the signs of Pali in Thai
    script, in a text that has fewer tone marks than these; 1 switches it off.

    Canonical Pali measures 0.07 to 0.13 with no tone mark; Thai 0.00, with tone marks 0.07."""
    min_thai_share: Share = 0.2
    """Least share of Thai among the letters; digits, spaces and signs say nothing.

    Read in social posts and manuals: from 0.2 to 0.3 they are Thai with brands, hashtags and
    links, below 0.15 English advertisements and code. Other scripts measure 0. With 0 even a
    text without any letter is kept."""
    langid: bool = False
    """Ask py3langid, where installed, for a second opinion on the language.

    Off by default: 30 times the time of all other filters together, and the script settles
    what is Thai; py3langid answers for mixed texts alone."""
    quality: bool = True
    """Drop what is broken or not prose, by the thresholds up to the next switch."""
    max_replacement_share: Share = 0.01
    """Most of the characters that may be U+FFFD, what a decoder writes for bytes it cannot read."""
    max_orphan_share: Share = 0.05
    """Most of the Thai characters that may be a mark above or below no letter."""
    min_letter_share: Share = 0.1
    """Least share of letters and their marks among all characters but spaces.

    With 0.15 a post of three words and a hundred 5s of laughter fell."""
    letter_min_chars: Count = 60
    """Characters, spaces apart, from which the share of letters is asked: shorter ones are
    clock times, prices and laughter."""
    min_stop_words: Count = 2
    """Fewest different words of ใน ที่ และ ของ เป็น มี การ ได้ in a long text (FineWeb-2,
    configs/tha_Thai.yml: 2 of these eight)."""
    stop_word_min_chars: Count = 1000
    """Characters from which stop words are asked for: FineWeb-2 asks of every page, which would
    drop most posts."""
    spam: bool = True
    """Drop gambling, adult and lottery advertisements, by the lists in corpora/filters/words."""
    spam_min_terms: Annotated[int, Field(ge=1)] = 3
    """Fewest different advertising terms in spam. News about it has 0 to 2."""
    spam_min_share: Share = 0.02
    """Least share of the characters that belong to listed terms in spam: a long page is not
    dropped for a few advertisements on it."""
    repetition: bool = True
    """Drop texts that repeat themselves, by the thresholds that follow."""
    repetition_min_chars: Count = 300
    """Characters from which repetition is judged: FineWeb-2's thresholds are for web pages, and
    71 % of social posts exceed them by being short."""
    ngram_slack: Annotated[float, Field(gt=0)] = 4.0
    """By how much the thresholds on n-grams of words are loosened; 1 is FineWeb-2 as it is.

    As it is, it drops 31 % of government news, 27 % of statutes and 28 % of manuals, whose
    titles and offices are long and said again."""
    max_duplicate_lines: Share = 0.349
    """Most of the lines that may equal one before (FineWeb-2, configs/tha_Thai.yml)."""
    max_duplicate_line_chars: Share = 0.3
    """Most of the characters that may lie in such lines (arXiv 2112.11446, table A1, has 0.2,
    FineWeb-2 leaves it out). Without it manuals fall for the short lines of their tables, with
    0.2 statutes for headings and footnotes said again."""
    min_lines: Count = 10
    """Lines from which duplicate lines are judged."""
    max_duplicate_ngrams: tuple[Share, ...] = (0.185, 0.168, 0.152, 0.137, 0.124, 0.111)
    """Most of the characters that may lie in an n-gram of words said before, for n = 5, 6, … 10,
    before the slack (FineWeb-2, configs/tha_Thai.yml; measure of arXiv 2112.11446, table A1)."""
    max_top_ngrams: tuple[Share, ...] = (0.221, 0.197, 0.162)
    """Most of the characters that may lie in the most frequent n-gram of words, for n = 2, 3, 4,
    before the slack (FineWeb-2, configs/tha_Thai.yml; measure of arXiv 2112.11446, table A1)."""

    @model_validator(mode="after")
    def _ordered(self) -> FilterConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is above max_chars {self.max_chars}")
        return self


def filter_table() -> list[tuple[str, Any, str]]:
    """Return (name, default, meaning and source) of every threshold, for the documentation."""
    return [
        (name, field.default, " ".join((field.description or "").split()))
        for name, field in FilterConfig.model_fields.items()
    ]
