"""Converting: old tokenizers and checkpoints to folders that today's transformers loads."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.convert.convert import ConvertConfig, convert_tokenizer

__all__ = ["ConvertConfig", "convert_tokenizer"]

__getattr__ = export(
    {
        "ConvertConfig": "thaitok.convert.convert",
        "convert_tokenizer": "thaitok.convert.convert",
    },
)
