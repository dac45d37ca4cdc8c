"""What a shards folder holds: documents, tokens, their lengths, and how well they pack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrain.data.plan import packing_efficiency
from pretrain.data.shards import open_shards

PERCENTILES = (5, 25, 50, 75, 95)
SEQUENCE_LENGTHS = (128, 416, 512)
ROWS = 32
"""Rows of a micro-batch, as in the presets."""
STREAM_TOKENS = 65_536
"""Tokens of a micro-batch that is a stream."""
LONG = 414
"""Tokens of a document that fill the default sequence of 416, with `<s>` and `</s>`."""
SAMPLE = 100_000
"""Documents, evenly spread, on which packing is measured: seconds for a corpus of any size."""
READ = 1 << 24
"""Values of a mapped file that are counted at once."""


@dataclass(frozen=True, slots=True)
class ShardStats:
    """Figures of a shards folder."""

    documents: int
    tokens: int
    bytes_per_token: float
    """On disk: ids, word starts and offsets."""
    mean_length: float
    """Tokens of a document."""
    length_percentiles: dict[str, int]
    """Of the lengths of documents, p5 to p95."""
    share_over_414: float
    """Share of documents too long for one default sequence."""
    unknown_share: float
    """Share of tokens that are `<unk>`."""
    tokens_per_word: float
    """A space is a word."""
    packing: dict[str, dict[str, float]]
    """By sequence length: the share of places that hold tokens, in rows and as a stream."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON has them."""
        return asdict(self)

    def rows(self) -> list[tuple[str, object]]:
        """Return the figures as rows of a table: what, and how much."""
        figures: dict[str, Any] = asdict(self)
        packing = figures.pop("packing")
        lengths = figures.pop("length_percentiles")
        found = [(name.replace("_", " "), value) for name, value in figures.items()]
        found += [(f"length {name}", value) for name, value in lengths.items()]
        found += [
            (f"packed to {length}, {layout}", f"{share:.2%}")
            for length, shares in packing.items()
            for layout, share in shares.items()
        ]
        return found


def shard_stats(folder: Path) -> ShardStats:
    """Measure a finished shards folder; raises `UserError` when it is not one."""
    shards = open_shards(folder)
    lengths = shards.lengths
    tokens = int(lengths.sum())
    unknown = shards.special.unk
    unknowns = sum(int(np.count_nonzero(some == unknown)) for some in _chunks(shards.tokens))
    words = sum(int(np.unpackbits(some).sum(dtype=np.int64)) for some in _chunks(shards.words))
    files = shards.manifest.files
    size = sum(one.bytes for one in files if one.name.startswith(("tokens-", "docs-", "words-")))
    cuts = np.percentile(lengths, PERCENTILES, method="inverted_cdf").tolist()
    return ShardStats(
        documents=len(lengths),
        tokens=tokens,
        bytes_per_token=round(size / tokens, 4),
        mean_length=round(tokens / len(lengths), 2),
        length_percentiles={f"p{p}": int(cut) for p, cut in zip(PERCENTILES, cuts, strict=True)},
        share_over_414=round(float((lengths > LONG).mean()), 6),
        unknown_share=round(unknowns / tokens, 8),
        tokens_per_word=round(tokens / max(1, words), 4),
        packing=_packing(lengths[:: -(-len(lengths) // SAMPLE)]),
    )


def _chunks(columns: Sequence[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    for column in columns:
        for at in range(0, len(column), READ):
            yield column[at : at + READ]


def _packing(lengths: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    return {
        str(length): {
            "rows": round(packing_efficiency(lengths, length, ROWS * length, "rows"), 5),
            "stream": round(packing_efficiency(lengths, length, STREAM_TOKENS, "stream"), 5),
        }
        for length in SEQUENCE_LENGTHS
    }
