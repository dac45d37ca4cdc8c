"""The card of an extended tokenizer says from what it comes, and what changed."""

from __future__ import annotations

import json
from pathlib import Path

from thaitok.card import corpora_section, provenance
from thaitok.folder import file_facts


def test_the_card_tells_origin_pieces_and_changes(base: Path, mixed: Path, extended: Path) -> None:
    text = (extended / "README.md").read_text(encoding="utf-8")
    sha256 = file_facts(base / "tokenizer.json").sha256
    assert f"| Extended from | tokenizer, `{sha256[:12]}` (sha256 of its tokenizer.json) |" in text
    assert "| Pieces | 460, before 400 |\n| Added | 60, such as `" in text
    changes = json.loads((extended / "report.json").read_bytes())["changes"]
    assert f"{changes['changed']:,} of {changes['lines']:,}; of those without latin" in text
    assert corpora_section(provenance([mixed])) in text


def test_both_papers_are_cited_and_no_training_is_claimed(extended: Path) -> None:
    text = (extended / "README.md").read_text(encoding="utf-8")
    assert "2101.09635" in text and "2311.12475" in text
    assert "never trained" not in text, "that is of a model's rows"


def test_a_trained_tokenizer_cites_its_scheme_alone(base: Path) -> None:
    text = (base / "README.md").read_text(encoding="utf-8")
    assert "2101.09635" in text and "2311.12475" not in text
    assert "unigram model" in text and "900 documents" not in text
    assert "940 documents of cleaned text" in text
