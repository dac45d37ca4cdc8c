"""Dropping pieces that a corpus does not use: a vocabulary of many languages made small."""

from __future__ import annotations

import numpy as np

from thaitok.bulk import encode_texts
from thaitok.corpus import count_documents, read_texts
from thaitok.errors import UserError
from thaitok.extend.config import ExtendConfig
from thaitok.extend.vocabulary import Vocabulary
from thaitok.progress import progress
from thaitok.trainer.alphabet import ALWAYS
from thaitok.trainer.arrays import Longs


def choose_kept(config: ExtendConfig, old: Vocabulary) -> tuple[list[int], Longs]:
    """Return the ids that stay, in order, and how often the corpora use each old piece.

    Special and byte pieces stay, and letters and signs of Thai and ASCII, so that nothing they
    write becomes unknown; of the others the most used ones, and of those never used the most
    probable ones, up to `keep`, or without it all that are used. Raises `UserError` for a `keep`
    that is too small or is no reduction.
    """
    if config.keep is not None and config.keep >= len(old):
        raise UserError(f"--keep {config.keep}: the tokenizer has {len(old):,} pieces")
    counts = _used(config, len(old))
    stay = _needed(old)
    free = [one for one in range(len(old)) if one not in stay]
    used = [one for one in free if counts[one]]
    size = len(stay) + len(used) if config.keep is None else config.keep
    if size < len(stay):
        what = f"--keep {size}: {len(stay):,} special pieces and letters must stay"
        raise UserError(what, do=f"give --keep {len(stay)} or more")
    free.sort(key=lambda one: (-counts[one], -old.scores[one], one))
    return sorted([*stay, *free[: size - len(stay)]]), counts


def _needed(old: Vocabulary) -> set[int]:
    letters = {
        one for one in old.normal if len(old.pieces[one]) == 1 and ALWAYS.match(old.pieces[one])
    }
    lowest = min(old.normal, key=lambda one: old.scores[one])  # unknown characters hang on it
    added = {one["id"] for one in old.pipeline["added_tokens"]}
    return {*old.special, *letters, *added, lowest}


def _used(config: ExtendConfig, size: int) -> Longs:
    counts = np.zeros(size, np.int64)
    with progress("extend: counting", count_documents(config.prune), "documents") as advance:
        for ids in encode_texts(config.tokenizer, read_texts(config.prune), config.workers):
            counts += np.bincount(ids, minlength=size)
            advance()
    return counts
