"""Promise: whatever a run learns, it learns, resumes to the bit, and loads with transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from pydantic import ValidationError
from safetensors.torch import load_file

from pretrain.config import PretrainConfig
from pretrain.data.shards import open_shards
from pretrain.export import export_checkpoint
from pretrain.measure.flops import flops_per_token
from pretrain.model.encoder import encoder_config
from pretrain.model.objectives import check_objective, objective_flops
from pretrain.model.rtd import generator_config
from pretrain.training.run import pretrain
from thaitok.errors import UserError

ConfigOf = Callable[..., PretrainConfig]
Metrics = Callable[[Path], list[dict[str, float]]]
Weights = Callable[[Path], str]
Command = Callable[[PretrainConfig], list[str]]

SMALL = {"layers": 1, "hidden": 8, "heads": 2, "intermediate": 16, "dropout": 0.1}
WEIGHTS = "checkpoints/step-18/model.safetensors"


def changes(objective: str, whole: Path) -> dict[str, Any]:
    """Return what makes a run of this objective of an ordinary one; `whole` teaches."""
    steps = {"steps": 18, "eval_every": 9, "save_every": 9, "objective": objective}
    if objective == "rtd":
        return steps
    teacher = {"teacher": whole / "model", "relation_heads": 4}
    return {**steps, "distil": teacher, "model": SMALL}


@pytest.fixture(scope="module", params=["rtd", "distil"])
def run(
    request: pytest.FixtureRequest,
    whole: Path,
    config_of: ConfigOf,
    tmp_path_factory: pytest.TempPathFactory,
) -> PretrainConfig:
    """A run of each objective that nothing stopped."""
    out = tmp_path_factory.mktemp(request.param) / "run"
    config = config_of(out, **changes(request.param, whole))
    pretrain(config)
    return config


def test_promise_3_a_stopped_run_ends_as_if_it_was_not(
    run: PretrainConfig, tmp_path: Path, weights: Weights, metrics: Metrics
) -> None:
    """With dropout and samples drawn, and all that learns in the checkpoints."""
    import pretrain.training.run as module

    update, config = module._Run._update, run.model_copy(update={"out": tmp_path / "run"})

    def broken(run: module._Run) -> object:
        if run.step == 13:
            raise RuntimeError("killed")
        return update(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Run, "_update", broken)
        with pytest.raises(RuntimeError, match="killed"):
            pretrain(config)
    assert (config.out / "checkpoints" / "step-9").is_dir()
    pretrain(config)
    assert weights(config.out) == weights(run.out)
    assert metrics(config.out) == metrics(run.out)
    one, two = (load_file(out / WEIGHTS) for out in (config.out, run.out))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    parts = {name.partition(".")[0] for name in one}
    assert parts == ({"model", "head", "generator"} if run.rtd else {"model"})


def test_it_learns_and_is_evaluated_as_what_it_is(run: PretrainConfig, metrics: Metrics) -> None:
    lines = metrics(run.out)
    losses = [line["loss"] for line in lines if "loss" in line]
    assert sum(losses[-4:]) < sum(losses[:4]) - 4 * 0.1
    found = [line for line in lines if "eval_loss" in line][-1]
    assert ("eval_bits" in found) == (run.rtd is None)
    if run.rtd:
        assert found["eval_loss"] < 0.6  # of the verdicts: 0.69 before it has learnt anything
        assert found["eval_accuracy"] > 0.7
        assert losses[-1] > 20  # beside the generator's nats, 50 of the verdicts'


def test_what_is_exported_loads_plainly(run: PretrainConfig, tmp_path: Path) -> None:
    folder = run.out / "model"
    saved = load_file(run.out / WEIGHTS)
    kind = transformers.AutoModel if run.rtd else transformers.AutoModelForMaskedLM
    model, told = kind.from_pretrained(folder, output_loading_info=True)
    if run.rtd:
        assert all(name.startswith("pooler.") for name in told["missing_keys"])
        assert not told["unexpected_keys"]
    else:
        assert not told["missing_keys"]
    exported = {name: one for name, one in model.named_parameters() if "pooler" not in name}
    assert {f"model.{name}" for name in exported} == {n for n in saved if n.startswith("model.")}
    assert all(torch.equal(one, saved[f"model.{name}"]) for name, one in exported.items())
    _, told = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert all(name.startswith("classifier.") for name in told["missing_keys"])
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert ("pipeline_tag: fill-mask" in card) == (run.rtd is None)
    assert ("widget:" in card) == (run.rtd is None)
    assert ("pipeline_tag: feature-extraction" in card) == bool(run.rtd)
    assert ("of the verdicts right" in card) == bool(run.rtd)
    assert ("4 relation heads of the last layer of model" in card) == bool(run.distil)


def test_an_electra_has_its_own_class(config_of: ConfigOf, tmp_path: Path) -> None:
    model = {"type": "electra", "layers": 1, "hidden": 16, "heads": 2, "intermediate": 32}
    config = config_of(tmp_path / "run", steps=3, objective="rtd", model=model)
    pretrain(config)
    found, told = transformers.AutoModelForPreTraining.from_pretrained(
        config.out / "model", output_loading_info=True
    )
    assert type(found).__name__ == "ElectraForPreTraining"
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    saved = load_file(config.out / "checkpoints/step-3/model.safetensors")
    assert all(torch.equal(one, saved[f"model.{name}"]) for name, one in found.named_parameters())
    export_checkpoint(config, tmp_path / "again")
    assert "ELECTRA" in (tmp_path / "again" / "README.md").read_text(encoding="utf-8")


def test_detection_goes_on_from_a_masked_language_model(
    whole: Path, config_of: ConfigOf, tmp_path: Path, metrics: Metrics
) -> None:
    config = config_of(
        tmp_path / "run", steps=2, objective="rtd", start=whole / "model", model=None,
        optim={"layer_decay": 0.5},
    )  # fmt: skip
    pretrain(config)
    assert metrics(config.out)[0]["step"] == 0
    before, after = (load_file(out / "model" / "model.safetensors") for out in (whole, config.out))
    for name, one in after.items():
        torch.testing.assert_close(one, before[f"roberta.{name}"], atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rtd": {}}, 'rtd is given, and objective is "mlm"'),
        ({"objective": "rtd", "distil": {"teacher": "x"}}, "distil is given, and obj"),
        ({"objective": "distil"}, 'objective "distil" needs distil.teacher'),
        ({"objective": "distil", "distil": {"teacher": "x"}, "layout": "stream"}, 'layout "rows"'),
        ({"objective": "distil", "distil": {"teacher": "x"}, "parallel": "fsdp2"}, "ddp"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(
    given: dict[str, Any], said: str, config_of: ConfigOf, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match=said):
        config_of(tmp_path, **given)


def test_settings_have_their_defaults(config_of: ConfigOf, tmp_path: Path) -> None:
    found = config_of(tmp_path, objective="rtd")
    assert found.rtd is not None
    assert (found.rtd.generator, found.rtd.weight, found.layout) == (0.33, 50.0, "auto")
    found = config_of(tmp_path, objective="distil", distil={"teacher": "x"})
    assert found.layout == "rows"
    assert config_of(tmp_path).rtd is None


def test_a_model_or_teacher_that_does_not_fit_is_one_line(
    whole: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    def refused(said: str, **given: Any) -> None:
        config = config_of(tmp_path / "run", **given)
        with pytest.raises(UserError, match=said) as caught:
            pretrain(config)
        assert "\n" not in str(caught.value)
        assert not config.out.exists()

    def teacher(**more: Any) -> dict[str, Any]:
        return {"objective": "distil", "distil": {"teacher": whole / "model", **more}}

    other = {"type": "distilbert", "layers": 1, "hidden": 16, "heads": 2}
    refused("a distilbert does not; take one of albert,", objective="rtd", model=other)
    refused(r"layer 3 is more than the 2 of the teacher", **teacher(layer=3, relation_heads=4))
    refused(r"relation_heads 48 does not divide .* 16 .* 16; set it to 16", **teacher())
    refused("positions of the model", **teacher(relation_heads=4), sequence_length=64)
    folder = tmp_path / "teacher"
    folder.mkdir()
    for file in (whole / "model").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    refused(
        "is not the tokenizer of the shards",
        **{**teacher(), "distil": {"teacher": folder, "relation_heads": 4}},
    )


def test_all_that_works_counts(whole: Path, config_of: ConfigOf, tmp_path: Path) -> None:
    """A generator as large as the model is a second one; a teacher goes one way of three."""
    plain = config_of(tmp_path)
    shards = open_shards(plain.shards)
    size = encoder_config(plain, shards.pieces, shards.special)
    own = flops_per_token(size, 500, 20.0, 0.15)
    assert objective_flops(plain, size, 500, 20.0, 0.15) == own.total
    rtd = config_of(tmp_path, objective="rtd", rtd={"generator": 1.0})
    found = objective_flops(rtd, size, 500, 20.0, 0.15)
    small = flops_per_token(generator_config(size, 1.0), 500, 20.0, 0.15).total
    assert found == own.encoder + own.attention + small + 6 * (16 * 16 + 16)
    distil = {"teacher": whole / "model", "relation_heads": 4}
    taught = config_of(tmp_path, objective="distil", distil=distil)
    check_objective(taught, shards)
    found = objective_flops(taught, size, 500, 20.0, 0.15)
    once = (own.encoder + own.attention) / 3
    assert found == pytest.approx(own.total + once + 3 * 2 * 20.0 * 4 * 16)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "parallel"), [("rtd", "ddp"), ("rtd", "fsdp2"), ("distil", "ddp")]
)
def test_two_processes_learn_what_one_does(
    objective: str,
    parallel: str,
    whole: Path,
    config_of: ConfigOf,
    tmp_path: Path,
    metrics: Metrics,
    command: Command,
) -> None:
    """With dropout and samples too: they are drawn for each micro-batch."""
    values = {**changes(objective, whole), "batch_tokens": 512}
    alone = config_of(tmp_path / "alone" / "run", **values)
    pretrain(alone)
    several = config_of(tmp_path / "several" / "run", **values, parallel=parallel)
    several.out.parent.mkdir()
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run([*launch, *command(several)[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for one, two in zip(metrics(alone.out), metrics(several.out), strict=True):
        assert one == pytest.approx(two, rel=1e-3 if objective == "rtd" else 1e-5)
