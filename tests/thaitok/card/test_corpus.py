"""What a corpus was made of stands on record, and its card is one of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard

from thaitok.card import corpora_section, corpus_card, hub_datasets, provenance, read_corpora
from thaitok.card.corpus import size_category
from thaitok.card.provenance import CORPORA, NAMED
from thaitok.errors import UserError
from thaitok.folder import FileFacts, stage_job, write_json

TOKEN = "hf_" + "a1B2" * 8


def make(out: Path, inputs: int = 2, sources: int = 2, **config: Any) -> Path:
    """Write a corpus folder as `thaitok clean` does, but for its texts."""
    names = [
        "hub:org/news@0123456789ab/data/a.parquet",
        *(f"part {n} | {TOKEN}.jsonl" for n in range(inputs - 1)),
        "benchmark wisesight_sentiment/test",
    ]
    facts = [FileFacts(name=name, bytes=9, sha256=f"{n:064x}") for n, name in enumerate(names)]
    counts = {
        "documents": 1500, "kept": 1200, "dropped": {"too_little_thai": 290, "odd_one": 9},
        "quarantined": {"bad json": 1}, "characters_kept": 60_000, "bytes_kept": 180_000,
    }  # fmt: skip
    config = {"rules": "default", "mask_pii": [], "decontaminate": {"gram_chars": 40}, **config}
    with stage_job(out, "corpus", config, facts) as job:
        (job.work / "part-00000.jsonl.zst").write_bytes(b"")
        sizes = {f"s{n}": {"kept": n, "characters_kept": 100 * n} for n in range(sources + 1)}
        write_json(job.work / "report.json", {"sources": sizes})
        job.finish(counts, {"thaitok": "1"})
    return out


def test_the_card_is_valid_and_whole(tmp_path: Path) -> None:
    text = corpus_card(make(tmp_path / "corpus"))
    card = DatasetCard(text, ignore_metadata_errors=False)
    data = card.data.to_dict()
    assert (data["language"], data["size_categories"]) == ("th", "1K<n<10K")
    assert data["task_categories"] == ["fill-mask", "text-generation"]
    assert data["source_datasets"] == ["org/news"] and "license" not in data
    assert data["configs"][0]["data_files"] == [{"split": "train", "path": "part-*.jsonl.zst"}]
    assert data["pretty_name"] == "Thai corpus of 1,200 documents"
    assert "{{" not in text and "{%" not in text and "\n\n\n" not in text
    assert corpus_card(tmp_path / "corpus") == text


def test_counts_sources_and_files_are_told(tmp_path: Path) -> None:
    text = corpus_card(make(tmp_path / "corpus"))
    assert "| s2 | 2 | 200 | 66.7% |\n| s1 | 1 | 100 | 33.3% |\n\n" in text
    assert "read 1,500 documents" in text and "| kept | 1,200 |" in text
    assert "| too little Thai | 290 |\n| odd one | 9 |\n| set aside: bad json | 1 |" in text
    assert "(stretches of 40 characters that both share), and documents that hold" in text
    assert "`wisesight_sentiment/test`" in text and "| benchmark" not in text
    assert "| part 0 \\| [removed].jsonl | 9 | `000000000000` |" in text and TOKEN not in text


def test_what_was_not_done_is_told_too(tmp_path: Path) -> None:
    plain = corpus_card(make(tmp_path / "a"))
    assert plain.count("Personal data was not masked") == 2
    masked = corpus_card(make(tmp_path / "b", mask_pii=["phone", "thai_id"]))
    assert "Personal data was masked: phone, thai id." in masked
    assert "## Citation" not in masked
    assert "2101.09635" in corpus_card(make(tmp_path / "d", rules="wangchanberta"))
    cut = corpus_card(make(tmp_path / "c", decontaminate={"action": "cut"}))
    assert "searched for, and they were cut out:" in cut
    (without,) = provenance([tmp_path / "a"])
    said = corpora_section([without.model_copy(update={"benchmarks": ()})])
    assert "It was not searched for the items of benchmarks" in said


def test_many_files_and_sources_are_summed(tmp_path: Path) -> None:
    corpus = make(tmp_path / "corpus", inputs=NAMED + 1, sources=NAMED + 2)
    (made,) = provenance([corpus])
    assert made.inputs == NAMED + 1 and not made.named
    assert len(made.sources) == NAMED + 1
    assert made.sources["others"] == (1 + 2, 300)
    text = corpus_card(corpus)
    assert f"from {NAMED + 1} input files (sha256 of the list of their sums: `" in text


def test_what_shards_keep_is_read_back(tmp_path: Path) -> None:
    made = provenance([make(tmp_path / "a"), make(tmp_path / "b")])
    assert read_corpora(tmp_path) == []
    write_json(tmp_path / CORPORA, made)
    assert read_corpora(tmp_path) == made
    assert hub_datasets(made) == ["org/news"]
    text = corpora_section(made, tokens=77)
    assert text.startswith("2,400 documents, 120,000 characters, 77 tokens of cleaned text")
    assert "### a\n" in text and "### b\n" in text
    assert corpora_section([]) == ""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "n<1K"), (999, "n<1K"), (10**6, "1M<n<10M"), (10**12, "1B<n<10B")]
)
def test_size_categories(count: int, said: str) -> None:
    assert size_category(count) == said


def test_only_a_corpus_has_such_a_card(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such corpus folder"):
        corpus_card(tmp_path / "none")
