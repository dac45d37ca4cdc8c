"""Other vocabularies for a tokenizer and its model: loanwords and terms added, the unused dropped.

The old pieces keep their ids and, but for those of the script that is extended, their scores.
"""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.extend.config import ExtendConfig
    from thaitok.extend.extend import extend_tokenizer
    from thaitok.extend.plan import plan_extension

__all__ = ["ExtendConfig", "extend_tokenizer", "plan_extension"]

__getattr__ = export(
    {
        "ExtendConfig": "thaitok.extend.config",
        "extend_tokenizer": "thaitok.extend.extend",
        "plan_extension": "thaitok.extend.plan",
    },
)
