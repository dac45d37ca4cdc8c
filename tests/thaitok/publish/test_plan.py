"""Only what is allowed and sound is planned for the Hub, and every fault is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from thaitok.card import write_card
from thaitok.config import load_config
from thaitok.errors import UserError
from thaitok.publish import Plan, PublishConfig, plan_publish
from thaitok.publish.contents import ALLOWED

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "แมว")
TOKEN = "hf_" + "a1B2" * 8


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny folder in which everything fits."""
    folder = tmp_path / "model"
    folder.mkdir()
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(PIECES)}, "<unk>"))
    tokenizer.save(str(folder / "tokenizer.json"))
    specials = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": {"content": "<pad>"}}
    write(folder / "tokenizer_config.json", {**specials, "model_max_length": 14})
    ids = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    shape = {"vocab_size": 6, "max_position_embeddings": 16, "model_type": "roberta"}
    write(folder / "config.json", {**ids, **shape})
    weights(folder / "model.safetensors", rows=6)
    write_card(folder, pipeline_tag="fill-mask", title="Cat", summary="A cat.", facts={})
    return folder


def write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")


def change(file: Path, **values: Any) -> None:
    write(file, json.loads(file.read_text(encoding="utf-8")) | values)


def weights(file: Path, rows: int) -> None:
    name = "roberta.embeddings.word_embeddings.weight"
    save_file({name: np.zeros((rows, 2), np.float32)}, file)


def plan(folder: Path, repo: str = "anna/cat", license: str = "apache-2.0") -> Plan:
    return plan_publish(PublishConfig(folder=folder, repo=repo, license=license))


def test_a_sound_folder_has_no_problem_and_its_card_its_licence(model: Path) -> None:
    found = plan(model)
    assert found.problems == ()
    assert found.kind == "model"
    assert ModelCard(found.card).data.license == "apache-2.0"
    assert 'model = "anna/cat"' in found.card
    assert ModelCard.load(model / "README.md").data.license is None


def test_sizes_and_sums_are_those_of_what_would_go_up(model: Path) -> None:
    found = plan(model)
    facts = {file.name: file for file in found.files}
    for name, file in facts.items():
        raw = found.card.encode() if name == "README.md" else (model / name).read_bytes()
        assert (file.bytes, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_only_the_allow_list_goes_up(model: Path) -> None:
    stray = (
        "pytorch_model.bin",
        "training_args.bin",
        "optimizer.pt",
        "rng.pkl",
        ".token",
        "modeling.py",
        "notes.txt",
        "predictions.jsonl",
    )
    for name in stray:
        (model / name).write_text("x", encoding="utf-8")
    (model / "checkpoint-10").mkdir()
    (model / "checkpoint-10" / "config.json").write_text("{}", encoding="utf-8")
    found = plan(model)
    reasons = {left.name: left.reason for left in found.left_out}
    assert set(reasons) == {*stray, "checkpoint-10/"}
    assert all(file.name in ALLOWED["model"] for file in found.files)
    assert "token" in reasons["training_args.bin"]
    assert "pickle" in reasons["optimizer.pt"]
    assert "code" in reasons["modeling.py"]
    assert reasons[".token"] == "hidden"


def test_the_model_inside_a_run_is_found_and_said(model: Path) -> None:
    found = plan(model.parent)
    assert found.folder == model
    assert "the model inside" in found.notes[0]


def test_a_tokenizer_alone_is_published_as_one(model: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (model / name).unlink()
    found = plan(model)
    assert (found.kind, found.problems) == ("tokenizer", ())


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("config.json", {"vocab_size": 5}, "ids up to 5"),
        ("config.json", {"vocab_size": 7}, "has 6 rows"),
        ("config.json", {"pad_token_id": 0}, "pad_token_id 0, but '<pad>' is 1"),
        ("config.json", {"bos_token_id": 2}, "bos_token_id 2"),
        ("config.json", {"auto_map": {"AutoModel": "modeling.Cat"}}, "remote code"),
        ("tokenizer_config.json", {"model_max_length": 16}, "room for 14"),
        ("tokenizer_config.json", {"model_max_length": 10**30}, "room for 14"),
        ("tokenizer_config.json", {"token": TOKEN}, "tokenizer_config.json:1: holds a Hub token"),
        (
            "tokenizer_config.json",
            {"t": f"A_{TOKEN}"},
            "tokenizer_config.json:1: holds a Hub token",
        ),
        ("tokenizer_config.json", {"k": "ghs_" + "a" * 36}, "key of another service"),
        ("tokenizer_config.json", {"k": "-----BEGIN PRIVATE KEY-----"}, "a private key"),
        ("tokenizer_config.json", {"p": str(Path.home() / "x")}, "names your home folder"),
        ("tokenizer_config.json", {"auto_map": {}}, "asks for remote code (auto_map)"),
        ("tokenizer_config.json", {"pad_token": None}, "names no pad_token"),
        ("tokenizer_config.json", {"bos_token": 5}, "names no bos_token"),
        ("tokenizer_config.json", {"model_max_length": -5}, "room for 14"),
        ("config.json", {"architectures": ["RobertaForMaskedLM"]}, "names no mask_token"),
        ("config.json", {"pad_token_id": "one"}, "pad_token_id one, but '<pad>' is 1"),
    ],
)
def test_files_that_do_not_fit_are_named(
    model: Path, file: str, values: dict[str, Any], said: str
) -> None:
    change(model / file, **values)
    problems = plan(model).problems
    assert any(said in problem for problem in problems), problems
    assert not any(TOKEN in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", "[]", "config.json is no JSON object"),
        ("tokenizer.json", "{", "tokenizer.json cannot be loaded"),
        ("tokenizer_config.json", None, "there is no tokenizer_config.json"),
        ("model.safetensors", "short", "no whole safetensors file"),
        ("model.safetensors", None, "there are no weights"),
        ("README.md", None, "there is no README.md"),
        ("README.md", "---\nlanguage: [th\n---\n", "cannot be read"),
        ("README.md", "---\nlanguage\n---\n", "cannot be read"),
        ("model.safetensors.index.json", "{}", "no weight_map"),
        ("model.safetensors.index.json", '{"weight_map": {"a": "x"}}', "x is missing"),
    ],
)
def test_damaged_and_missing_files_are_named(
    model: Path, name: str, content: str | None, said: str
) -> None:
    if content is None:
        (model / name).unlink()
    else:
        (model / name).write_text(content, encoding="utf-8")
    problems = plan(model).problems
    assert any(said in problem for problem in problems), problems


def test_shards_named_by_the_index_are_read(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"roberta": "model-00001-of-00001.safetensors"}}
    write(model / "model.safetensors.index.json", index)
    assert plan(model).problems == ()
    weights(model / "model-00001-of-00001.safetensors", rows=5)
    assert "has 5 rows" in plan(model).problems[0]


def test_a_model_with_graphs_beside_it_is_a_model(model: Path) -> None:
    (model / "onnx").mkdir()
    (model / "onnx" / "model.onnx").write_bytes(b"graph")
    found = plan(model)
    assert found.kind == "model" and "model.safetensors" in {file.name for file in found.files}
    assert "onnx/" in {left.name for left in found.left_out}


def test_weights_that_no_index_names_are_not_published(model: Path) -> None:
    weights(model / "model-old-copy.safetensors", rows=6)
    assert "model-old-copy.safetensors is named by no" in plan(model).problems[0]


def test_another_licence_than_the_card_s_is_told(model: Path) -> None:
    card = (model / "README.md").read_text(encoding="utf-8")
    said = "---\nlicense: cc-by-nc-4.0\nlicense_link: https://x.org\n"
    (model / "README.md").write_text(card.replace("---\n", said, 1), encoding="utf-8")
    found = plan(model)
    assert "README.md said licence cc-by-nc-4.0; it will say apache-2.0" in found.notes
    assert "license_link" not in found.card


def test_a_secret_is_not_shown_by_the_plan_that_finds_it(model: Path) -> None:
    with (model / "README.md").open("a", encoding="utf-8") as card:
        card.write(f"\nlogin {TOKEN}\n")
    found = plan(model)
    assert "holds a Hub token" in found.problems[0] and TOKEN not in found.model_dump_json()
    (model / "README.md").write_text(f"---\nx: [{TOKEN}\n---\n", encoding="utf-8")
    assert TOKEN not in plan(model).model_dump_json()
    secret = plan_publish(PublishConfig(folder=model, repo="a/b", license="mit", message=TOKEN))
    assert "--message: holds a Hub token" in secret.problems[-1]


def test_what_is_no_file_is_told(model: Path) -> None:
    (model / "README.md").unlink()
    (model / "README.md").symlink_to(model / "nothing")
    (model / "spm.model").symlink_to("spm.model")
    problems = " ".join(plan(model).problems)
    assert "README.md is no file" in problems and "spm.model is no file" in problems


def test_another_program_s_manifest_is_not_ours(model: Path) -> None:
    write(model / "manifest.json", {"stage": "training"})
    assert plan(model).problems == ()


def test_parts_that_cleaning_did_not_write_are_refused(corpus: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(corpus, tmp_path / "corpus")
    assert plan(copy).problems == ()
    part = copy / "part-00000.jsonl.zst"
    part.write_bytes(part.read_bytes()[:-8] + b"\0" * 8)
    shutil.copyfile(part, copy / "part-notes.jsonl.zst")
    said = " ".join(plan(copy).problems)
    assert "part-00000.jsonl.zst is not as" in said and "part-notes.jsonl.zst is not as" in said


def test_a_card_may_be_written_on(tokenizer: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tokenizer, tmp_path / "tokenizer")
    with (copy / "README.md").open("a", encoding="utf-8") as card:
        card.write("\n## My notes\n")
    found = plan(copy)
    assert found.problems == () and "My notes" in found.card


def test_a_link_out_of_the_folder_is_refused(model: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}", encoding="utf-8")
    (model / "scores.json").symlink_to(secret)
    found = plan(model)
    assert "scores.json is a link" in found.problems[0]
    assert "scores.json" not in {file.name for file in found.files}


@pytest.mark.parametrize(
    ("license", "repo", "said"),
    [
        ("apache2", "anna/cat", "did you mean 'apache-2.0'?"),
        ("MIT", "anna/cat", "did you mean 'mit'?"),
        ("mit", "anna/cat/x", "is no name for a Hub repo"),
        ("mit", "anna/../cat", "is no name for a Hub repo"),
    ],
)
def test_a_licence_or_name_that_cannot_be_is_one_clear_line(
    model: Path, license: str, repo: str, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        plan(model, repo, license)
    assert said in str(caught.value)


def test_other_needs_the_licence_text(model: Path) -> None:
    assert "needs a LICENSE file" in plan(model, license="other").problems[0]
    (model / "LICENSE").write_text("Yours.", encoding="utf-8")
    assert plan(model, license="other").problems == ()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a model"):
        plan(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        plan(tmp_path / "none")


def test_the_licence_has_no_default(model: Path) -> None:
    with pytest.raises(UserError, match="'license' is not given"):
        load_config(PublishConfig, folder=model, repo="anna/cat")
