from __future__ import annotations

import re
from typing import get_args

import pytest

from finetune.data.kinds import HEADLINE, KINDS, Metric
from finetune.data.tasks import TASKS, Task, describe_task, find_task, own_task
from thaitok.errors import UserError

FIGURES = {
    "sequence": {"accuracy", "macro_f1"},
    "multilabel": {"micro_f1", "macro_f1"},
    "ner": {"entity_f1"},
    "pos": {"accuracy", "macro_f1"},
    "words": {"word_f1"},
    "nested": {"entity_f1"},
    "qa": {"exact_match", "f1"},
}


def test_the_table_has_every_benchmark() -> None:
    names = [task.name for task in TASKS]
    assert len(set(names)) == len(names)
    assert set(names) >= {
        "wisesight_sentiment", "wongnai_reviews", "generated_reviews_enth", "yelp_review_full",
        "prachathai67k", "truevoice_intent", "thaigov_topic", "thainer_v1.3", "thainer_v2",
        "lst20_ner", "lst20_pos", "ud_thai_tud_pos", "ud_thai_pud_pos", "orchidpp_pos",
        "thai_nner", "iapp_wiki_qa_squad", "xquad_th", "xnli_th", "wisesight1000_wordseg",
    }  # fmt: skip


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_row_is_sound(task: Task) -> None:
    assert task.metric in FIGURES[task.kind] and task.metric in get_args(Metric)
    for figure in task.published:
        assert figure.metric in FIGURES[task.kind]
        # A gain over another system is no score, and says so twice.
        gain = " minus " in figure.system
        assert gain == ("a difference, not a score" in figure.source)
        assert abs(figure.value) < 0.1 if gain else 0.4 < figure.value < 1
    if task.hub:
        assert re.fullmatch(r"[0-9a-f]{40}|refs/convert/parquet", task.revision)


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown task 'wisesight'; did you mean 'wisesight_sent"):
        find_task("wisesight")
    with pytest.raises(UserError, match="unknown task 'sequences'; did you mean 'sequence'"):
        describe_task("sequences")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_the_users_own_data(kind: str) -> None:
    task = describe_task(kind, label_column="mood")
    assert (task.kind, task.chosen, task.own, task.hub) == (kind, {"label": "mood"}, True, None)
    assert task.metric == HEADLINE[task.kind] and task.metric in FIGURES[kind]
    assert task == own_task(task.kind, label_column="mood")


def test_columns_of_a_known_task_may_be_named() -> None:
    task = describe_task("thainer_v1.3", text_column="a", pair_column="b", tokens_column="d")
    assert task.chosen == {"text": "a", "pair": "b", "tokens": "d"}
    assert task.relabel and not task.own
