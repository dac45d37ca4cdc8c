"""Cards: the README.md of a published model, tokenizer or corpus."""

from thaitok.card.corpus import corpus_card
from thaitok.card.front import Front, Score, hub_name, metric_name
from thaitok.card.provenance import (
    CORPORA,
    corpora_section,
    hub_datasets,
    provenance,
    read_corpora,
)
from thaitok.card.public import SECRET, short, table
from thaitok.card.recipes import Recipe, recipes_of
from thaitok.card.snippets import CORPUS_HERE, EXAMPLES, MODEL_HERE, USES, Use, in_repo, snippet_of
from thaitok.card.write import CARD, HEADS, LIMITS, Body, pipeline_tag_of, write_card

__all__ = [
    "CARD",
    "CORPORA",
    "CORPUS_HERE",
    "EXAMPLES",
    "HEADS",
    "LIMITS",
    "MODEL_HERE",
    "SECRET",
    "USES",
    "Body",
    "Front",
    "Recipe",
    "Score",
    "Use",
    "corpora_section",
    "corpus_card",
    "hub_datasets",
    "hub_name",
    "in_repo",
    "metric_name",
    "pipeline_tag_of",
    "provenance",
    "read_corpora",
    "recipes_of",
    "short",
    "snippet_of",
    "table",
    "write_card",
]
