from __future__ import annotations

import pytest
from pydantic import ValidationError

from finetune.measure.scores import figure
from finetune.measure.table import (
    BenchmarkTable,
    Cell,
    Comparison,
    TaskFacts,
    benchmark_table,
    html,
    markdown,
)

ROWS = {"train": 1000, "validation": 100, "test": 100}


def make_table() -> BenchmarkTable:
    tasks = (
        TaskFacts(name="mood", kind="sequence", metric="macro_f1", rows=ROWS,
                  leakage={"test": {"same": 3, "near": 7}}, split_rule="official"),
        TaskFacts(name="names", kind="ner", metric="entity_f1", rows=ROWS, split_rule="by seed"),
    )  # fmt: skip
    spread = figure({"1": 0.70, "2": 0.72, "3": 0.71})
    paper = "Somchai 2021 <i>"
    return BenchmarkTable(
        tasks=tasks,
        cells=(
            Cell(task="mood", system="Wangchan", kind="published", metric="macro_f1", value=0.67,
                 source=paper),
            Cell(task="mood", system="Wangchan", kind="published", metric="accuracy", value=0.76,
                 source="not shown"),
            Cell(task="names", system="Wangchan", kind="published", metric="entity_f1",
                 value=0.9, source="PhayaThai 2023"),
            Cell(task="names", system="crf", kind="baseline", metric="entity_f1", value=0.861,
                 cpu_minutes=0.5),
            Cell(task="mood", system="ours|<b>", kind="model", metric="macro_f1", figure=spread,
                 cpu_minutes=2.0),
            Cell(task="mood", system="ours|<b>", kind="model", metric="accuracy", figure=spread,
                 cpu_minutes=2.0),
            Cell(task="names", system="ours|<b>", kind="model", metric="entity_f1",
                 figure=figure({"1": 0.7}), cpu_minutes=4.25),
            Cell(task="mood", system="Wangchan", kind="model", metric="macro_f1", value=0.1),
        ),
        comparisons=(Comparison(task="names", a="ours|<b>", b="crf", difference=-0.161,
                                interval=(-0.2, -0.12), p=0.0001),),
    )  # fmt: skip


def test_the_table_has_a_system_a_row_and_a_star_at_the_best_of_our_own() -> None:
    columns, rows = benchmark_table(make_table())
    assert columns == ["system", "mood macro_f1", "names entity_f1", "CPU min"]
    assert rows == [
        ["ours|<b>", "0.710 ± 0.025 *", "0.700", "6.2"],  # 2.0 once for both metrics of mood
        ["Wangchan", "0.100", "", ""],  # fine-tuned here, beside the published one
        ["crf", "", "0.861 *", "0.5"],
        ["Wangchan (published, not re-run)", "0.670", "0.900", ""],
    ]


def test_markdown_marks_what_is_published_with_its_source() -> None:
    text = markdown(make_table())
    lines = text.splitlines()
    assert lines[0] == "| system | mood macro_f1 | names entity_f1 | CPU min |"
    assert lines[2] == r"| ours\|<b> | **0.710 ± 0.025** | 0.700 | 6.2 |"
    assert lines[5] == "| Wangchan (published, not re-run) | 0.670[^1] | 0.900[^2] |  |"
    assert "[^1]: published, not re-run: Somchai 2021 <i>" in lines
    assert "[^2]: published, not re-run: PhayaThai 2023" in lines
    assert "not shown" not in text
    assert "± is half the 95 % interval" in text and "paired bootstrap" in text
    assert r"| names | ours\|<b> | crf | -0.161 | -0.200 to -0.120 | < 0.001 |" in lines
    assert "| mood | sequence | macro_f1 | 1,000 | 100 | 100 | 3 | 7 | official |" in lines


def test_the_page_is_escaped_and_draws_each_interval() -> None:
    page = html(make_table(), "Thai & more")
    assert "<title>Thai &amp; more</title>" in page
    assert "<b>0.710 ± 0.025</b>" in page and "ours|&lt;b&gt;" in page and "ours|<b>" not in page
    assert "0.670<sup>1</sup>" in page and "Somchai 2021 &lt;i&gt;" in page
    assert page.count("<figure") == 2 and page.count("<circle") == 6
    # mood is drawn from .1 to .8; its figure is .710, the interval .685 to .735.
    assert 'x1="83.59%" x2="90.69%"' in page and 'cx="87.14%"' in page
    assert "prefers-color-scheme: dark" in page and "<script" not in page


def test_the_table_comes_back_from_json_as_it_was() -> None:
    table = make_table()
    assert BenchmarkTable.model_validate_json(table.model_dump_json()) == table
    with pytest.raises(ValidationError):
        Cell(task="a", system="b", kind="other", metric="c")  # type: ignore[arg-type]


def test_an_empty_table_is_a_table() -> None:
    empty = BenchmarkTable(tasks=make_table().tasks, cells=())
    assert benchmark_table(empty)[1] == []
    assert markdown(empty) and "Nothing to draw" in html(empty)
