"""TaskData tasks to heads, scores and predictions."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from finetune.config import FinetuneConfig
    from finetune.data.tasks import TASKS
    from finetune.measure.scores import Scores
    from finetune.predictor import predict
    from finetune.training.run import finetune

__all__ = ["TASKS", "FinetuneConfig", "Scores", "finetune", "predict"]

__getattr__ = export(
    {
        "FinetuneConfig": "finetune.config",
        "Scores": "finetune.measure.scores",
        "TASKS": "finetune.data.tasks",
        "finetune": "finetune.training.run",
        "predict": "finetune.predictor",
    },
)
