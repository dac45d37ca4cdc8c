from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from pretrain.config import PretrainConfig
from pretrain.data.batch import split_documents
from pretrain.data.shards import open_shards

ConfigOf = Callable[..., PretrainConfig]


def test_micro_batches_are_slices_of_the_same_rows(config_of: ConfigOf, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    batches, _, _ = split_documents(config, open_shards(config.shards))
    whole = batches.rows(8, 4)
    halves = [batches.rows(8, 2), batches.rows(10, 2)]
    for name in ("input_ids", "position_ids", "documents"):
        assert torch.equal(torch.cat([getattr(one, name) for one in halves]), getattr(whole, name))
    assert torch.equal(torch.cat([one.labels for one in halves]), whole.labels)
    assert sum(one.tokens for one in halves) == whole.tokens


def test_a_row_is_documents_with_their_own_positions(config_of: ConfigOf, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    shards = open_shards(config.shards)
    batches, _, _ = split_documents(config, shards)
    batch = batches.rows(0, 6)
    original = batch.input_ids.clone()
    original.view(-1)[batch.places] = batch.labels
    for ids, positions, documents in zip(
        original, batch.position_ids, batch.documents, strict=True
    ):
        assert set(documents.tolist()) - {0} == set(range(1, int(documents.max()) + 1))
        for number in range(1, int(documents.max()) + 1):
            inside = documents == number
            assert positions[inside].tolist() == list(range(2, 2 + int(inside.sum())))
            assert (ids[inside][0], ids[inside][-1]) == (0, 2)
        assert (ids[documents == 0] == 1).all()
    assert not set(batch.labels.tolist()) & {0, 1, 2}


def test_held_out_documents_are_not_trained_on(config_of: ConfigOf, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    shards = open_shards(config.shards)
    train, held_out, _ = split_documents(config, shards)
    one, two = set(train.plan.spans.document), set(held_out.plan.spans.document)
    assert not one & two
    assert one | two == set(range(len(shards)))
    assert len(two) == round(0.1 * len(shards))


def test_masks_change_when_a_document_comes_round_again(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(tmp_path, eval_share=0.4)
    batches, _, _ = split_documents(config, open_shards(config.shards))
    rows = batches.plan.epoch_rows(0)
    first, again = batches.rows(0, rows), batches.rows(rows, batches.plan.epoch_rows(1))
    assert not torch.equal(first.labels, again.labels)
