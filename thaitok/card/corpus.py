"""The card of a corpus: a data set's README.md, from the corpus's manifest and report."""

from __future__ import annotations

from pathlib import Path

from thaitok.card.provenance import Provenance, corpora_section, hub_datasets, provenance
from thaitok.card.public import SECRET, cell, public
from thaitok.card.recipes import citation
from thaitok.card.snippets import CORPUS_SNIPPET
from thaitok.card.write import template
from thaitok.folder import read_manifest

TEMPLATE = Path(__file__).with_name("corpus.md")
PARTS = "part-*.jsonl.zst"

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B",
         "1B<n<10B")  # fmt: skip
"""The Hub's size categories: of up to 1,000 documents, and ten times more each."""

LIMITS = """\
The text says what its sources say: errors, opinions and slurs among it. Cleaning goes by rules
and counts, so some bad text stays and some good text is gone; duplicates that were reworded stay.
Each source keeps the rights of its own authors: the licence of this card is what the publisher of
this collection says of it."""
PERSONAL = "Personal data was not masked: names, numbers and addresses stand as they did."
MASKED = "Personal data was masked by patterns, which miss some; names stand as they did."


def corpus_card(folder: Path) -> str:
    """Return the README.md of a finished corpus folder, as a data set of the Hub.

    It reads manifest.json and report.json alone. The licence is for the user to choose when
    publishing. Raises `UserError` for a folder that is no finished corpus.
    """
    from huggingface_hub import DatasetCard, DatasetCardData

    manifest = read_manifest(folder, "corpus")
    (made,) = provenance([folder])
    title = f"Thai corpus of {made.kept:,} documents"
    data = DatasetCardData(
        language="th",
        pretty_name=title,
        task_categories=["fill-mask", "text-generation"],
        size_categories=size_category(made.kept),
        source_datasets=hub_datasets([made]) or None,
        tags=["thai", "pretraining"],
        configs=[
            {"config_name": "default", "data_files": [{"split": "train", "path": PARTS}]},
        ],
    )
    sections = {
        "What it is made of": public(corpora_section([made])),
        "Limits": " ".join((*LIMITS.split(), MASKED if made.masks else PERSONAL)),
        "Environment": ", ".join(f"{name} {cell(one)}" for name, one in manifest.versions.items()),
        "Citation": citation(["wangchanberta"] if made.rules == "wangchanberta" else []),
    }
    card = DatasetCard.from_template(
        data,
        template_str=template(TEMPLATE),
        title=title,
        summary=_summary(made),
        snippet=CORPUS_SNIPPET,
        sections=[(heading, text) for heading, text in sections.items() if text],
    )
    return SECRET.sub("[removed]", str(card)).rstrip() + "\n"


def _summary(made: Provenance) -> str:
    size = "" if made.bytes is None else f" ({made.bytes / 1e6:,.1f} MB as UTF-8)"
    return f"Thai text for pretraining, cleaned, a document a row{size}."


def size_category(documents: int) -> str:
    """Return the Hub's size category.

    >>> size_category(46_680)
    '10K<n<100K'
    """
    step = sum(documents >= 10**power for power in range(3, 10))
    return SIZES[step]
