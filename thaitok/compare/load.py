"""Loading whatever is a tokenizer: a folder, a Hub name, a bare file of one of three kinds."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from thaitok.compare.kinds import (
    AnyTokenizer,
    HuggingFaceTokenizer,
    SentencePieceTokenizer,
    TiktokenTokenizer,
)
from thaitok.compare.patterns import pattern_of
from thaitok.errors import UserError

GIVE = "give a tokenizer folder, a Hub name, or a .json, .model or .tiktoken file"


def load_tokenizer_any(source: str | Path, name: str = "") -> AnyTokenizer:
    """Load a tokenizer of any kind, under the last part of its path or a `name`.

    A folder of Hugging Face files and a name of the Hub go through `AutoTokenizer`, without
    remote code; a folder that holds one `.model` or `.tiktoken` and no other tokenizer is that
    file. Raises `UserError` for what is none of these, is broken, or has no fast tokenizer.
    """
    path = Path(source)
    name = name or path.name
    if path.is_dir():
        return _load_folder(path, name)
    if path.is_file():
        return _load_file(path, name)
    if str(source).startswith(("/", ".", "~")) or path.suffix in READERS or len(path.parts) > 2:
        raise UserError("no such file or folder", where=path, do=GIVE)
    return _load_auto(str(source), name)


def distinct_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return for each source as much of the end of its path as tells it from the others.

    Raises `UserError` for a source given twice, also in two spellings.
    """
    same = [os.path.realpath(source) for source in sources]
    if again := [one for one, path in zip(sources, same, strict=True) if same.count(path) > 1]:
        raise UserError("is given twice", where=again[-1], do="give each tokenizer once")
    parts = [Path(_spelled(source)).parts for source in sources]
    longest = max(map(len, parts), default=0)
    names = [_tail(one, 1) for one in parts]
    for length in range(2, longest + 1):
        names = [
            _tail(one, length) if names.count(name) > 1 else name
            for one, name in zip(parts, names, strict=True)
        ]
    return tuple(names)


def _spelled(source: str) -> str:
    """Return the whole path of what is here, so that `.` has a name; a Hub name as it is."""
    return str(Path(source).absolute()) if Path(source).exists() else source


def _tail(parts: Sequence[str], length: int) -> str:
    return "/".join(parts[-length:])


def _load_folder(folder: Path, name: str) -> AnyTokenizer:
    if any((folder / file).exists() for file in HUGGING_FACE):
        return _load_auto(str(folder), name)
    files = sorted(one for one in folder.iterdir() if one.suffix in (".model", ".tiktoken"))
    if len(files) == 1:
        return _load_file(files[0], name)
    if files:
        few = ", ".join(one.name for one in files)
        raise UserError(
            f"holds several tokenizers: {few}", where=folder, do="give one of the files"
        )
    raise UserError("holds no tokenizer", where=folder, do=GIVE)


HUGGING_FACE = ("tokenizer.json", "tokenizer_config.json", "config.json")
"""Any of these makes a folder one for `AutoTokenizer`."""


def _load_file(path: Path, name: str) -> AnyTokenizer:
    reader = READERS.get(path.suffix)
    if reader is None:
        raise UserError(f"{path.suffix or 'no suffix'} is no tokenizer's", where=path, do=GIVE)
    try:
        return reader(path, name)
    except (UserError, OSError):
        raise
    except Exception as err:  # each library has its own, and `tokenizers` raises Exception itself
        raise UserError(f"is no tokenizer: {_brief(err)}", where=path) from None


def _load_auto(source: str, name: str) -> AnyTokenizer:
    from transformers import AutoTokenizer  # two seconds

    from thaitok.quiet import quiet

    here = Path(source).is_dir()
    # Without the Hub the cache alone is asked: the library would try again for 50 seconds.
    local = here or not _hub_answers()
    try:
        with quiet():
            found = AutoTokenizer.from_pretrained(
                source, trust_remote_code=False, local_files_only=local
            )
    except Exception as err:  # whatever the files make a library say
        said = f"AutoTokenizer does not load it: {_brief(err)}"
        if local and not here and isinstance(err, OSError):
            said = "no such folder, and the Hub cannot be reached"
        raise UserError(said, where=source, do=GIVE) from None
    if not found.is_fast:
        said = f"is a {type(found).__name__} without a tokenizer.json: it gives no offsets"
        raise UserError(said, where=source, do="convert it with `thaitok convert`")
    return HuggingFaceTokenizer(name, found.backend_tokenizer)


def _hub_answers() -> bool:
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except Exception:  # of requests or httpx, by the library's version; or it is set offline
        return False
    return True


def _load_json(path: Path, name: str) -> AnyTokenizer:
    from tokenizers import Tokenizer

    return HuggingFaceTokenizer(name, Tokenizer.from_file(str(path)))


def _load_sentencepiece(path: Path, name: str) -> AnyTokenizer:
    return SentencePieceTokenizer(name, path.read_bytes())


def _load_tiktoken(path: Path, name: str) -> AnyTokenizer:
    """Read a rank file: a token in base64 and its rank a line.

    Not by `tiktoken.load`, which keeps a copy of every file in a cache that outlives the run.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            if line.startswith(b"= "):  # Whisper's file ends in an empty token
                continue
            raise UserError("is no token and rank", where=f"{path}:{number}") from None
    ranks.pop(b"", None)
    if missing := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        said = f"has no token for the byte 0x{missing[0]:02X}"
        raise UserError(said, where=path, do="give a whole rank file")
    pattern, note = pattern_of(path)
    tokenizer = TiktokenTokenizer(name, ranks, pattern)
    tokenizer.notes = (note,)
    return tokenizer


READERS: dict[str, Callable[[Path, str], AnyTokenizer]] = {
    ".json": _load_json,
    ".model": _load_sentencepiece,
    ".tiktoken": _load_tiktoken,
}


def _brief(error: Exception) -> str:
    """Return the first sentence of what a library says."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split(". ")[0].rstrip(".:")[:200]
