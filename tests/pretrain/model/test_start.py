"""Promise: a run that goes on from a model is as exact as any other, and starts from no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from pretrain.config import PRESETS, PretrainConfig
from pretrain.data.shards import TOKENIZER_FOLDER, open_shards
from pretrain.training.run import pretrain
from thaitok.config import load_config
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES, file_facts, read_manifest, stage_job

ConfigOf = Callable[..., PretrainConfig]
ADDED = 40
"""Pieces at the end of the vocabulary that the tests take for new."""

OPTIM = {"learning_rate": 0.01, "warmup_steps": 3, "layer_decay": 0.7, "unfreeze_every": 3}
TABLE = "roberta.embeddings.word_embeddings.weight"


def make_start(out: Path, shards: Path, kind: str = "RobertaForMaskedLM", **changes: Any) -> Path:
    """Write a folder as `thaitok extend --model` does: tokenizer, model, manifest."""
    cls = getattr(transformers, kind)
    size = {
        "vocab_size": open_shards(shards).pieces, "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 50,
        "type_vocab_size": 1,
    }  # fmt: skip
    torch.manual_seed(5)
    with stage_job(out, "tokenizer", {}, ()) as job:
        cls(cls.config_class(**{**size, **changes})).save_pretrained(job.work)
        for name in TOKENIZER_FILES:
            shutil.copyfile(shards / TOKENIZER_FOLDER / name, job.work / name)
        job.finish({"added": ADDED}, {})
    return out


@pytest.fixture(scope="module")
def start(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_start(tmp_path_factory.mktemp("start") / "grown", shards)


@pytest.fixture(scope="module")
def whole(config_of: ConfigOf, start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from the model that nothing stopped: a group more learns every third step."""
    out = tmp_path_factory.mktemp("whole") / "run"
    pretrain(config_of(out, start=start, model=None, optim=OPTIM))
    return out


CLOCK = {"seconds", "tokens_per_second", "mfu", "waiting"}


def metrics(out: Path) -> list[dict[str, float]]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in CLOCK} for line in lines]


def stopped(config: PretrainConfig, step: int) -> None:
    """Let a run break right before an update, as a kill would."""
    import pretrain.training.run as module

    inner = module._Run._update

    def broken(run: module._Run) -> object:
        if run.step == step:
            raise RuntimeError("killed")
        return inner(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Run, "_update", broken)
        with pytest.raises(RuntimeError, match="killed"):
            pretrain(config)


@pytest.mark.parametrize("step", [1, 7, 11])
def test_promise_3_a_stopped_run_ends_as_if_it_was_not(
    whole: Path, start: Path, config_of: ConfigOf, tmp_path: Path, step: int
) -> None:
    config = config_of(tmp_path / "run", start=start, model=None, optim=OPTIM)
    stopped(config, step)
    pretrain(config)
    one, two = (file_facts(out / "model" / "model.safetensors") for out in (config.out, whole))
    assert one == two
    assert metrics(config.out) == metrics(whole)


def test_only_new_rows_learn_before_the_others_turn(whole: Path, start: Path) -> None:
    """At step 9 of 12 the new rows, head and layers learn; the old rows' turn is step 12."""
    before = load_file(start / "model.safetensors")
    after = load_file(whole / "checkpoints" / "step-9" / "model.safetensors")
    old, new = before[TABLE], after[f"model.{TABLE}"]
    assert torch.equal(new[:-ADDED], old[:-ADDED])
    assert not torch.isclose(new[-ADDED:], old[-ADDED:]).all(1).any()
    for name, moved in {
        "roberta.embeddings.position_embeddings.weight": False,
        "roberta.encoder.layer.0.output.dense.weight": False,
        "roberta.encoder.layer.1.output.dense.weight": True,
        "lm_head.dense.weight": True,
    }.items():
        assert torch.equal(after[f"model.{name}"], before[name]) != moved, name


def test_the_loss_before_the_first_step_is_told(whole: Path) -> None:
    first = metrics(whole)[0]
    assert first["step"] == 0
    assert first["eval_loss"] > metrics(whole)[-1]["eval_loss"]


def test_the_weights_of_the_start_are_an_input(
    whole: Path, start: Path, config_of: ConfigOf, shards: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(whole, "run")
    facts = file_facts(start / "model.safetensors", "start/model.safetensors")
    assert facts in manifest.inputs
    assert manifest.counts["added"] == ADDED
    other = make_start(tmp_path / "grown", shards, initializer_range=0.5)
    with pytest.raises(UserError, match=r"is finished from other input: start/.* has changed"):
        pretrain(config_of(whole, start=other, model=None, optim=OPTIM))
    resolved = load_config(PretrainConfig, whole / "config.toml")
    assert resolved == config_of(whole, start=start, model=None, optim=OPTIM)


@pytest.mark.parametrize("kind", ["RobertaForMaskedLM", "CamembertForMaskedLM",
                                  "XLMRobertaForMaskedLM"])  # fmt: skip
def test_the_exported_model_keeps_its_class_and_loads_plainly(
    kind: str, shards: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    folder = make_start(tmp_path / "start", shards, kind)
    config = config_of(tmp_path / "run", start=folder, model=None, steps=2, optim={})
    pretrain(config)
    model = transformers.AutoModelForMaskedLM.from_pretrained(config.out / "model")
    assert type(model).__name__ == kind
    assert model.config.max_position_embeddings == 50
    tokenizer = transformers.AutoTokenizer.from_pretrained(config.out / "model")
    assert tokenizer.model_max_length == 48
    card = (config.out / "model" / "README.md").read_text(encoding="utf-8")
    assert f"{ADDED} of its pieces new" in card
    assert "2 layers of 16" in card


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}))


def test_a_model_that_does_not_fit_is_one_line(
    start: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(start, folder)

    def refused(match: str, **changes: Any) -> None:
        with pytest.raises(UserError, match=match) as caught:
            pretrain(config_of(tmp_path / "run", start=folder, model=None, **changes))
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "run").exists()

    refused("sequence_length 64 is more than the 48 positions", sequence_length=64)
    edit(folder / "config.json", eos_token_id=7)
    refused("says eos_token_id 7, the tokenizer 2")
    edit(folder / "config.json", eos_token_id=2, vocab_size=99)
    refused("the model has 99 rows, its tokenizer 500 pieces")
    edit(folder / "config.json", architectures=["RobertaForTokenClassification"])
    refused("is a RobertaForTokenClassification; pretraining goes on from a masked-LM model")
    shutil.copyfile(start / "config.json", folder / "config.json")
    edit(folder / "tokenizer.json", version="2.0")
    refused("is not the tokenizer of the shards; make shards with")
    (folder / "tokenizer.json").unlink()
    refused("is not the tokenizer of the shards")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    refused("has no weights as safetensors; bring it over with `thaitok convert`")
    (folder / "config.json").write_text("{")
    refused("is not JSON")
    (folder / "config.json").unlink()
    refused("is no model: it has no config")


def test_a_size_beside_a_start_is_refused(start: Path, tmp_path: Path) -> None:
    flags = {"shards": tmp_path, "out": tmp_path, "start": start}
    with pytest.raises(UserError, match="model is given beside start, whose own config counts"):
        load_config(PretrainConfig, PRESETS / "tiny.toml", **flags)
    config = load_config(PretrainConfig, PRESETS / "loanword.toml", **flags)
    assert config.model is None
    assert config.optim.layer_decay**14 > 0.01, "the embeddings are never as good as frozen"


def test_the_recipe_wants_a_model_to_go_on_from(tmp_path: Path) -> None:
    preset = PRESETS / "loanword.toml"
    given = {"shards": tmp_path, "out": tmp_path / "run"}
    with pytest.raises(UserError, match="for a model to go on from, and no start is given"):
        load_config(PretrainConfig, preset, **given)
    assert load_config(PretrainConfig, preset, **given, start=tmp_path).model is None
