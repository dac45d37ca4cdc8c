"""Measuring any mix of tokenizers on any text: `thaitok compare`."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.compare.bits import bits_fit, bits_own, renyi_efficiency
    from thaitok.compare.boundaries import gold_block, measure_boundaries, measure_edges
    from thaitok.compare.gold import read_gold
    from thaitok.compare.lines import lines_of
    from thaitok.compare.load import load_tokenizer_any
    from thaitok.compare.measures import encoding_speed, measure_text
    from thaitok.compare.run import CompareConfig, Comparison, compare
    from thaitok.compare.text import read_domains

__all__ = [
    "CompareConfig",
    "Comparison",
    "bits_fit",
    "bits_own",
    "compare",
    "encoding_speed",
    "gold_block",
    "lines_of",
    "load_tokenizer_any",
    "measure_boundaries",
    "measure_edges",
    "measure_text",
    "read_domains",
    "read_gold",
    "renyi_efficiency",
]

__getattr__ = export(
    {
        "CompareConfig": "thaitok.compare.run",
        "Comparison": "thaitok.compare.run",
        "bits_fit": "thaitok.compare.bits",
        "bits_own": "thaitok.compare.bits",
        "compare": "thaitok.compare.run",
        "encoding_speed": "thaitok.compare.measures",
        "gold_block": "thaitok.compare.boundaries",
        "lines_of": "thaitok.compare.lines",
        "load_tokenizer_any": "thaitok.compare.load",
        "measure_boundaries": "thaitok.compare.boundaries",
        "measure_edges": "thaitok.compare.boundaries",
        "measure_text": "thaitok.compare.measures",
        "read_domains": "thaitok.compare.text",
        "read_gold": "thaitok.compare.gold",
        "renyi_efficiency": "thaitok.compare.bits",
    }
)
