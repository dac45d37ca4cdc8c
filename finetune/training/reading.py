"""What a card says of a model's outputs: what plain reading does not do that was scored."""

from __future__ import annotations

from finetune.config import FinetuneConfig
from finetune.measure.scores import Scores
from thaitok.card import Use, table

PREDICT = "`thaitok predict` (package `thaitok`) reads texts of any length as they were scored."


def reading_note(use: Use, scores: Scores, config: FinetuneConfig) -> str:
    """Say how the outputs are to be read, and where the figures below were read otherwise."""
    length = scores.settings["max_length"]
    notes = {
        "sequence": _texts,
        "multilabel": _labels,
        "pair": _pairs,
        "ner": _entities,
        "layers": _layers,
        "pos": _tags,
        "words": _words,
        "qa": _answers,
    }
    note: str = notes[use](scores, config)
    return f"{note} {PREDICT} The model reads {length} tokens at once."


def _texts(scores: Scores, config: FinetuneConfig) -> str:
    return (
        "`truncation=True` cuts a longer text. The figures below are of up to "
        f"{config.windows} stretches of a long text, whose log-probabilities are averaged."
    )


def _labels(scores: Scores, config: FinetuneConfig) -> str:
    rows = [(name, f"{value:.3f}") for name, value in scores.thresholds.items()]
    shown = table(rows, ("Label", "Threshold"), (1,))
    return (
        "Each label has a probability of its own (sigmoid), which `pipeline` gives, and holds "
        "where it is above its threshold, chosen on validation; they stand in `config.json`. "
        f"None may hold.\n\n{shown}\n\n{_texts(scores, config)}"
    )


def _pairs(scores: Scores, config: FinetuneConfig) -> str:
    return "The two texts go in together, in this order; of a pair too long the second is cut."


def _entities(scores: Scores, config: FinetuneConfig) -> str:
    learnt = ", weighed by how likely one tag follows another (a CRF)" if config.crf else ""
    return (
        "`pipeline` takes each token's best tag. The figures below are of the best valid sequence "
        f"of tags over the words{learnt}: where single tags contradict each other, `pipeline` "
        "may break an entity in two or begin it too late."
    )


def _layers(scores: Scores, config: FinetuneConfig) -> str:
    names = (
        "An output is named `LAYER|TAG`: layer 0 holds the outermost entities, the next one those "
        "inside them"
        if scores.kind == "nested"
        else "Tags are BIOES (S a single token, E the last), which `pipeline` does not join"
    )
    return (
        f"{names}. The snippet takes each token's best tag; the figures below are of the best "
        "valid sequence of tags over the words, which finds entities whole that the snippet breaks."
    )


def _tags(scores: Scores, config: FinetuneConfig) -> str:
    return (
        "A tag is a token's, and a token may hold a part of a word, or more than one. For tags of "
        "words, cut the text by a segmenter and give each word the tag of the first token that "
        "touches it and speaks for no word before. A word without such a token "
        f"({scores.swallowed['test']:,} of the test split) takes the tag it most often had in "
        "training (`swallowed` in `config.json`), and so it was scored."
    )


def _words(scores: Scores, config: FinetuneConfig) -> str:
    return (
        "A word begins at each token whose tag is B, and nowhere inside a token: a token that "
        "holds two words is a ceiling to the score."
    )


def _answers(scores: Scores, config: FinetuneConfig) -> str:
    return (
        "The snippet reads the beginning of a long context. The figures below are of the best "
        "answer over stretches of the whole context."
    )
