from __future__ import annotations

import pytest

from finetune.data.tasks import TASKS, Task, find_task
from finetune.measure.metrics import score
from thaitok.errors import UserError


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown task 'wisesight'; did you mean 'wisesight_sent"):
        find_task("wisesight")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_row_names_a_metric_that_its_kind_has(task: Task) -> None:
    figures = score(task.kind, [["B-X"]], [["B-X"]])
    assert task.metric in figures
    assert all(figure.metric in figures and 0 < figure.value < 1 for figure in task.published)
    if task.hub:
        assert task.revision
        wanted = {"tokens", "tags"} if task.on_words else {"text", "label"}
        assert set(task.columns) == wanted


def test_names_are_not_given_twice() -> None:
    assert len({task.name for task in TASKS}) == len(TASKS)
