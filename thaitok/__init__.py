"""Thai tokenizers: text rules, training, conversion, publishing, and the `thaitok` command."""

from typing import TYPE_CHECKING

from thaitok.errors import UserError
from thaitok.exports import export

if TYPE_CHECKING:
    from thaitok.alignment import encode_words
    from thaitok.bulk import encode_texts
    from thaitok.convert import ConvertConfig, convert_tokenizer
    from thaitok.extend import ExtendConfig, extend_tokenizer, plan_extension
    from thaitok.publish import PublishConfig, publish_folder
    from thaitok.rules import SPACE_TOKEN, clean_text, normalize
    from thaitok.tokenizer import BulkEncoder, load_tokenizer
    from thaitok.trainer import TokenizerConfig, train_tokenizer

__all__ = [
    "SPACE_TOKEN",
    "BulkEncoder",
    "ConvertConfig",
    "ExtendConfig",
    "PublishConfig",
    "TokenizerConfig",
    "UserError",
    "clean_text",
    "convert_tokenizer",
    "encode_texts",
    "encode_words",
    "extend_tokenizer",
    "load_tokenizer",
    "normalize",
    "plan_extension",
    "publish_folder",
    "train_tokenizer",
]

__getattr__ = export(
    {
        "SPACE_TOKEN": "thaitok.rules",
        "clean_text": "thaitok.rules",
        "normalize": "thaitok.rules",
        "BulkEncoder": "thaitok.tokenizer",
        "encode_texts": "thaitok.bulk",
        "encode_words": "thaitok.alignment",
        "load_tokenizer": "thaitok.tokenizer",
        "ConvertConfig": "thaitok.convert",
        "convert_tokenizer": "thaitok.convert",
        "ExtendConfig": "thaitok.extend",
        "extend_tokenizer": "thaitok.extend",
        "plan_extension": "thaitok.extend",
        "PublishConfig": "thaitok.publish",
        "publish_folder": "thaitok.publish",
        "TokenizerConfig": "thaitok.trainer",
        "train_tokenizer": "thaitok.trainer",
    },
)
