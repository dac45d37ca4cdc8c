"""Training tokenizers: counting, seeds, EM over words and phrases, and SentencePiece."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.trainer.config import TokenizerConfig
    from thaitok.trainer.train import train_tokenizer

__all__ = ["TokenizerConfig", "train_tokenizer"]

# Not at once: the processes that count need none of what trains.
__getattr__ = export(
    {
        "TokenizerConfig": "thaitok.trainer.config",
        "train_tokenizer": "thaitok.trainer.train",
    },
)
