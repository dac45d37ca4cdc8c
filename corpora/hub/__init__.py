"""Data sets of the Hub as inputs: found by `datasets`, read over the network, never downloaded."""

from corpora.hub.files import HubFile, HubPath
from corpora.hub.reading import hub_pieces, read_hub
from corpora.hub.resolve import HubInput, facts_of, resolve_hub
from corpora.hub.spec import HubSpec, parse_hub

__all__ = [
    "HubFile",
    "HubInput",
    "HubPath",
    "HubSpec",
    "facts_of",
    "hub_pieces",
    "parse_hub",
    "read_hub",
    "resolve_hub",
]
