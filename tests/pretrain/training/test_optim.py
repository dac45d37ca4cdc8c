"""Promise: old and new rows of one table learn as two tables with rates of their own would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import RobertaConfig, RobertaForMaskedLM

from pretrain.config import OptimConfig
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.training.optim import build_optimizer, learning_rate, share, update

KEPT, ADDED, WIDTH = 5, 3, 4


def test_the_rate_goes_up_and_then_down_to_zero() -> None:
    config = OptimConfig(learning_rate=1.0, warmup_steps=4)
    rates = [learning_rate(step, 10, config) for step in range(10)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == pytest.approx([1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert learning_rate(10, 10, config) == 0


def test_vectors_do_not_decay() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decaying, plain = build_optimizer(model, OptimConfig(weight_decay=0.3)).param_groups
    assert [one.shape for one in decaying["params"]] == [(4, 3)]
    assert len(plain["params"]) == 3
    assert (decaying["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)


def small_roberta(layers: int = 3, *, tied: bool = True) -> MaskedLanguageModel:
    torch.manual_seed(0)
    size = RobertaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=12, type_vocab_size=1,
        tie_word_embeddings=tied,
    )  # fmt: skip
    return MaskedLanguageModel(RobertaForMaskedLM(size))


def places(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, int, int, int]]:
    names = {one: name.removeprefix("model.") for name, one in model.named_parameters()}
    for group in optimizer.param_groups:
        for one in group["params"]:
            yield names[one], group["depth"], group["kept_depth"], group["kept"]


def test_groups_are_in_phayathaiberts_order() -> None:
    model = small_roberta()
    found = {}
    for name, depth, below, kept in places(model, build_optimizer(model, OptimConfig(), added=6)):
        found.setdefault((depth, below, kept), []).append(name)
    order = sorted(found)
    assert order == [(0, 1, 14), (0, 5, 14), (1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (5, 5, 0)]
    assert found[order[0]] == ["lm_head.bias"]
    assert found[order[1]] == ["roberta.embeddings.word_embeddings.weight"]
    assert {name.split(".")[0] for name in found[order[2]]} == {"lm_head"}
    for depth, layer in ((3, 2), (4, 1), (5, 0)):
        assert {name.split(".")[3] for name in found[order[depth]]} == {str(layer)}
    assert {name.split(".")[2] for name in found[order[6]]} == {
        "position_embeddings", "token_type_embeddings", "LayerNorm",
    }  # fmt: skip
    every = [name for names in found.values() for name in names]
    assert len(every) == len(set(every)) == len(list(model.parameters()))


def test_without_new_rows_the_head_is_first_and_the_embeddings_are_last() -> None:
    model = small_roberta(tied=False)
    found = list(places(model, build_optimizer(model, OptimConfig())))
    assert {depth for name, depth, _, _ in found if "lm_head" in name} == {0}
    assert {depth for name, depth, _, _ in found if ".embeddings." in name} == {4}
    assert {kept for _, _, _, kept in found} == {0}


def test_rates_fall_by_layer_and_wait_for_their_turn() -> None:
    config = OptimConfig(layer_decay=0.5, unfreeze_every=10)
    assert [share(depth, 0, config) for depth in range(4)] == [1, 0, 0, 0]
    assert [share(depth, 19, config) for depth in range(4)] == [1, 0.5, 0, 0]
    assert [share(depth, 20, config) for depth in range(4)] == [1, 0.5, 0.25, 0]
    assert [share(depth, 0, OptimConfig(layer_decay=0.5)) for depth in range(3)] == [1, 0.5, 0.25]
    assert {share(depth, 0, OptimConfig()) for depth in range(15)} == {1.0}


class Table(nn.Module):
    """One table under the name that RoBERTa gives it."""

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding.from_pretrained(rows, freeze=False)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(0.3, 1.0),
    st.integers(0, 4),
    st.floats(0, 0.5),
    st.floats(1e-3, 1.0),
)
def test_rows_of_one_table_equal_two_tables_under_plain_adamw(
    seed: int, decay: float, every: int, weight_decay: float, rate: float
) -> None:
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randn(KEPT + ADDED, WIDTH, generator=draw, dtype=torch.float64)
    config = OptimConfig(
        learning_rate=rate, layer_decay=decay, unfreeze_every=every, weight_decay=weight_decay
    )
    table = Table(rows.clone())
    optimizer = build_optimizer(table, config, ADDED)
    (group,) = optimizer.param_groups
    old, new = nn.Parameter(rows[:KEPT].clone()), nn.Parameter(rows[KEPT:].clone())
    plain = torch.optim.AdamW(
        [{"params": [old]}, {"params": [new]}],
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        weight_decay=weight_decay,
    )
    for step in range(8):
        gradient = torch.randn(rows.shape, generator=draw, dtype=torch.float64)
        table.word_embeddings.weight.grad = gradient
        old.grad, new.grad = gradient[:KEPT].clone(), gradient[KEPT:].clone()
        for one, depth in zip(plain.param_groups, (group["kept_depth"], 0), strict=True):
            one["lr"] = rate * share(depth, step, config)
        before = table.word_embeddings.weight.detach().clone()
        update(optimizer, rate, step, config)
        plain.step()
        after = table.word_embeddings.weight.detach()
        torch.testing.assert_close(after, torch.cat([old, new]).detach(), rtol=1e-9, atol=1e-12)
        if share(group["kept_depth"], step, config) == 0:
            assert torch.equal(after[:KEPT], before[:KEPT]), "frozen rows are bit-equal"
            assert not torch.equal(after[KEPT:], before[KEPT:])


def test_frozen_weights_are_bit_equal_and_learn_when_their_turn_comes() -> None:
    model = small_roberta(2)
    config = OptimConfig(unfreeze_every=2, layer_decay=0.9, weight_decay=0.1)
    optimizer = build_optimizer(model, config, added=6)
    spots = list(places(model, optimizer))
    for step in range(12):
        before = {name: one.detach().clone() for name, one in model.model.named_parameters()}
        for one in model.parameters():
            one.grad = torch.randn_like(one)
        update(optimizer, 0.01, step, config)
        for name, depth, below, kept in spots:
            after = model.model.get_parameter(name).detach()
            for rows, mine in ((slice(kept), below), (slice(kept, None), depth)):
                moved = not torch.equal(after[rows], before[name][rows])
                assert moved == (step >= 2 * mine and len(after[rows]) > 0), (name, step)
