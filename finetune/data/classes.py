"""Class numbers of `datasets` to the names of their classes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Names = Mapping[str, Sequence[str]]


def class_names(metadata: bytes | None) -> Names:
    """Return the classes of each column, from what `datasets` writes into a parquet file."""
    if metadata is None:
        return {}
    return feature_names(json.loads(metadata).get("info", {}).get("features") or {})


def feature_names(features: Mapping[str, Any]) -> Names:
    """Return the classes of each column that is a class or a list of classes.

    `features` are `datasets.Features.to_dict()`: {"names": [...], "_type": "ClassLabel"}, within
    {"feature": ...} for a list, or in a list of one, as old versions wrote it.
    """
    found = {}
    for column, feature in features.items():
        inner = feature[0] if isinstance(feature, list) and feature else feature
        if isinstance(inner, Mapping) and isinstance(inner.get("feature"), Mapping):
            inner = inner["feature"]
        if isinstance(inner, Mapping) and inner.get("_type") == "ClassLabel":
            found[column] = list(inner.get("names") or ())
    return {column: names for column, names in found.items() if names}


def named_row(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return the row with its classes by name; -1, which is no class, is None."""
    return {
        column: _named(value, names[column]) if column in names else value
        for column, value in row.items()
    }


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    known = isinstance(value, int) and 0 <= value < len(names)
    return names[value] if known else None
