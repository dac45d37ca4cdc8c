"""Promise: packed loss and gradients are those of Hugging Face's padded ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import RobertaForMaskedLM

from pretrain.config import PretrainConfig
from pretrain.data.batch import Batch, split_documents
from pretrain.data.shards import open_shards
from pretrain.model.encoder import MaskedLanguageModel, build_model

ConfigOf = Callable[..., PretrainConfig]


@pytest.fixture
def packed(config_of: ConfigOf, tmp_path: Path) -> tuple[RobertaForMaskedLM, Batch]:
    model_size = {"layers": 2, "hidden": 32, "heads": 4, "dropout": 0.0}
    config = config_of(tmp_path, sequence_length=128, model=model_size)
    shards = open_shards(config.shards)
    torch.manual_seed(0)
    model = build_model(config, shards.pieces, shards.special).double()
    return model, split_documents(config, shards)[0].rows(0, 6)


def padded(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, attention mask and labels with each document in a row of its own."""
    labels = torch.full_like(batch.input_ids, -100)
    labels.view(-1)[batch.places] = batch.labels
    parts = []
    for ids, marks, documents in zip(batch.input_ids, labels, batch.documents, strict=True):
        for number in range(1, int(documents.max()) + 1):
            parts.append((ids[documents == number], marks[documents == number]))
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([one for one, _ in parts], batch_first=True, padding_value=1)
    return ids, ids != 1, pad([one for _, one in parts], batch_first=True, padding_value=-100)


def test_promise_7_packed_loss_and_gradients_are_the_padded_ones(
    packed: tuple[RobertaForMaskedLM, Batch],
) -> None:
    model, batch = packed
    assert int(batch.documents.max()) > 1, "rows hold several documents"
    loss, _ = MaskedLanguageModel(model)(batch)
    (loss / len(batch.labels)).backward()
    ours = {name: one.grad.clone() for name, one in model.named_parameters()}
    model.zero_grad()
    ids, mask, labels = padded(batch)
    theirs = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    theirs.backward()
    # Our cross-entropy is taken in fp32 whatever the model's type.
    assert loss.item() / len(batch.labels) == pytest.approx(theirs.item(), rel=1e-6)
    for name, one in model.named_parameters():
        torch.testing.assert_close(ours[name], one.grad, rtol=1e-5, atol=1e-7)


def test_a_document_sees_nothing_of_its_neighbours(
    packed: tuple[RobertaForMaskedLM, Batch],
) -> None:
    model, batch = packed
    other = batch.input_ids.clone()
    other[batch.documents > 1] = 7

    def states(ids: Tensor) -> Tensor:
        same = batch.documents[:, None, :, None] == batch.documents[:, None, None, :]
        with torch.no_grad():
            hidden = model.eval().roberta(
                ids, attention_mask=same, position_ids=batch.position_ids
            )[0]
        return hidden[batch.documents == 1]

    assert torch.equal(states(batch.input_ids), states(other))


def test_right_guesses_are_counted(packed: tuple[RobertaForMaskedLM, Batch]) -> None:
    model, batch = packed
    with torch.no_grad():
        logits = model(input_ids=padded(batch)[0], attention_mask=padded(batch)[1]).logits
        _, right = MaskedLanguageModel(model)(batch)
    labels = padded(batch)[2]
    assert int(right) == int((logits.argmax(-1) == labels)[labels != -100].sum())
