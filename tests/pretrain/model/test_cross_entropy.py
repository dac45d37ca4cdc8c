"""Promise: in chunks and with a padded vocabulary, the cross-entropy is the plain one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from pretrain.model.cross_entropy import guesses, linear_cross_entropy


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from([1, 8, 64]),
    st.integers(1, 400),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_loss_and_gradients_are_the_plain_ones(
    places: int, pieces: int, multiple: int, chunk: int, biased: bool, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)

    def leaf(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    hidden, weight = leaf(places, 6), leaf(pieces, 6)
    bias = leaf(pieces) if biased else None
    labels = torch.randint(0, pieces, (places,), generator=draw)
    leaves = [one for one in (hidden, weight, bias) if one is not None]
    ours = linear_cross_entropy(hidden, weight, bias, labels, multiple=multiple, chunk_logits=chunk)
    logits = functional.linear(hidden, weight, bias)
    plain = functional.cross_entropy(logits, labels, reduction="sum")
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=1e-12)
    for one, two in zip(
        torch.autograd.grad(ours / 3, leaves), torch.autograd.grad(plain / 3, leaves), strict=True
    ):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)
    assert guesses(hidden, weight, bias, labels) == (logits.argmax(-1) == labels).sum()


def test_no_more_logits_exist_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import pretrain.model.cross_entropy as module

    inner, sizes = module._scores, []

    def seen(logits: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(logits.numel())
        return inner(logits, *rest)

    monkeypatch.setattr(module, "_scores", seen)
    hidden, weight = torch.randn(100, 4, requires_grad=True), torch.randn(50, 4)
    linear_cross_entropy(hidden, weight, None, torch.zeros(100).long(), chunk_logits=1000)
    assert len(sizes) == 5
    assert max(sizes) == 1000


def test_without_gradients_none_are_computed() -> None:
    hidden, weight = torch.randn(9, 4), torch.randn(50, 4)
    loss = linear_cross_entropy(hidden, weight, None, torch.zeros(9).long())
    assert not loss.requires_grad
