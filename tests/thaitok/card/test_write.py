"""A card is valid, its snippet runs, and nothing private is in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from thaitok.card import LIMITS, Score, write_card
from thaitok.rules import SPACE_TOKEN

SCORES = (
    Score("demo_ner", "demo_ner", "test", "f1", 0.8125),
    Score("demo_ner", "demo_ner", "test", "precision", 0.75),
)


def card(
    folder: Path,
    pipeline_tag: str = "token-classification",
    facts: dict[str, str] | None = None,
    scores: Sequence[Score] = SCORES,
    widget: Sequence[str] = ("คุณสมชายไปเชียงใหม่",),
    base_model: str | None = None,
) -> ModelCard:
    write_card(
        folder,
        pipeline_tag=pipeline_tag,
        title="Thai NER",
        summary="Names in Thai text.",
        facts=facts or {},
        scores=scores,
        widget=widget,
        base_model=base_model,
    )
    return ModelCard.load(folder / "README.md")


def test_front_matter_reads_back_through_the_hubs_own_classes(tmp_path: Path) -> None:
    data = card(tmp_path, base_model="airesearch/wangchanberta-base-att-spm-uncased").data
    assert data.language == "th"
    assert data.library_name == "transformers"
    assert data.pipeline_tag == "token-classification"
    assert data.base_model == "airesearch/wangchanberta-base-att-spm-uncased"
    assert data.metrics == ["f1", "precision"]
    assert data.to_dict()["widget"] == [{"text": "คุณสมชายไปเชียงใหม่"}]
    assert data.license is None
    first = data.eval_results[0]
    assert (first.task_type, first.dataset_split, first.metric_type, first.metric_value) == (
        "token-classification",
        "test",
        "f1",
        0.8125,
    )


@pytest.mark.parametrize("pipeline_tag", sorted(LIMITS))
def test_every_kind_of_folder_gets_a_whole_card(tmp_path: Path, pipeline_tag: str) -> None:
    text = card(tmp_path, pipeline_tag, scores=(), widget=()).content
    assert "{{" not in re.sub("title  = {{.*}}", "", text)
    assert "{%" not in text
    assert f"`{SPACE_TOKEN}`" in text
    assert "2101.09635" in text
    assert "2311.12475" in text
    assert "## Evaluation" not in text
    assert ("pipeline_tag:" in text) == bool(pipeline_tag)


def test_tables_keep_their_shape(tmp_path: Path) -> None:
    text = card(tmp_path, facts={"Corpus": "news | social\n3 documents", "Seed": "1"}).text
    assert "|---|---|\n| Corpus | news \\| social 3 documents |\n| Seed | 1 |\n" in text
    assert "| demo_ner | demo_ner | test | f1 | 0.8125 |\n" in text


def test_no_token_and_no_machine_path_in_a_card(tmp_path: Path) -> None:
    token = "hf_" + "a1B2" * 8
    text = card(
        tmp_path,
        facts={
            "Corpus": "/home/somchai/law/corpus",
            "Run": "~/somchai/run.toml",
            "Windows": "C:\\Users\\somchai\\run.toml",
            "Command": f"publish --token {token}",
            "Kept": "and/or https://example.org/a/b 1/2",
        },
        widget=[f"ดู /home/somchai/x {token}"],
        base_model=str(tmp_path),
    ).content
    assert "somchai" not in text
    assert token not in text
    assert str(tmp_path) not in text
    assert "| Corpus | corpus |" in text
    assert "and/or https://example.org/a/b 1/2" in text


def test_a_folder_here_is_no_base_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run/model").mkdir(parents=True)
    assert card(tmp_path, base_model="run/model").data.base_model is None
    assert card(tmp_path, base_model="../run/model").data.base_model is None


def tiny_model(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "วันนี้อากาศ", "มาก"]
    core = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, "<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", unk_token="<unk>", mask_token="<mask>"
    ).save_pretrained(folder)
    size = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1}
    config = RobertaConfig(vocab_size=len(names), num_hidden_layers=1, **size)
    RobertaForMaskedLM(config).save_pretrained(folder)


def test_the_snippet_runs_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    for pipeline_tag in ("", "fill-mask"):
        text = card(tmp_path, pipeline_tag, widget=(), scores=()).text
        exec(re.findall("```python\n(.*?)```", text, re.DOTALL)[0], {})
    said = capsys.readouterr().out
    assert "'token_str'" in said


def test_a_foreign_tokenizer_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    said = {"pipeline_tag": "", "title": "T", "summary": "S", "facts": {}}
    write_card(tmp_path, **said, tokenizer="Spaces stay. /home/somchai/x")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "\n## The tokenizer\n\nSpaces stay. x\n\n## Limits\n" in text
    write_card(tmp_path, **said)
    assert "no-break spaces" in (tmp_path / "README.md").read_text(encoding="utf-8")
