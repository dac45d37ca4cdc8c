"""Benchmark tasks to heads, scores and predictions."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from finetune.config import FinetuneConfig
    from finetune.predictions import predict
    from finetune.scores import Scores
    from finetune.tasks import TASKS
    from finetune.train import finetune

__all__ = ["TASKS", "FinetuneConfig", "Scores", "finetune", "predict"]

__getattr__ = export(
    {
        "FinetuneConfig": "finetune.config",
        "Scores": "finetune.scores",
        "TASKS": "finetune.tasks",
        "finetune": "finetune.train",
        "predict": "finetune.predictions",
    },
)
