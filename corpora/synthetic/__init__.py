"""The demo's and the tests' own Thai text: a raw corpus with known dirt, and three tasks."""

from corpora.synthetic.folder import Planted, SyntheticConfig, write_synthetic

__all__ = ["Planted", "SyntheticConfig", "write_synthetic"]
