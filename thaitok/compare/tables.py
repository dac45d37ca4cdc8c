"""The comparison as tables: sorted best first, the best value of each column marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from thaitok.compare.measures import TextMeasures
from thaitok.compare.run import Comparison, TokenizerFacts
from thaitok.config import Config
from thaitok.report import Table

BEST = "*"
PARTED = "|"
"""Between the parts of a sentence."""
UNKNOWN = "\u2047"
MARKED = f"Best first by the first figure; {BEST} marks the best of each column."


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a table: its field, its title, how it is written, which end is better."""

    field: str
    title: str
    form: str
    low_is_best: bool = True


TEXT_COLUMNS = (
    Column("tokens_per_character", "tok/char", ".4f"),
    Column("bytes_per_token", "bytes/tok", ".2f", low_is_best=False),
    Column("tokens_per_word", "tok/word", ".3f"),
    Column("tokens_per_phrase", "tok/phrase", ".2f"),
    Column("tokens_per_latin_word", "tok/Latin", ".2f"),
    Column("unknown", "unknown", ".3%"),
    Column("unknown_bytes", "hidden", ".3%"),
    Column("partial", "partial", ".2%"),
    Column("lost", "lost", ".2%"),
    Column("lost_beyond_own", "lost own", ".2%"),
    Column("bits_fit", "bits fit", ".3f"),
    Column("bits_own", "bits own", ".3f"),
    Column("renyi_efficiency", "Rényi", ".3f", low_is_best=False),
    Column("megabytes_per_second", "MB/s", ".2f", low_is_best=False),
)
TEXT_NOTE = (
    "Words are nlpo3's, phrases what white space parts. Partial: tokens that are bytes or hold a "
    "part of a character. Lost: lines that decode to another text; lost own: also "
    "after the tokenizer's own normaliser. Latin: a run of Latin letters. Hidden: text in unknown "
    "tokens. Bits are a character, fit: by token counts of the other half of "
    "the documents, own: by a unigram model's scores. MB/s: of one processor. "
)
BOUNDARY_COLUMNS = (
    Column("f1", "F1", ".3f", low_is_best=False),
    Column("crossed", "crossed", ".2%"),
    Column("precision", "precision", ".3f", low_is_best=False),
    Column("recall", "recall", ".3f", low_is_best=False),
    Column("misaligned", "misaligned", ".3%"),
    Column("tokens_per_word", "tokens/word", ".3f"),
)
BOUNDARY_NOTE = (
    "Crossed: gold boundaries, not beside a space, inside a token; who cuts everything "
    "crosses nothing, so the order is by F1. Misaligned: tokens that cross and are not "
    "made of whole words. "
)
EDGE_NOTE = (
    "Edges of entities or answers, not beside a space, inside a token: they cannot be labelled."
)

M = TypeVar("M", bound=Config)


def text_tables(comparison: Comparison) -> list[Table]:
    """Return a table a domain, and before them the means where there are several domains."""
    several = len(comparison.text) > 1
    tables = [
        _table(f"Text: {name}", comparison, found, TEXT_COLUMNS, "" if several else TEXT_NOTE)
        for name, found in comparison.text.items()
    ]
    if not several:
        return tables
    title = f"Text: mean of {len(tables)} domains"
    note = TEXT_NOTE + "Each domain weighs the same. "
    return [_table(title, comparison, mean_measures(comparison), TEXT_COLUMNS, note), *tables]


def domain_table(comparison: Comparison) -> list[Table]:
    """Return tokens a character of each tokenizer by domain, where there are several."""
    domains = list(comparison.text)
    if len(domains) < 2:
        return []
    columns = [Column(name, name, ".4f") for name in domains]
    means = mean_measures(comparison)
    order = _order(comparison, means, TEXT_COLUMNS[0])
    figures = {
        one.name: [comparison.text[name][one.name].tokens_per_character for name in domains]
        for one in order
    }
    rows = _rows(order, figures, columns)
    titles = ("tokenizer", "kind", "pieces", *domains)
    return [Table("Tokens a character by domain", titles, rows, MARKED)]


def boundary_tables(comparison: Comparison) -> list[Table]:
    """Return a table a gold file with words."""
    return [
        _table(f"Gold words: {name}", comparison, found, BOUNDARY_COLUMNS, BOUNDARY_NOTE)
        for name, found in comparison.boundaries.items()
    ]


def edge_table(comparison: Comparison) -> list[Table]:
    """Return the share of lost edges, a column a gold file."""
    files = list(comparison.edges)
    if not files:
        return []
    columns = [Column(name, f"{name} {comparison.gold[name].spans}", ".2%") for name in files]
    order = _order(comparison, comparison.edges[files[0]], Column("lost", "", ""))
    figures = {one.name: [comparison.edges[name][one.name].lost for name in files] for one in order}
    rows = _rows(order, figures, columns)
    titles = ("tokenizer", "kind", "pieces", *(column.title for column in columns))
    return [Table("Edges lost", titles, rows, f"{EDGE_NOTE} {MARKED}")]


def note_table(comparison: Comparison) -> list[Table]:
    """Return what a reader must know of single tokenizers."""
    rows = [(one.name, note) for one in comparison.tokenizers for note in one.notes]
    return [Table("Notes", ("tokenizer", "note"), rows)] if rows else []


def cut_table(comparison: Comparison) -> list[Table]:
    """Return how each tokenizer cuts each sentence."""
    rows = [
        (name, len(cut), PARTED.join(part + UNKNOWN * unknown for part, unknown in cut))
        for cuts in comparison.cuts.values()
        for name, cut in cuts.items()
    ]
    return [
        Table(
            "How they cut",
            ("tokenizer", "parts", f"sentence ({UNKNOWN} follows what is unknown)"),
            rows,
        )
    ]


def terminal_tables(comparison: Comparison) -> list[Table]:
    """Return what the command shows; `report.html` has a table a domain as well."""
    return [
        *text_tables(comparison)[:1],
        *domain_table(comparison),
        *boundary_tables(comparison),
        *edge_table(comparison),
        *note_table(comparison),
    ]


def mean_measures(comparison: Comparison) -> dict[str, TextMeasures]:
    """Return the mean over domains of every figure; one that a domain lacks is left out there."""
    return {one.name: _mean_of(comparison, one.name) for one in comparison.tokenizers}


def _mean_of(comparison: Comparison, name: str) -> TextMeasures:
    found = [measures[name] for measures in comparison.text.values()]
    values: dict[str, float | int | None] = {"tokens": sum(one.tokens for one in found)}
    for field in TextMeasures.model_fields.keys() - {"tokens"}:
        known = [value for one in found if (value := getattr(one, field)) is not None]
        values[field] = sum(known) / len(known) if known else None
    return TextMeasures.model_validate(values)


def _table(
    title: str, comparison: Comparison, found: Mapping[str, M], columns: Sequence[Column], note: str
) -> Table:
    order = _order(comparison, found, columns[0])
    figures = {
        one.name: [getattr(found[one.name], column.field) for column in columns] for one in order
    }
    titles = ("tokenizer", "kind", "pieces", *(column.title for column in columns))
    return Table(title, titles, _rows(order, figures, columns), note + MARKED)


def _order(
    comparison: Comparison, found: Mapping[str, Config], column: Column
) -> list[TokenizerFacts]:
    """Return the tokenizers best first by a column; unknown figures last."""

    def rank(one: TokenizerFacts) -> tuple[bool, float]:
        value = getattr(found[one.name], column.field)
        return value is None, (value or 0.0) * (1 if column.low_is_best else -1)

    return sorted(comparison.tokenizers, key=rank)


def _rows(
    order: Sequence[TokenizerFacts],
    figures: Mapping[str, Sequence[float | None]],
    columns: Sequence[Column],
) -> list[tuple[object, ...]]:
    cells = [
        _written([figures[one.name][place] for one in order], column)
        for place, column in enumerate(columns)
    ]
    return [
        (one.name, one.kind, f"{one.size:>9,}", *(column[row] for column in cells))
        for row, one in enumerate(order)
    ]


def _written(values: Sequence[float | None], column: Column) -> list[str]:
    """Write a column's figures in one width, the best marked unless it is all there is."""
    texts = ["–" if value is None else format(value, column.form) for value in values]
    known = [value for value in values if value is not None]
    best = (min if column.low_is_best else max)(known, default=None)
    shown = {text for text, value in zip(texts, values, strict=True) if value == best}
    several = len(set(texts)) > 1
    texts = [text + (BEST if several and text in shown else " ") for text in texts]
    return [text.rjust(max(map(len, texts))) for text in texts]
