"""Near-duplicates: MinHash signatures of documents, and which document repeats which."""

from corpora.near.exact import jaccard
from corpora.near.minhash import SIGNATURE_BYTES, signatures
from corpora.near.search import find_near_duplicates, recall

__all__ = ["SIGNATURE_BYTES", "find_near_duplicates", "jaccard", "recall", "signatures"]
