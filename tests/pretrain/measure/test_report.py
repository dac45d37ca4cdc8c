from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pretrain.measure.report import read_metrics, write_report

TRAINING: dict[str, Any] = {
    "loss": 5.0, "grad_norm": 1.5, "learning_rate": 1e-3, "tokens": 2_500_000, "seconds": 2.0,
    "tokens_per_second": 4000, "mfu": 0.41, "waiting": 0.0, "skipped": 0,
}  # fmt: skip
EVALUATION = {"eval_loss": 4.25, "eval_accuracy": 0.301, "eval_bits": 2.5}


def run_folder(folder: Path, lines: list[Any], torn: str = "") -> Path:
    folder.mkdir()
    (folder / "config.toml").write_text(
        'steps = 100\nshards = "<b>ไทย</b>"\n\n[model]\nlayer_norm_eps = 1e-12\n', encoding="utf-8"
    )
    text = "".join(json.dumps(line) + "\n" for line in lines) + torn
    (folder / "metrics.jsonl").write_text(text, encoding="utf-8")
    return folder


def page_of(folder: Path) -> str:
    write_report(folder)
    assert not list(folder.glob(".*"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http://" not in page.replace('"http://www.w3.org', "")
    HTMLParser().feed(page)
    return page


def test_a_report_tells_figures_curves_evaluations_and_settings(tmp_path: Path) -> None:
    lines = [{"step": step, **TRAINING} for step in (10, 20)]
    folder = run_folder(tmp_path / "run", [*lines, {"step": 20, **EVALUATION}])
    page = page_of(folder)
    for told in ("20<small>of 100", "2.5 million", "4.2500", "30.1 %", "2.500", "4,000", "41.0 %",
                 "40 s", "&lt;b&gt;ไทย&lt;/b&gt;", "layer_norm_eps", "1e-12", "torch"):  # fmt: skip
        assert told in page, told
    assert page.count("<figure") == 6
    assert "held out: 4.25 at 20" in page
    assert "Skipped" not in page


def test_a_run_that_has_just_begun_has_a_report(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [])
    assert "<figure" not in page_of(folder)
    (folder / "metrics.jsonl").unlink()
    page_of(folder)


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [{"step": 10, **TRAINING}], '{"step": 20, "lo')
    assert [line["step"] for line in read_metrics(folder / "metrics.jsonl")] == [10]
    page_of(folder)


def test_steps_made_again_count_once(tmp_path: Path) -> None:
    lines = [{"step": step, "loss": loss} for step, loss in ((10, 1), (20, 2), (30, 3), (20, 4))]
    lines.append({"step": 20, "eval_loss": 5})
    found = read_metrics(run_folder(tmp_path / "run", lines) / "metrics.jsonl")
    assert found == [{"step": 10, "loss": 1}, {"step": 20, "loss": 4}, {"step": 20, "eval_loss": 5}]


def test_skipped_updates_are_marked(tmp_path: Path) -> None:
    lines = [{"step": step, **TRAINING, "skipped": step // 20} for step in (10, 20, 30, 40, 50)]
    lines[1] |= {"loss": None, "grad_norm": None}  # of which one was no number
    page = page_of(run_folder(tmp_path / "run", lines))
    assert page.count('class="mark"') == 2 * page.count("<figure")
    assert "Skipped" in page


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_drawn(tmp_path: Path, value: float) -> None:
    lines = [{"step": 10, **TRAINING}, {"step": 20, **TRAINING, "loss": value}]
    assert "nan" not in page_of(run_folder(tmp_path / "run", lines)).lower().split("<h2", 1)[1]
