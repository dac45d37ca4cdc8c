"""Promise: a run that was stopped ends with the weights of one that was not, to the bit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

from pretrain.config import PRESETS, PretrainConfig
from pretrain.data.batch import split_documents
from pretrain.data.shards import open_shards
from pretrain.export import export_checkpoint
from pretrain.model.encoder import MaskedLanguageModel, build_model
from pretrain.training.run import pretrain
from thaitok.config import load_config, preset_path
from thaitok.errors import UserError
from thaitok.folder import read_manifest

ConfigOf = Callable[..., PretrainConfig]
Metrics = Callable[[Path], list[dict[str, float]]]
Weights = Callable[[Path], str]


def test_a_run_folder_is_complete_and_learns(
    whole: Path, config_of: ConfigOf, metrics: Metrics
) -> None:
    manifest = read_manifest(whole, "run")
    assert manifest.counts["steps"] == 12
    lines = metrics(whole)
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 13))
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0] - 0.3
    assert {path.name for path in (whole / "checkpoints").iterdir()} == {"step-9", "step-12"}
    assert "Held-out" in (whole / "report.html").read_text(encoding="utf-8")
    assert {"tokens_per_second", "mfu", "waiting", "seconds"} <= json.loads(
        (whole / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[0]
    ).keys()
    evaluation = [line for line in lines if "eval_loss" in line][-1]
    assert evaluation["eval_loss"] < losses[0]
    assert 0 < evaluation["eval_bits"] < 20
    assert sorted(path.name for path in (whole / "model").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "spm.model",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert load_config(PretrainConfig, whole / "config.toml") == config_of(whole)


def test_the_same_run_again_is_done_at_once(
    whole: Path, config_of: ConfigOf, weights: Weights
) -> None:
    before = weights(whole)
    assert pretrain(config_of(whole)).counts["steps"] == 12
    assert weights(whole) == before
    with pytest.raises(UserError, match=r"is finished with optim\.learning_rate = 0\.01, not 0\.1"):
        pretrain(config_of(whole, optim={"learning_rate": 0.1, "warmup_steps": 3}))


def test_promise_2_two_runs_are_equal_to_the_bit(
    whole: Path, config_of: ConfigOf, tmp_path: Path, weights: Weights, metrics: Metrics
) -> None:
    pretrain(config_of(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(whole)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_another_seed_is_another_run(
    whole: Path, config_of: ConfigOf, tmp_path: Path, weights: Weights
) -> None:
    pretrain(config_of(tmp_path / "run", seed=2))
    assert weights(tmp_path / "run") != weights(whole)


def stop_after(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the run break right after an update, as a kill would."""
    import pretrain.training.run as module

    update = module._Run._update

    def broken(run: module._Run) -> object:
        if run.step == step:
            raise RuntimeError("killed")
        return update(run)

    monkeypatch.setattr(module._Run, "_update", broken)


@pytest.mark.parametrize("step", [1, 7, 11])
def test_promise_3_a_stopped_run_ends_as_if_it_was_not(
    whole: Path, config_of: ConfigOf, tmp_path: Path, step: int, weights: Weights, metrics: Metrics
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, step)
        with pytest.raises(RuntimeError, match="killed"):
            pretrain(config_of(out))
    assert not (out / "manifest.json").exists()
    assert not (out / "model").exists()
    pretrain(config_of(out))
    assert weights(out) == weights(whole)
    assert metrics(out) == metrics(whole)


def test_a_damaged_newest_checkpoint_is_passed_over(
    whole: Path,
    config_of: ConfigOf,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    weights: Weights,
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 8)
        with pytest.raises(RuntimeError):
            pretrain(config_of(out))
    newest = out / "checkpoints" / "step-6" / "optimizer.safetensors"
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    with caplog.at_level("INFO"):
        pretrain(config_of(out))
    assert "step-6 is damaged; taking the checkpoint before it" in caplog.text
    assert "taking up the run after step 3" in caplog.text
    assert weights(out) == weights(whole)


def test_no_resume_begins_again(
    whole: Path, config_of: ConfigOf, tmp_path: Path, metrics: Metrics
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 7)
        with pytest.raises(RuntimeError):
            pretrain(config_of(out))
    pretrain(config_of(out), resume=False)
    assert metrics(out) == metrics(whole)


def test_an_unfinished_run_with_other_settings_is_refused(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 7)
        with pytest.raises(RuntimeError):
            pretrain(config_of(out))
    with pytest.raises(UserError, match="was begun with seed = 1, not 5"):
        pretrain(config_of(out, seed=5))
    assert (out / "checkpoints" / "step-6").is_dir()


def test_an_update_weighs_all_masked_places_alike(
    config_of: ConfigOf, tmp_path: Path, metrics: Metrics
) -> None:
    """Over accumulated micro-batches too: a mean of means would not, and Trainer adds them up."""
    model = {"layers": 1, "hidden": 16, "heads": 2, "dropout": 0.0}
    config = config_of(tmp_path / "run", steps=1, batch_tokens=512, model=model, optim={})
    pretrain(config)
    shards = open_shards(config.shards)
    torch.manual_seed(config.seed)
    encoder = MaskedLanguageModel(build_model(config, shards.pieces, shards.special))
    batches = split_documents(config, shards, "rows", 2)[0]
    first = [batches.micro(number, 0) for number in range(4)]
    places = sum(len(one.labels) for one in first)
    total = sum(encoder(one)[0] for one in first) / places
    total.backward()
    norm = sum((one.grad**2).sum() for one in encoder.parameters() if one.grad is not None) ** 0.5
    line = metrics(config.out)[0]
    assert line["loss"] == pytest.approx(total.item(), rel=1e-6)
    assert line["grad_norm"] == pytest.approx(norm.item(), rel=1e-5)
    assert line["tokens"] == sum(one.tokens for one in first)


def test_too_little_memory_is_one_line(config_of: ConfigOf, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskedLanguageModel, "forward", full)
        with pytest.raises(UserError, match=r"out of memory; .*micro_tokens to 64") as caught:
            pretrain(config_of(tmp_path / "run"))
    assert "\n" not in str(caught.value)


def test_a_checkpoint_is_exported_while_the_run_goes_on(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 8)
        with pytest.raises(RuntimeError):
            pretrain(config)
    export_checkpoint(config, tmp_path / "model")
    saved = load_file(config.out / "checkpoints" / "step-6" / "model.safetensors")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "model")
    for name, one in model.named_parameters():
        assert torch.equal(one, saved[f"model.{name}"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(UserError, match="is in the way"):
        export_checkpoint(config, tmp_path / "mine")
    with pytest.raises(UserError, match="has no checkpoint yet"):
        export_checkpoint(config_of(tmp_path / "none"), tmp_path / "model")


def test_what_is_exported_is_the_run_and_not_the_command_line(
    whole: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    other = config_of(whole, model={"layers": 4, "hidden": 16, "heads": 2}, sequence_length=64)
    export_checkpoint(other, tmp_path / "model")
    one, two = (
        load_file(out / "model.safetensors") for out in (tmp_path / "model", whole / "model")
    )
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    with pytest.raises(UserError, match="is in the way"):
        export_checkpoint(other, tmp_path / "model")


def test_a_run_that_has_no_checkpoint_yet_takes_other_settings(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(UserError, match=r"model\.type 't5'"):
        pretrain(config_of(out, model={"type": "t5", "hidden": 16, "heads": 2}))
    with pytest.raises(UserError, match='layout "stream" needs a CUDA device'):
        pretrain(config_of(out, layout="stream"))
    assert pretrain(config_of(out, steps=4)).counts["steps"] == 4


def test_shards_may_be_moved(whole: Path, config_of: ConfigOf, shards: Path) -> None:
    moved = shards.with_name("elsewhere")
    shutil.copytree(shards, moved)
    assert pretrain(config_of(whole, shards=moved)).counts["steps"] == 12


def test_a_weight_that_no_gradient_reaches_does_not_stop_a_run_from_going_on(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(tmp_path / "run")
    inner = MaskedLanguageModel.__init__

    def wider(self: MaskedLanguageModel, *args: object, **named: object) -> None:
        inner(self, *args, **named)
        self.unused = torch.nn.Parameter(torch.ones(2))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskedLanguageModel, "__init__", wider)
        with pytest.MonkeyPatch.context() as stop:
            stop_after(stop, 8)
            with pytest.raises(RuntimeError):
                pretrain(config)
        assert pretrain(config).counts["steps"] == 12


@pytest.mark.parametrize("kind", ["bert", "albert", "electra", "modernbert", "distilbert"])
def test_other_architectures_learn_and_load_plainly(
    kind: str,
    config_of: ConfigOf,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    metrics: Metrics,
) -> None:
    model = {"type": kind, "layers": 2, "hidden": 16, "heads": 2, "intermediate": 32,
             "embedding": 8, "local_window": 8, "dropout": 0.0}  # fmt: skip
    with caplog.at_level("INFO"):
        pretrain(config_of(tmp_path / "run", model=model))
    assert ("is trained padded" in caplog.text) == (kind == "distilbert")
    losses = [line["loss"] for line in metrics(tmp_path / "run") if "loss" in line]
    assert losses[-1] < losses[0] - 0.1
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path / "run" / "model")
    assert loaded.config.model_type == kind
    assert AutoTokenizer.from_pretrained(tmp_path / "run" / "model").model_max_length == 32


def test_shards_that_are_too_few_or_another_stages_are_refused(
    config_of: ConfigOf, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="is a corpus folder where a shards folder is wanted"):
        pretrain(config_of(tmp_path / "run", shards=corpus))
    with pytest.raises(UserError, match="no such shards folder; make one with `thaitok shard`"):
        pretrain(config_of(tmp_path / "run", shards=tmp_path / "none"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_are_valid(preset: str, tmp_path: Path) -> None:
    file = preset_path(preset, PRESETS)
    start = tmp_path if preset == "loanword" else None
    config = load_config(PretrainConfig, file, shards=tmp_path, out=tmp_path, start=start)
    assert config.steps >= 100


def test_the_model_loads_with_plain_transformers_and_fills_a_mask(whole: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('thaitok', 'corpora', 'pretrain', 'finetune'): sys.modules[name] = None\n"
        "from transformers import pipeline\n"
        "fill = pipeline('fill-mask', model=sys.argv[1])\n"
        "print(len(fill('แมวนั่งอยู่บน<mask>หน้าบ้าน')), fill.tokenizer.model_max_length)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(whole / "model")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["5", "32"]
