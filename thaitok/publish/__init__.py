"""Publishing on the Hugging Face Hub: checks, a plan, one commit, and a look at what came of it."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.publish.config import PublishConfig
    from thaitok.publish.plan import Plan, plan_publish
    from thaitok.publish.run import Published, prepare, publish_folder

__all__ = ["Plan", "PublishConfig", "Published", "plan_publish", "prepare", "publish_folder"]

__getattr__ = export(
    {
        "Plan": "thaitok.publish.plan",
        "PublishConfig": "thaitok.publish.config",
        "Published": "thaitok.publish.run",
        "plan_publish": "thaitok.publish.plan",
        "prepare": "thaitok.publish.run",
        "publish_folder": "thaitok.publish.run",
    },
)
