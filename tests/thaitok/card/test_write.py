"""A card is valid, whole and readable, and nothing private is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from thaitok.card import LIMITS, Body, Front, Score, pipeline_tag_of, recipes_of, table, write_card
from thaitok.rules import SPACE_TOKEN

SCORES = (
    Score("demo_ner", "demo_ner", "test", "entity_f1", 0.81254),
    Score("demo_ner", "demo_ner", "test", "entity_macro_f1", 0.75, repo="anna/ner", revision="abc"),
)
TOKEN = "hf_" + "a1B2" * 8


def card(
    folder: Path,
    pipeline_tag: str = "token-classification",
    facts: dict[str, str] | None = None,
    scores: Sequence[Score] = (),
    base_model: str | None = None,
    body: Body | None = None,
) -> ModelCard:
    write_card(
        folder,
        pipeline_tag=pipeline_tag,
        title="Thai NER",
        summary="Names in Thai text.",
        facts=facts or {},
        base_model=base_model,
        front=Front(
            relation="finetune",
            datasets=("anna/ner", "anna/ner"),
            tags=("names",),
            widget=({"text": "คุณสมชายไปเชียงใหม่"},),
            scores=scores,
        ),
        body=body,
    )
    return ModelCard.load(folder / "README.md", ignore_metadata_errors=False)


def test_front_matter_reads_back_through_the_hubs_own_classes(tmp_path: Path) -> None:
    data = card(tmp_path, scores=SCORES, base_model="airesearch/wangchanberta").data
    assert (data.language, data.library_name) == ("th", "transformers")
    assert data.pipeline_tag == "token-classification"
    assert data.base_model == "airesearch/wangchanberta"
    assert data.to_dict()["base_model_relation"] == "finetune"
    assert (data.datasets, data.tags) == (["anna/ner"], ["thai", "names"])
    assert data.to_dict()["widget"] == [{"text": "คุณสมชายไปเชียงใหม่"}]
    assert data.license is None
    assert data.model_name == "Thai NER"


def test_scores_are_told_in_the_hubs_words(tmp_path: Path) -> None:
    data = card(tmp_path, scores=SCORES).data
    assert data.metrics == ["f1"]
    first, second = data.eval_results
    assert (first.task_type, first.task_name) == ("token-classification", "demo_ner")
    assert (first.dataset_type, first.dataset_split) == ("demo_ner", "test")
    assert (first.metric_type, first.metric_name) == ("f1", "F1 of entities")
    assert first.metric_value == 0.8125
    assert (second.dataset_type, second.dataset_revision) == ("anna/ner", "abc")
    assert second.metric_args == {"average": "macro", "unit": "entity"}


@pytest.mark.parametrize("pipeline_tag", sorted(LIMITS))
def test_every_kind_of_folder_gets_a_whole_card(tmp_path: Path, pipeline_tag: str) -> None:
    text = card(tmp_path, pipeline_tag).content
    assert "{{" not in text and "{%" not in text and "\n\n\n" not in text
    assert f"`{SPACE_TOKEN}`" in text
    for heading in ("Training data", "How it was made", "Evaluation", "Environment", "Citation"):
        assert f"## {heading}" not in text, "empty sections are left out"
    assert ("pipeline_tag:" in text) == bool(pipeline_tag)


def test_masks_have_a_usual_example_and_the_snippet_runs_the_first(tmp_path: Path) -> None:
    for tag, texts in (("fill-mask", 1), ("token-classification", 0)):
        write_card(tmp_path, pipeline_tag=tag, title="T", summary="S", facts={})
        found = ModelCard.load(tmp_path / "README.md")
        widget = found.data.to_dict().get("widget", [])
        assert len(widget) == texts and all(one["text"] in found.text for one in widget)
    assert 'text = "คุณสมชายไปเชียงใหม่"' in card(tmp_path).text


def test_sections_come_in_their_order(tmp_path: Path) -> None:
    body = Body(
        reading="R", data="D", evaluation="E", limits=("Less.",), versions={"torch": "2"},
        recipes=("phayathaibert",),
    )  # fmt: skip
    text = card(tmp_path, facts={"Seed": "1"}, body=body).text
    headings = [line[3:] for line in text.split("\n") if line.startswith("## ")]
    assert headings == [
        "How to use", "Reading the outputs", "Training data", "How it was made", "Evaluation",
        "The tokenizer", "Limits", "Environment", "Citation",
    ]  # fmt: skip
    assert "\n\nLess.\n\n" in text and "torch 2\n" in text
    assert "2311.12475" in text and "{{PhayaThaiBERT:" in text and "2101.09635" not in text


def test_a_recipe_is_cited_where_it_was_used(tmp_path: Path) -> None:
    assert recipes_of(tmp_path) == ()
    assert recipes_of(tmp_path, "clicknext/PhayaThaiBERT") == ("phayathaibert",)
    (tmp_path / "tokenizer.json").write_text(f'["{SPACE_TOKEN}"]', encoding="utf-8")
    assert recipes_of(tmp_path) == ("wangchanberta",)
    (tmp_path / "README.md").write_text("arXiv 2311.12475", encoding="utf-8")
    assert recipes_of(tmp_path) == ("wangchanberta", "phayathaibert")


def test_tables_keep_their_shape(tmp_path: Path) -> None:
    text = card(tmp_path, facts={"Corpus": "news | social\n3 documents", "Seed": "1"}).text
    assert "|---|---|\n| Corpus | news \\| social 3 documents |\n| Seed | 1 |\n" in text
    assert table([("a|b", 1)], ("x", "y"), (1,)) == "| x | y |\n|---|---:|\n| a\\|b | 1 |"


def test_no_token_and_no_machine_path_in_a_card(tmp_path: Path) -> None:
    said = f"see /home/somchai/x and {TOKEN}"
    write_card(
        tmp_path,
        pipeline_tag="",
        title=said,
        summary=said,
        facts={
            "Corpus": "/home/somchai/law/corpus",
            "Run": "~/somchai/run.toml",
            "Windows": "C:\\Users\\somchai\\run.toml",
            "Command": f"publish --token {TOKEN}",
            "Kept": "and/or https://example.org/a/b 1/2",
        },
        snippet=f"token = {TOKEN!r}",
        base_model=str(tmp_path),
        front=Front(
            tags=(said,), widget=({"text": said},), scores=(Score(said, said, "test", "f1", 1),)
        ),
        body=Body(
            needs=said, reading=said, data=said, evaluation=said, tokenizer=said, limits=(said,),
            versions={"torch": said},
        ),
    )  # fmt: skip
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "somchai" not in text and TOKEN not in text and str(tmp_path) not in text
    assert "| Corpus | corpus |" in text
    assert "and/or https://example.org/a/b 1/2" in text


def test_a_folder_here_is_no_base_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run/model").mkdir(parents=True)
    for name in ("run/model", "../run/model"):
        data = card(tmp_path, base_model=name).data.to_dict()
        assert "base_model" not in data and "base_model_relation" not in data


def test_a_tokenizer_is_told_of_by_its_own_files(tmp_path: Path) -> None:
    def note(text: str, body: Body | None = None) -> str:
        (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
        found = card(tmp_path, "", body=body).text
        return found.partition("## The tokenizer\n\n")[2].partition("\n")[0]

    from thaitok.rules import tokenizers_normalizer

    ours = {lower: tokenizers_normalizer(lower).__getstate__().decode() for lower in (False, True)}
    bpe = note(f'{{"normalizer": {ours[False]}, "model": {{"type": "BPE"}}}}')
    assert bpe.startswith("The pieces are those of a SentencePiece BPE model. Thai writes")
    assert "lower case" not in bpe
    lower = note(f'{{"normalizer": {ours[True]}, "model": {{"type": "Unigram"}}}}')
    assert "unigram" in lower and lower.endswith("Letters are read in lower case.")
    other = note('{"normalizer": null, "model": {"type": "WordLevel"}}')
    assert other.startswith("What is done to a text") and SPACE_TOKEN not in other
    assert note("{}", Body(tokenizer="Spaces stay.")) == "Spaces stay."


def test_the_head_tells_the_task() -> None:
    assert pipeline_tag_of({"architectures": ["XLMRobertaForTokenClassification"]}) == (
        "token-classification"
    )
    assert pipeline_tag_of({}) == ""
