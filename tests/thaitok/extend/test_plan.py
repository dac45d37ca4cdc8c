"""Promise: a plan is measured on words that nothing was chosen by, and writes nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from transformers import RobertaConfig

import thaitok.extend.plan as plans
from thaitok.cli import main
from thaitok.errors import UserError
from thaitok.extend import ExtendConfig, plan_extension
from thaitok.extend.choose import choose, find_candidates
from thaitok.extend.counting import HELD_OUT, count_words
from thaitok.extend.model import parameters_a_piece
from thaitok.extend.plan import plan_table

OLD = {letter: -6.0 for letter in "abcdefghijklmnopqrstuvwxyz"}
COUNTS = {"computer": 40.0, "compute": 30.0, "software": 20.0, "soft": 15.0, "shop": 4.0}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SIZES", (10, 30, 60, 100_000))


def test_more_pieces_leave_fewer_tokens_and_cost_more(base: Path, mixed: Path) -> None:
    plan = plan_extension(ExtendConfig(tokenizer=base, corpus=(mixed,)))
    tokens = [row.tokens_per_word for row in plan.rows]
    assert tokens == sorted(tokens, reverse=True)
    assert tokens[-1] < 0.7 * tokens[0]
    assert [row.added for row in plan.rows] == [0, 10, 30, 60, plan.candidates]
    assert [row.parameters for row in plan.rows] == [row.added * 769 for row in plan.rows]
    assert set(plan.rows[0].by_source) == {"manuals", "social"}
    assert all(row.one_token <= row.two_tokens for row in plan.rows)


def test_terms_and_a_size_of_ones_own_are_planned_too(
    base: Path, mixed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "terms").write_text("comcom\ncomputer\n", encoding="utf-8")
    config = ExtendConfig(tokenizer=base, corpus=(mixed,), add=17, words=tmp_path / "terms")
    plan = plan_extension(config)
    assert 17 in [row.added for row in plan.rows]
    assert plan.terms == 2
    assert 0 < plan.lines_changed < plan.lines
    assert "lines change" in caplog.text


def test_it_is_measured_on_documents_held_out(base: Path, mixed: Path, tmp_path: Path) -> None:
    whole = count_words(base, [mixed], "latin", tmp_path)
    parted = count_words(base, [mixed], "latin", tmp_path, hold_out=True)
    assert not whole.held_out
    assert not list(tmp_path.iterdir())
    documents = {one: sum(counts.values()) for one, counts in whole.learned.items()}
    learned = {one: sum(counts.values()) for one, counts in parted.learned.items()}
    held_out = {one: sum(counts.values()) for one, counts in parted.held_out.items()}
    for source in ("manuals", "social"):
        # A word counts once a document there, and each time here.
        assert documents[source] <= learned[source] + held_out[source]
        assert 0.3 / HELD_OUT < held_out[source] / documents[source] < 3 / HELD_OUT


def test_a_source_counts_by_its_balance_and_weight(base: Path, mixed: Path, tmp_path: Path) -> None:
    words = count_words(base, [mixed], "latin", tmp_path)
    totals = {one: counts.total() for one, counts in words.learned.items()}
    plain = sum(words.weighted(1.0, {}).values())
    assert plain == pytest.approx(sum(totals.values()))
    alike = sum(words.weighted(0.0, {}).values())
    assert alike == pytest.approx(2 * max(totals.values()))
    heavy = sum(words.weighted(0.0, {"social": 3.0}).values())
    assert heavy == pytest.approx(4 * max(totals.values()))


def test_a_size_is_chosen_alike_whatever_others_are_asked_for() -> None:
    candidates = find_candidates(COUNTS, OLD, 12)
    alone = [next(iter(choose(candidates, [size], 0.1))) for size in (8, 4, 2)]
    together = list(choose(candidates, [2, 8, 4], 0.1))
    assert [one.new for one in together] == [one.new for one in alone]
    assert [one.scores for one in together] == [one.scores for one in alone]


def test_the_pieces_that_save_most_come_first() -> None:
    (chosen,) = choose(find_candidates(COUNTS, OLD, 12), [3], 0.1)
    assert set(chosen.new) >= {"compute", "soft"} or set(chosen.new) >= {"computer", "compute"}
    assert set(chosen.scores) == {*OLD, *chosen.new}


def test_a_letter_that_was_unknown_counts_as_a_token_saved() -> None:
    counts = Counter({"café": 50.0, "cafe": 50.0, "naïve": 3.0})
    (chosen,) = choose(find_candidates(counts, OLD, 12), [4], 0.1)
    assert "é" in "".join(chosen.new)


def test_the_table_has_a_curve_that_falls(base: Path, mixed: Path) -> None:
    columns, rows = plan_table(plan_extension(ExtendConfig(tokenizer=base, corpus=(mixed,))))
    assert columns[:4] == ("pieces", "parameters", "manuals", "social")
    bars = [len(str(row[-1])) for row in rows]
    assert bars == sorted(bars, reverse=True)
    assert bars[0] == 40


def test_the_command_prints_it_and_writes_nothing(
    base: Path, mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(base.parent.rglob("*"))
    assert main(["extend", str(base), str(mixed), "--plan"]) == 0
    assert "tokens a word" in capsys.readouterr().out
    assert main(["extend", str(base), str(mixed), "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][1]["added"] == 10
    assert sorted(base.parent.rglob("*")) == before


@pytest.mark.parametrize(("tied", "parameters"), [(True, 17), (False, 34)])
def test_a_model_says_what_a_piece_costs(tmp_path: Path, tied: bool, parameters: int) -> None:
    config = RobertaConfig(
        vocab_size=400, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, tie_word_embeddings=tied, architectures=["RobertaForMaskedLM"],
    )  # fmt: skip
    config.save_pretrained(tmp_path)
    assert parameters_a_piece(tmp_path) == parameters
    RobertaConfig(**{**config.to_dict(), "architectures": ["RobertaModel"]}).save_pretrained(
        tmp_path
    )
    assert parameters_a_piece(tmp_path) == 16


def test_too_little_text_is_told(base: Path, tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(UserError, match="give corpus folders"):
        plan_extension(ExtendConfig(tokenizer=base, prune=(corpus,)))
