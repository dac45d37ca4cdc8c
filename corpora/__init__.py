"""Raw text to clean, deduplicated shards."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from corpora.clean import clean_corpus
    from corpora.config import CleanConfig, FilterConfig
    from thaitok.corpus import CorpusDocument, read_documents, read_texts

__all__ = [
    "CleanConfig",
    "CorpusDocument",
    "FilterConfig",
    "clean_corpus",
    "read_documents",
    "read_texts",
]

__getattr__ = export(
    {
        "clean_corpus": "corpora.clean",
        "CleanConfig": "corpora.config",
        "FilterConfig": "corpora.config",
        "CorpusDocument": "thaitok.corpus",
        "read_documents": "thaitok.corpus",
        "read_texts": "thaitok.corpus",
    },
)
