"""A package's public names, imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def export(homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's `__getattr__` (PEP 562) for names and the modules that define them.

    So `import pretrain` costs nothing, and torch is loaded when `pretrain.pretrain` is asked for.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"no public name {name!r}; there are {', '.join(homes)}")
        return getattr(import_module(homes[name]), name)

    return find
