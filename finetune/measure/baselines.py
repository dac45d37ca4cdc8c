"""Baselines: what a model must beat to be worth its cost."""

from __future__ import annotations

from collections.abc import Mapping

from finetune.data.tasks import Kind
from finetune.measure.crf import crf_clusters, crf_layers, crf_words
from finetune.measure.linear import tfidf_svm, tfidf_svm_sets
from finetune.measure.naive import (
    Fit,
    Predict,
    frequent_labels,
    majority,
    most_frequent_tag,
    newmm_words,
)
from finetune.measure.overlap import dictionary, word_overlap

__all__ = ["BASELINES", "Fit", "Predict"]

BASELINES: Mapping[Kind, Mapping[str, Fit]] = {
    "sequence": {"majority": majority, "tfidf_svm": tfidf_svm},
    "multilabel": {"frequent_labels": frequent_labels, "tfidf_svm": tfidf_svm_sets},
    "ner": {"most_frequent_tag": most_frequent_tag, "crf": crf_words},
    "pos": {"most_frequent_tag": most_frequent_tag, "crf": crf_words},
    "words": {"newmm": newmm_words, "crf": crf_clusters},
    "nested": {"dictionary": dictionary, "crf": crf_layers},
    "qa": {"word_overlap": word_overlap},
}
"""The baselines of each kind of task: the naive one first."""
