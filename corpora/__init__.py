"""Raw text to clean, deduplicated shards."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from corpora.clean import clean_corpus
    from corpora.config import CleanConfig
    from corpora.filters.thresholds import FilterConfig
    from corpora.report import summary_tables
    from corpora.sources import sources_table
    from thaitok.corpus import CorpusDocument, read_documents, read_texts

__all__ = [
    "CleanConfig",
    "CorpusDocument",
    "FilterConfig",
    "clean_corpus",
    "read_documents",
    "read_texts",
    "sources_table",
    "summary_tables",
]

__getattr__ = export(
    {
        "clean_corpus": "corpora.clean",
        "CleanConfig": "corpora.config",
        "FilterConfig": "corpora.filters.thresholds",
        "CorpusDocument": "thaitok.corpus",
        "read_documents": "thaitok.corpus",
        "read_texts": "thaitok.corpus",
        "sources_table": "corpora.sources",
        "summary_tables": "corpora.report",
    },
)
