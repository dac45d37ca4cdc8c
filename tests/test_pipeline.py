"""Every stage once, through the command, on bundled text; then without anything of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpora.synthetic import SyntheticConfig, write_synthetic
from thaitok.cli import main
from thaitok.demo import COMMANDS

STAGES = """
clean bundled/raw --out corpus
train corpus --out tokenizer --vocab-size 1500
shard corpus --tokenizer tokenizer --out shards --verify
pretrain --config tiny --shards shards --out run --steps 3 --set optim.warmup_steps=1
finetune run/model --task demo_sentiment --data-dir bundled/bench --out sentiment --set epochs=1
finetune run --task demo_ner --data-dir bundled/bench --out ner --set epochs=1 --seeds 1,2
finetune run/model --task demo_pos --data-dir bundled/bench --out pos --set epochs=1
publish sentiment --repo you/thai --license cc0-1.0 --dry-run
publish tokenizer --repo you/tokenizer --license cc0-1.0 --dry-run
"""

PLAIN = """
import json, sys
for name in ("thaitok", "corpora", "pretrain", "finetune"):
    sys.modules[name] = None
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

tokenizer = AutoTokenizer.from_pretrained("sentiment/model")
model = AutoModelForSequenceClassification.from_pretrained("sentiment/model")
text = "ร้านนี้ อร่อยมาก"
logits = model(**tokenizer(text, return_tensors="pt")).logits
label = pipeline("text-classification", model="sentiment/model")(text)[0]["label"]
words = pipeline("token-classification", model="ner/model", ignore_labels=[])(text)
fill = pipeline("fill-mask", model="run/model")(text.replace("มาก", "<mask>"))
print(json.dumps([list(logits.shape), label, len(words), len(fill)]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    bundled = folder / "bundled"
    write_synthetic(SyntheticConfig(out=bundled, megabytes=0.6, train=120, validation=30, test=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in STAGES.strip().splitlines():
            assert main(stage.split()) == 0, stage
    return folder


def test_promise_1_documents_in_are_kept_dropped_or_quarantined(made: Path) -> None:
    planted = json.loads((made / "bundled" / "planted.json").read_text(encoding="utf-8"))
    counts = json.loads((made / "corpus" / "manifest.json").read_text(encoding="utf-8"))["counts"]
    assert counts["documents"] == planted["records"]
    assert counts["documents"] == (
        counts["kept"] + sum(counts["dropped"].values()) + sum(counts["quarantined"].values())
    )
    assert counts["dropped"]["duplicate"] >= planted["exact_duplicates"]
    assert sum(counts["quarantined"].values()) == sum(planted["bad_lines"].values())


def test_results_stand_beside_their_baselines(made: Path) -> None:
    for task, baseline in (("sentiment", "tfidf_svm"), ("ner", "crf")):
        scores = json.loads((made / task / "scores.json").read_text(encoding="utf-8"))
        assert baseline in scores["baselines"]
        assert len(scores["seeds"]) == (2 if task == "ner" else 1)
        for name in ("predictions.jsonl", "report.html", "model/config.json"):
            assert (made / task / name).is_file()


def test_promise_9_plain_transformers_loads_what_was_made(made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], cwd=made, capture_output=True, text=True, check=True
    )
    shape, label, words, fill = json.loads(done.stdout)
    assert shape == [1, 4]
    assert label in {"positive", "negative", "neutral", "question"}
    assert words > 0
    assert fill == 5


def test_predict_reads_a_file(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("อร่อยมาก\n\nไม่ชอบเลย\n", encoding="utf-8")
    assert main(["predict", str(made / "sentiment"), "--file", str(file)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in rows] == ["อร่อยมาก", "", "ไม่ชอบเลย"]
    assert all(0 < row["score"] <= 1 for row in rows)


def test_nothing_made_holds_a_pickle_or_this_machines_paths(made: Path) -> None:
    for path in made.rglob("*"):
        assert path.suffix not in {".bin", ".pt", ".pkl"} or path.parent.name == "shards"
    for folder in ("tokenizer", "run/model", "sentiment/model"):
        for path in (made / folder).iterdir():
            assert str(made).encode() not in path.read_bytes(), path


def test_a_stage_refuses_another_stages_folder(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(made / "never")
    for argv, said in (
        (["train", str(made / "shards")], "is a shards folder where a corpus folder is wanted"),
        (["pretrain", "--config", "tiny", "--shards", str(made / "corpus")], "is a corpus folder"),
        (["finetune", str(made / "shards"), "--task", "demo_ner"], "shards"),
    ):
        assert main([*argv, "--out", out]) == 2
        assert said in capsys.readouterr().err
    assert not Path(out).exists()


def test_the_demo_is_these_commands() -> None:
    verbs = [command.split()[0] for _, _, command in COMMANDS]
    assert verbs == ["clean", "train", "shard", "pretrain", *["finetune"] * 3, "publish"]
