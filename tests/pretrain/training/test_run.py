"""Promise: a run that was stopped ends with the weights of one that was not, to the bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pretrain.config import PRESETS, PretrainConfig
from pretrain.data.batch import Batch, Batches, split_documents
from pretrain.data.shards import open_shards
from pretrain.model.encoder import MaskedLanguageModel, build_model
from pretrain.training.run import pretrain
from thaitok.config import dump_toml, load_config, preset_path
from thaitok.errors import UserError
from thaitok.folder import file_facts, read_manifest

ConfigOf = Callable[..., PretrainConfig]


def weights(out: Path) -> str:
    return file_facts(out / "model" / "model.safetensors").sha256


CLOCK = {"seconds", "tokens_per_second", "mfu", "waiting"}
"""What of a line is never the same twice."""


def metrics(out: Path) -> list[dict[str, float]]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in CLOCK} for line in lines]


@pytest.fixture(scope="module")
def whole(config_of: ConfigOf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    pretrain(config_of(out))
    return out


def test_a_run_folder_is_complete_and_learns(whole: Path, config_of: ConfigOf) -> None:
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


def test_the_same_run_again_is_done_at_once(whole: Path, config_of: ConfigOf) -> None:
    before = weights(whole)
    assert pretrain(config_of(whole)).counts["steps"] == 12
    assert weights(whole) == before
    with pytest.raises(UserError, match=r"is finished with optim\.learning_rate = 0\.01, not 0\.1"):
        pretrain(config_of(whole, optim={"learning_rate": 0.1, "warmup_steps": 3}))


def test_promise_2_two_runs_are_equal_to_the_bit(
    whole: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    pretrain(config_of(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(whole)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_another_seed_is_another_run(whole: Path, config_of: ConfigOf, tmp_path: Path) -> None:
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
    whole: Path, config_of: ConfigOf, tmp_path: Path, step: int
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
    whole: Path, config_of: ConfigOf, tmp_path: Path, caplog: pytest.LogCaptureFixture
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


def test_no_resume_begins_again(whole: Path, config_of: ConfigOf, tmp_path: Path) -> None:
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


def test_an_update_weighs_all_masked_places_alike(config_of: ConfigOf, tmp_path: Path) -> None:
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


def command(config: PretrainConfig) -> list[str]:
    file = config.out.parent / "run.toml"
    file.write_text(dump_toml(config), encoding="utf-8")
    return [sys.executable, "-m", "thaitok", "pretrain", "--config", str(file)]


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, "ended before it could be stopped"
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


LIMITED = """
import resource, signal, sys
from thaitok.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command where no file may grow beyond a size, as on a disk that runs full."""


def test_promise_4_a_full_disk_is_one_line_and_the_run_goes_on(
    whole: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(tmp_path / "run")
    limit = (whole / "checkpoints" / "step-12" / "model.safetensors").stat().st_size + 10
    argv = [sys.executable, "-c", LIMITED, str(limit), *command(config)[3:]]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "no space left to write" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list((config.out / "checkpoints").glob("step-*")), "moments did not fit"
    pretrain(config)
    assert weights(config.out) == weights(whole)
    assert not list((config.out / "checkpoints").glob(".*")), "what the full disk left is gone"


@pytest.mark.slow
def test_promise_3_kill_9_and_ctrl_c_lose_nothing(config_of: ConfigOf, tmp_path: Path) -> None:
    size = {"steps": 300, "save_every": 40, "eval_every": 100, "log_every": 50}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    subprocess.run(command(config_of(tmp_path / "a" / "run", **size)), check=True)
    config = config_of(tmp_path / "b" / "run", **size)
    process = subprocess.Popen(command(config))
    wait_for(config.out / "checkpoints" / "step-80", process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process = subprocess.Popen(command(config), stderr=subprocess.PIPE)
    wait_for(config.out / "checkpoints" / "step-160", process)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"taking up the run after step" in said
    assert b"Traceback" not in said
    assert not (config.out / "manifest.json").exists()
    subprocess.run(command(config), check=True)
    assert weights(config.out) == weights(tmp_path / "a" / "run")


@pytest.mark.slow
def test_two_processes_train_on_the_same_batches(
    whole: Path, config_of: ConfigOf, tmp_path: Path
) -> None:
    model = {"layers": 2, "hidden": 16, "heads": 2, "intermediate": 32, "dropout": 0.0}
    alone = config_of(tmp_path / "alone" / "run", model=model)
    pretrain(alone)
    pair = config_of(tmp_path / "pair" / "run", model=model)
    pair.out.parent.mkdir()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    for _ in range(2):  # the second time it is done, and every process knows it
        done = subprocess.run(
            [*torchrun, "-m", *command(pair)[2:], "--json"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["steps"] == 12
    for one, two in zip(metrics(alone.out), metrics(pair.out), strict=True):
        assert one == pytest.approx(two, rel=1e-4)


def test_shards_that_are_too_few_or_another_stages_are_refused(
    config_of: ConfigOf, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="is a corpus folder where a shards folder is wanted"):
        pretrain(config_of(tmp_path / "run", shards=corpus))
    with pytest.raises(UserError, match="no such shards folder; make one with `thaitok shard`"):
        pretrain(config_of(tmp_path / "run", shards=tmp_path / "none"))
    assert not (tmp_path / "run").exists()


def test_a_diverging_run_is_one_line(config_of: ConfigOf, tmp_path: Path) -> None:
    optim = {"learning_rate": 1e30, "clip": 1e30, "warmup_steps": 0}
    with pytest.raises(UserError, match=r"the loss or its gradient is no number.*lower optim"):
        pretrain(config_of(tmp_path / "run", optim=optim, save_every=100))
    with pytest.raises(UserError, match=r"up to step \d+ \(3 times back\)"):
        pretrain(config_of(tmp_path / "saved", optim=optim, steps=60))


POISONED = -1


def poison(patch: pytest.MonkeyPatch, bad: range) -> None:
    """Let the loss of some micro-batches be no number."""
    inner = Batches.micro

    def micro(batches: Batches, number: int, step: int) -> Batch:
        batch = inner(batches, number, step)
        held_out = batches.plan.epoch_micros(0) < 4
        return batch if held_out or number not in bad else replace(batch, longest=POISONED)

    forward = MaskedLanguageModel.forward

    def lost(encoder: MaskedLanguageModel, batch: Batch) -> tuple[torch.Tensor, object]:
        loss, right = forward(encoder, batch)
        return (loss * torch.nan if batch.longest == POISONED else loss), right

    patch.setattr(Batches, "micro", micro)
    patch.setattr(MaskedLanguageModel, "forward", lost)


def test_an_update_that_goes_wrong_is_skipped_and_counted(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(8, 9))  # one of the micro-batches of step 5
        counts = pretrain(config_of(out)).counts
    assert counts["skipped"] == 1
    losses = {line["step"]: line["loss"] for line in metrics(out) if "loss" in line}
    assert [step for step, loss in losses.items() if loss is None] == [5]
    assert losses[12] < losses[1] - 0.3


def test_after_many_bad_updates_the_run_goes_back_and_passes_them_over(
    config_of: ConfigOf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The batches of the steps 5 to 8 are bad: the run goes on after the save of step 6."""
    config = config_of(tmp_path / "run", guard={"patience": 4})
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, range(8, 16))
        pretrain(config)
    assert "updates went wrong: going on after step 6 with later documents" in caplog.text
    state = json.loads((config.out / "checkpoints" / "step-12" / "state.json").read_text("utf-8"))
    assert (state["rollbacks"], state["left_out"]) == (1, 4)
    losses = {line["step"]: line["loss"] for line in metrics(config.out) if "loss" in line}
    assert list(losses) == list(range(1, 13))


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
