"""Token shards to RoBERTa by masked language modelling."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from pretrain.config import PretrainConfig
    from pretrain.data.sharding import ShardConfig, shard_corpus
    from pretrain.training.run import pretrain

__all__ = ["PretrainConfig", "ShardConfig", "pretrain", "shard_corpus"]

__getattr__ = export(
    {
        "PretrainConfig": "pretrain.config",
        "ShardConfig": "pretrain.data.sharding",
        "shard_corpus": "pretrain.data.sharding",
        "pretrain": "pretrain.training.run",
    },
)
