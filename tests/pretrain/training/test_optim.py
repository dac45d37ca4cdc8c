"""Promise: rows, layers and tensors learn as if each had an AdamW with a rate of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForMaskedLM

from pretrain.config import OptimConfig
from pretrain.training.optim import build_optimizer, share, update

KEPT, ADDED, WIDTH = 5, 3, 4


def test_vectors_do_not_decay() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decaying, plain = build_optimizer(model, OptimConfig(weight_decay=0.3)).param_groups
    assert [one.shape for one in decaying["params"]] == [(4, 3)]
    assert len(plain["params"]) == 3
    assert (decaying["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)


class Wrapped(nn.Module):
    """A model in a module of another, as pretraining and DDP hold it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model


SIZE = {
    "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": 12, "pad_token_id": 1,
}  # fmt: skip
OTHER = {
    "albert": {"embedding_size": 6},
    "modernbert": dict.fromkeys(("bos_token_id", "cls_token_id"), 0)
    | dict.fromkeys(("eos_token_id", "sep_token_id"), 2),
    "distilbert": {"dim": 8, "n_layers": 3, "n_heads": 2, "hidden_dim": 16},
    "electra": {"embedding_size": 6},
}


def small(kind: str = "roberta", **values: Any) -> Wrapped:
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **{**SIZE, **OTHER.get(kind, {}), **values})
    return Wrapped(AutoModelForMaskedLM.from_config(config))


def places(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, int, int, int]]:
    names = {one: name.removeprefix("model.") for name, one in model.named_parameters()}
    for group in optimizer.param_groups:
        for one in group["params"]:
            yield names[one], group["depth"], group["kept_depth"], group["kept"]


def test_groups_are_in_phayathaiberts_order() -> None:
    model = small()
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
    model = small(tie_word_embeddings=False)
    found = list(places(model, build_optimizer(model, OptimConfig())))
    assert {depth for name, depth, _, _ in found if "lm_head" in name} == {0}
    assert {depth for name, depth, _, _ in found if ".embeddings." in name} == {4}
    assert {kept for _, _, _, kept in found} == {0}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("kind", "layers"),
    [
        ("roberta", "encoder.layer"),
        ("camembert", "encoder.layer"),
        ("bert", "encoder.layer"),
        ("albert", "encoder.albert_layer_groups"),
        ("modernbert", "layers"),
        ("distilbert", "transformer.layer"),
        ("electra", "encoder.layer"),
    ],
)
def test_each_architecture_has_its_head_first_and_its_embeddings_last(
    kind: str, layers: str, tied: bool
) -> None:
    wrapped = small(kind, tie_word_embeddings=tied)
    model = wrapped.model
    below = set(model.base_model.parameters())
    wanted = {one: 0 for one in model.parameters() if one not in below}
    stack = list(model.base_model.get_submodule(layers))
    assert len(stack) == (1 if kind == "albert" else 3)
    for depth, layer in enumerate(reversed(stack), 1):
        wanted |= dict.fromkeys(layer.parameters(), depth)
    if kind == "modernbert":
        wanted[model.model.final_norm.weight] = 1
    for one in below - wanted.keys():
        wanted[one] = len(stack) + 1
    vocabulary = {one for one in model.parameters() if len(one) == SIZE["vocab_size"]}
    assert model.get_input_embeddings().weight in vocabulary
    assert len(vocabulary) >= 2
    for module in (model, wrapped, Wrapped(wrapped)):
        groups = build_optimizer(module, OptimConfig()).param_groups
        assert {one: group["depth"] for group in groups for one in group["params"]} == wanted
        for group in build_optimizer(module, OptimConfig(), added=6).param_groups:
            for one in group["params"]:
                assert group["kept"] == (14 if one in vocabulary else 0)
                assert group["kept_depth"] == wanted[one] + 1
                assert group["depth"] == (0 if one in vocabulary else wanted[one] + 1)


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


@settings(max_examples=25, deadline=None)
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
    model = small(num_hidden_layers=2)
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


def stable_adamw(
    weight: Tensor, gradients: list[Tensor], rates: list[Tensor], config: OptimConfig
) -> Tensor:
    """Algorithm 2 of arXiv 2304.13013, line by line, for one tensor with a rate a row."""
    first = second = torch.zeros_like(weight)
    for t, (g, alpha) in enumerate(zip(gradients, rates, strict=True), 1):
        beta1 = config.beta1 * (1 - config.beta1 ** (t - 1)) / (1 - config.beta1**t)
        beta2 = config.beta2 * (1 - config.beta2 ** (t - 1)) / (1 - config.beta2**t)
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g**2
        rms = (g**2 / second.clamp_min(config.eps**2)).mean().sqrt()
        eta = alpha / max(1.0, float(rms))
        moved = first / (second.sqrt() + config.eps)
        weight = weight - eta * config.weight_decay * weight - eta * moved
    return weight


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    beta1=st.sampled_from([0.0, 0.9]),
    beta2=st.sampled_from([0.0, 0.9, 0.98, 0.999]),
    eps=st.sampled_from([1e-8, 1e-2]),
    decay=st.floats(0.3, 1.0),
    every=st.integers(0, 4),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_stable_equals_a_plain_loop_over_the_papers_lines(
    seed: int, beta1: float, beta2: float, eps: float, decay: float, every: int, dtype: torch.dtype
) -> None:
    config = OptimConfig(
        beta1=beta1, beta2=beta2, eps=eps, weight_decay=0.1, stable=True, layer_decay=decay,
        unfreeze_every=every,
    )  # fmt: skip
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randn(KEPT + ADDED, WIDTH, generator=draw, dtype=dtype)
    table = Table(rows.clone())
    optimizer = build_optimizer(table, config, ADDED)
    depths = torch.tensor([[optimizer.param_groups[0]["kept_depth"]]] * KEPT + [[0]] * ADDED)
    gradients, rates = [], []
    for step in range(8):
        scale = 10 ** (step / 2 - 3 + torch.randn((), generator=draw).item())  # from below eps up
        gradients.append(scale * torch.randn(rows.shape, generator=draw, dtype=dtype))
        rates.append(0.05 * torch.tensor([[share(int(d), step, config)] for d in depths]).double())
        table.word_embeddings.weight.grad = gradients[-1].clone()
        update(optimizer, 0.05, step, config)
        wanted = stable_adamw(rows.double(), [one.double() for one in gradients], rates, config)
        found = table.word_embeddings.weight.detach().double()
        close = 1e-6 if dtype == torch.float32 else 3e-8
        torch.testing.assert_close(found, wanted, rtol=close, atol=close)


def test_stable_clips_the_update_after_a_jump_and_leaves_the_others() -> None:
    moved = {}
    for stable in (False, True):
        model = Table(torch.ones(4, 4))
        config = OptimConfig(stable=stable, weight_decay=0.0)
        optimizer = build_optimizer(model, config)
        for step, scale in enumerate([1.0, 1.0, 1.0, 100.0]):
            before = model.word_embeddings.weight.detach().clone()
            model.word_embeddings.weight.grad = torch.full((4, 4), scale)
            update(optimizer, 0.01, step, config)
            after = model.word_embeddings.weight.detach()
            moved[stable, step] = float((before - after).mean())
    assert moved[True, 2] == moved[False, 2]
    assert moved[True, 3] == pytest.approx(moved[False, 3] / 2, rel=0.02), "g^2 / v is about 4"
