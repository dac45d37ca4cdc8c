"""Filters: each says why a document is dropped, or None to keep it."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from corpora.filters.judging import REASONS, Judgement, judge, reason_to_drop
    from corpora.filters.language import thai_share
    from corpora.filters.thresholds import FilterConfig, filter_table

__all__ = [
    "REASONS",
    "FilterConfig",
    "Judgement",
    "filter_table",
    "judge",
    "reason_to_drop",
    "thai_share",
]

__getattr__ = export(
    {
        "REASONS": "corpora.filters.judging",
        "Judgement": "corpora.filters.judging",
        "judge": "corpora.filters.judging",
        "reason_to_drop": "corpora.filters.judging",
        "thai_share": "corpora.filters.language",
        "FilterConfig": "corpora.filters.thresholds",
        "filter_table": "corpora.filters.thresholds",
    },
)
