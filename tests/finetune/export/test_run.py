from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetune.export import graph, run
from finetune.export.config import ExportConfig
from finetune.export.run import FP32, INT8, export_model
from finetune.predictor import predict
from thaitok.errors import UserError
from thaitok.folder import read_manifest

Make = Callable[..., Path]


def test_the_folder_is_complete(exported: ExportConfig) -> None:
    names = {p.relative_to(exported.out).as_posix() for p in exported.out.rglob("*") if p.is_file()}
    assert names == {
        "README.md", "checks.json", "config.json", "manifest.json", FP32, INT8,
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    manifest = read_manifest(exported.out, "export")
    assert {one.name for one in manifest.files} == names - {"manifest.json"}
    assert {one.name for one in manifest.inputs} >= {
        "model/model.safetensors", "data/validation.jsonl",
    }  # fmt: skip


def test_the_checks_say_what_each_form_is_worth(exported: ExportConfig) -> None:
    checks = export_model(exported)
    pytorch, onnx, int8 = (checks.variants[name] for name in ("pytorch", "onnx", "onnx_int8"))
    assert checks.rows == 12 and checks.longest == 64
    assert 0 < onnx.max_difference <= 1e-5 and onnx.agreement == 1
    assert onnx.max_difference < int8.mean_difference < int8.max_difference < 1
    assert int8.bytes == (exported.out / INT8).stat().st_size < onnx.bytes
    assert onnx.scores == pytorch.scores and set(int8.scores) >= {"accuracy", "macro_f1"}
    assert all(one.batch_1_ms > 0 and one.batch_8_ms > 0 for one in checks.variants.values())


def test_no_place_on_this_machine_is_told(exported: ExportConfig) -> None:
    for file in exported.out.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"site-packages" not in data, file
            assert str(exported.out.parent).encode() not in data, file


def test_the_same_command_again_does_nothing(
    exported: ExportConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file: file.stat().st_mtime_ns for file in exported.out.rglob("*")}
    monkeypatch.setattr(run, "open_source", lambda folder: pytest.fail("it was done"))
    export_model(exported)
    assert before == {file: file.stat().st_mtime_ns for file in exported.out.rglob("*")}
    with pytest.raises(UserError, match=r"quantize = \"int8\", not null"):
        export_model(exported.model_copy(update={"quantize": None}))


WITHOUT = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
exec(compile(open(sys.argv[1], encoding="utf-8").read(), "snippet", "exec"))
"""


def run_snippet(folder: Path, program: Path) -> list[str]:
    """Run the program of a card where there is neither PyTorch nor transformers."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found and "INT8" not in found[1]
    program.write_text(found[1].replace("model_int8.onnx", "model.onnx"), encoding="utf-8")
    argv = [sys.executable, "-W", "error", "-c", WITHOUT, str(program)]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_card_s_program_says_what_the_predictor_says(
    exported: ExportConfig, tmp_path: Path
) -> None:
    (said,) = run_snippet(exported.out, tmp_path / "program.py")
    (expected,) = predict(exported.model, ["คุณสมชายไปเชียงใหม่เมื่อวานนี้"])
    label, chance = said.split()
    assert label == expected.label
    assert float(chance) == pytest.approx(expected.score, abs=1e-5)
    card = (exported.out / "README.md").read_text(encoding="utf-8")
    assert "onnx/model_int8.onnx" in card and "| ONNX, int8 |" in card


@pytest.fixture
def traced(exported: ExportConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the graph of `exported` stand for whatever is traced: tracing takes seconds."""
    monkeypatch.setattr(
        run, "write_graph", lambda model, path, longest: shutil.copyfile(exported.out / FP32, path)
    )


@pytest.mark.usefixtures("traced")
def test_a_graph_that_says_other_than_its_model_is_refused(model_of: Make, tmp_path: Path) -> None:
    other = model_of(tmp_path / "other", seed=1)
    with pytest.raises(UserError, match=r"logits differ from the model's by .* not exported"):
        export_model(ExportConfig(model=str(other), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("traced")
def test_own_texts_are_what_is_compared(sentiment: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("ดีมาก\nรอนานมาก\n", encoding="utf-8")
    config = ExportConfig(model=str(sentiment), out=tmp_path / "out", texts=tmp_path / "texts.txt")
    assert export_model(config).windows == 5  # two, a pair, none and the longest


def test_what_is_wrong_is_told_before_anything_is_traced(
    sentiment: Path, model_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "write_graph", lambda *_: pytest.fail("too late"))
    data = tmp_path / "rows.jsonl"
    config = ExportConfig(model=str(sentiment), out=tmp_path / "out", data=data)
    with pytest.raises(UserError, match="no such file"):
        export_model(config)
    data.write_text(json.dumps({"text": "ดี", "label": "?"}), encoding="utf-8")
    with pytest.raises(UserError, match=r"rows.jsonl:1: label '\?' is none of the model's"):
        export_model(config)
    data.write_text(json.dumps({"tokens": ["ดี"], "tags": ["O"]}), encoding="utf-8")
    with pytest.raises(UserError, match=r"rows.jsonl:1: .*text"):
        export_model(config)
    with pytest.raises(UserError, match="is a task of kind ner, the model's is sequence"):
        export_model(config.model_copy(update={"task": "ner"}))
    masked = model_of(tmp_path / "masked", head="ForMaskedLM")
    with pytest.raises(UserError, match="a model for fill-mask has no task to score"):
        export_model(config.model_copy(update={"model": str(masked)}))
    writer = model_of(tmp_path / "writer", head="ForCausalLM", is_decoder=True)
    with pytest.raises(UserError, match="no head"):
        export_model(config.model_copy(update={"model": str(writer), "data": None}))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="is in the way"):
        export_model(config.model_copy(update={"out": tmp_path / "taken"}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_without_the_extra_the_command_for_it_is_told(
    package: str, sentiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"{package} is missing\); pip install 'thaitok\[onnx\]'"):
        export_model(ExportConfig(model=str(sentiment), out=tmp_path / "out"))


def test_an_architecture_that_cannot_be_traced_is_one_line(
    sentiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import RobertaForSequenceClassification

    whole = RobertaForSequenceClassification.forward

    def forward(self: Any, input_ids: Any, **others: Any) -> Any:
        if input_ids.sum() > 9:  # hangs on the values, which a graph cannot
            return whole(self, input_ids, **others)
        return whole(self, torch.flip(input_ids, (0,)), **others)

    monkeypatch.setattr(RobertaForSequenceClassification, "forward", forward)
    with pytest.raises(UserError, match=r"torch.onnx cannot export Roberta\w+: \w+") as found:
        export_model(ExportConfig(model=str(sentiment), out=tmp_path / "out"))
    assert "\n" not in str(found.value)
    assert not (tmp_path / "out").exists()


LIMITED = """
import resource, signal, sys
from pathlib import Path
from finetune.export.config import ExportConfig
from finetune.export.run import export_model
from thaitok.errors import explain_system_error
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    export_model(ExportConfig(model=sys.argv[2], out=Path(sys.argv[3])))
except Exception as err:
    sys.exit(str(explain_system_error(err) or repr(err)))
"""


@pytest.mark.slow
def test_promise_4_a_full_disk_is_one_line_and_the_export_goes_on(
    exported: ExportConfig, tmp_path: Path
) -> None:
    limit = (exported.out / FP32).stat().st_size - 10
    out = tmp_path / "out"
    argv = [sys.executable, "-c", LIMITED, str(limit), exported.model, str(out)]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no space left to write" in done.stderr.splitlines()[-1]
    assert not out.exists()
    export_model(ExportConfig(model=exported.model, out=out))
    assert (out / FP32).read_bytes() == (exported.out / FP32).read_bytes()


CASES = [
    ("Roberta", "ForMaskedLM"), ("Roberta", "ForTokenClassification"), ("Roberta", "Model"),
    ("Bert", "ForQuestionAnswering"), ("Bert", "ForSequenceClassification"),
    ("Camembert", "ForTokenClassification"), ("XLMRoberta", "ForMaskedLM"),
    ("Electra", "ForTokenClassification"), ("Albert", "ForSequenceClassification"),
    ("ModernBert", "ForMaskedLM"), ("ModernBert", "ForSequenceClassification"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("family", "head"), CASES, ids=map("".join, CASES))
def test_every_architecture_and_head(
    family: str, head: str, model_of: Make, tmp_path: Path
) -> None:
    layers = 2 if family == "ModernBert" else 1  # of local attention, then of global
    folder = model_of(tmp_path / "model", family, head, layers=layers)
    config = ExportConfig(model=str(folder), out=tmp_path / "out", quantize="int8")
    checks = export_model(config)
    assert checks.variants["onnx"].max_difference <= run.NEAR
    assert checks.variants["onnx_int8"].bytes < checks.variants["onnx"].bytes
    assert graph.EXTERNAL not in {file.suffix for file in config.out.rglob("*")}
    said = run_snippet(config.out, tmp_path / "program.py")
    if head == "ForMaskedLM":
        (found,) = predict(str(folder), ["วันนี้อากาศ<mask>มาก"])
        chances = [float(line.split()[-1]) for line in said]
        assert chances == pytest.approx([one.score for one in found.found], abs=1e-4)
    elif head == "ForSequenceClassification":
        (found,) = predict(str(folder), ["คุณสมชายไปเชียงใหม่เมื่อวานนี้"])
        assert said[0].split()[0] == found.label
        assert float(said[0].split()[1]) == pytest.approx(found.score, abs=1e-4)
    elif head == "ForQuestionAnswering":
        assert said[0] in "คุณสมชายไปเชียงใหม่เมื่อวานนี้"
    else:
        assert said
