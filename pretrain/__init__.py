"""A corpus to token shards, and token shards to an encoder by masked language modelling."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from pretrain.config import PretrainConfig
    from pretrain.data.sharding import ShardConfig, shard_corpus
    from pretrain.export import export_checkpoint
    from pretrain.measure.estimate import plan_run
    from pretrain.measure.tables import plan_tables
    from pretrain.training.run import pretrain

__all__ = [
    "PretrainConfig",
    "ShardConfig",
    "export_checkpoint",
    "plan_run",
    "plan_tables",
    "pretrain",
    "shard_corpus",
]

__getattr__ = export(
    {
        "PretrainConfig": "pretrain.config",
        "ShardConfig": "pretrain.data.sharding",
        "shard_corpus": "pretrain.data.sharding",
        "export_checkpoint": "pretrain.export",
        "plan_run": "pretrain.measure.estimate",
        "plan_tables": "pretrain.measure.tables",
        "pretrain": "pretrain.training.run",
    },
)
