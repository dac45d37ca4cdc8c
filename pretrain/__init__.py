"""Token shards to RoBERTa by masked language modelling."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from pretrain.config import PretrainConfig
    from pretrain.sharding import ShardConfig, shard_corpus
    from pretrain.train import pretrain

__all__ = ["PretrainConfig", "ShardConfig", "pretrain", "shard_corpus"]

__getattr__ = export(
    {
        "PretrainConfig": "pretrain.config",
        "ShardConfig": "pretrain.sharding",
        "shard_corpus": "pretrain.sharding",
        "pretrain": "pretrain.train",
    },
)
