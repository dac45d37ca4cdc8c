"""The baselines of sequences: a conditional random field over a window of words or clusters.

Lafferty et al. 2001, by CRFsuite (Okazaki 2007). On thainer it is far ahead of a small model of
minutes, as it remembers words; what stays below it must be seen to.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from finetune.data.entities import entities_of, layer_tags, write_entities
from finetune.measure.naive import Predict, Rows

Describe = Callable[[Sequence[str]], Iterable[list[str]]]
"""The features of each word of a row."""

Tagged = tuple[Sequence[str], Sequence[str]]
"""The words of a row, and their tags."""

Tag = Callable[[Sequence[str]], list[str]]

WORK = 2e8
"""Words times tags squared that one CRF may learn from: under two minutes of CPU. A longer
training split is thinned to it, evenly: thainer has 1.2e8, LST20's 2.7 million words in 21 tags
1.2e9."""

PARAMETERS = {"c1": 0.1, "c2": 0.01, "max_iterations": 60}
"""L-BFGS with both penalties; entity F1 on thainer's validation split and CPU seconds: .869 in
68; 40 iterations without features seen once .854 in 38; passive-aggressive .866 in 19, but its
shuffling hangs on what ran before in the process."""


def crf_words(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Tag words by a CRF over each word, its letters and two neighbours on either side."""
    tag = _fit([(row.words, row.gold) for row in train], word_features)
    return lambda rows: [tag(row.words) for row in rows]


def crf_clusters(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Cut words by a CRF over runs of up to three clusters, three on either side."""
    tag = _fit([(row.words, row.gold) for row in train], cluster_features)
    return lambda rows: [tag(row.words) for row in rows]


LAYERS = 3
"""Layers of nested entities that are learnt: 99 % of the entities of Thai-NNER's sample files."""


def crf_layers(train: Rows, validation: Rows, labels: Sequence[str]) -> Predict:
    """Tag nested entities by one CRF a layer: the outermost, those within them, and once more."""
    laid = [(row, layer_tags(row.gold, len(row.words), LAYERS)) for row in train]
    tags = [
        _fit([(row.words, layers[depth]) for row, layers in laid], word_features)
        for depth in range(LAYERS)
    ]

    def found(words: Sequence[str]) -> list[str]:
        return write_entities({span for tag in tags for span in entities_of(tag(words))})

    return lambda rows: [found(row.words) for row in rows]


def _fit(rows: Sequence[Tagged], describe: Describe) -> Tag:
    """Train a CRF; where there is but one tag, answer it."""
    import pycrfsuite

    tags = sorted({tag for _, gold in rows for tag in gold})
    if len(tags) < 2:
        return lambda words: tags * len(words)
    trainer = pycrfsuite.Trainer(verbose=False, params=PARAMETERS)
    for words, gold in _thinned(rows, len(tags)):
        trainer.append(list(describe(words)), gold)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crf"
        trainer.train(str(file))
        tagger = pycrfsuite.Tagger()
        tagger.open(str(file))  # reads it whole
    return lambda words: repaired(tagger.tag(list(describe(words)))) if words else []


def _thinned(rows: Sequence[Tagged], tags: int) -> Iterator[Tagged]:
    work = sum(len(words) for words, _ in rows) * tags**2
    keep = min(1.0, WORK / work)
    for at, row in enumerate(rows):
        if row[0] and int((at + 1) * keep) > int(at * keep):
            yield row


def repaired(tags: Sequence[str]) -> list[str]:
    """Let each I-X begin an entity that goes on from no other: CRFsuite knows no such rule."""
    return [
        f"B-{tag[2:]}" if tag[:2] == "I-" and before[2:] != tag[2:] else tag
        for before, tag in zip(["O", *tags], tags, strict=False)
    ]


def word_features(words: Sequence[str]) -> Iterator[list[str]]:
    """Describe each word by itself, its letters and its neighbours, two on either side."""
    shapes = [_shape(word) for word in words]
    last = len(words) - 1
    for at, word in enumerate(words):
        near = {
            step: (words[at + step], shapes[at + step]) if 0 <= at + step <= last else ("\n", "\n")
            for step in (-2, -1, 0, 1, 2)
        }
        described = ["", f"w={word}", f"s={shapes[at]}"]
        described += [f"p={word[:size]}" for size in (1, 2, 3, 4) if size <= len(word)]
        described += [f"e={word[-size:]}" for size in (1, 2, 3, 4) if size <= len(word)]
        for step in (-2, -1, 1, 2):
            described += [f"w{step}={near[step][0]}", f"s{step}={near[step][1]}"]
        for pair in ((-2, -1), (-1, 0), (0, 1), (1, 2)):
            described.append(f"{pair}={near[pair[0]][0]}\t{near[pair[1]][0]}")
        yield described


def cluster_features(clusters: Sequence[str]) -> Iterator[list[str]]:
    """Describe each cluster by the runs of one to three clusters that touch it, and by shapes."""
    edge = ["\n"] * 3
    padded = [*edge, *clusters, *edge]
    shapes = [*edge, *map(_shape, clusters), *edge]
    for at in range(3, len(clusters) + 3):
        described = [f"{step}={padded[at + step]}" for step in range(-3, 4)]
        for step in range(-2, 2):
            described.append(f"{step}+={padded[at + step]}{padded[at + step + 1]}")
        for step in range(-3, 2):
            described.append(f"{step}++={''.join(padded[at + step : at + step + 3])}")
        described += [f"s{step}={shapes[at + step]}" for step in (-1, 0, 1)]
        yield described


def _shape(word: str) -> str:
    """Name the kinds of characters in a word, a run of one kind once: `IPhone 5` → `Aa_0`."""
    kinds = "".join(map(_character_kind, word[:32]))
    return "".join(kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind)


def _character_kind(character: str) -> str:
    if "\u0e00" <= character <= "\u0e7f":
        return "d" if "\u0e50" <= character <= "\u0e59" else "ก"
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return "_" if character.isspace() else character
