"""Evaluation on held-out documents under masks that stay the same, whatever the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from pretrain.data.batch import Batch, Batches
from pretrain.data.shards import piece_lengths
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.rtd import ReplacedTokenDetection


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The micro-batches that a run is evaluated on."""

    batches: Batches
    count: int
    """Micro-batches evaluated."""

    @torch.no_grad()
    def evaluate(self, model: MaskedLanguageModel, accelerator: Accelerator) -> dict[str, float]:
        """Return loss in nats and accuracy at the masked places, and bits a character.

        Bits a character are the loss times tokens a character, as if every token were guessed as
        the masked ones are: tokenizers that cut text differently can be compared by it. Where
        replaced tokens are detected, loss and accuracy are those of the verdicts on all tokens,
        and there are no bits.
        """
        model.eval()
        lengths = piece_lengths(self.batches.shards)
        sums = torch.zeros(5, dtype=torch.float64)  # which Apple's GPUs have not
        for first in range(0, self.count, accelerator.num_processes):
            # Every process has one, as parts of a model on several devices must: what is one too
            # many counts nothing.
            number = first + accelerator.process_index
            batch = self.batches.micro(min(number, self.count - 1), 0)
            with accelerator.autocast():
                loss, right = model(batch.to(accelerator.device))
            assert right is not None
            counts = torch.tensor([len(batch.labels), *self._content(batch, lengths)])
            found = torch.cat([torch.stack([loss, right]).cpu().double(), counts])
            sums += found * (number < self.count)
        if accelerator.num_processes > 1:
            sums = accelerator.reduce(sums.to(accelerator.device), "sum")
        loss, right, places, tokens, characters = sums.tolist()
        model.train()
        if isinstance(model, ReplacedTokenDetection):
            return {
                "eval_loss": round(loss / tokens, 6),
                "eval_accuracy": round(right / tokens, 6),
            }
        return {
            "eval_loss": round(loss / places, 6),
            "eval_accuracy": round(right / places, 6),
            "eval_bits": round(loss / places * tokens / max(1, characters) / math.log(2), 6),
        }

    def _content(self, batch: Batch, lengths: NDArray[np.int64]) -> tuple[int, int]:
        """Return the tokens of the text itself, and the characters they stand for."""
        special = self.batches.special
        ids = batch.input_ids.flatten().clone()
        ids[batch.places] = batch.labels
        text = ids[batch.documents.flatten() > 0].numpy()
        text = text[(text != special.bos) & (text != special.eos)]
        return len(text), int(lengths[text].sum())
