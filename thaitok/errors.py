"""The one exception that means: the user can mend this."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path


class UserError(Exception):
    """A fault in what the user gave: one line that says what, where, and what to do.

    The command prints it as it is and exits with 2; any other exception is a bug and keeps
    its traceback.
    """

    def __init__(self, what: str, *, where: str | Path | None = None, do: str = "") -> None:
        place = f"{where}: " if where is not None else ""
        remedy = f"; {do}" if do else ""
        super().__init__(" ".join(f"{place}{what}{remedy}".split()))


FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system answers when it can store no more."""

WRONG_PATH = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ELOOP,
    }
)
"""What the system answers to a path that cannot be read or written as it was given."""

RUST_ERROR = re.compile(r"\(os error ([0-9]+)\)")
"""How safetensors and tokenizers, which raise errors of their own, tell the system's answer."""


def explain_system_error(error: Exception) -> UserError | None:
    """Turn a full disk or an impossible path into a `UserError`; None when it is neither."""
    number = error.errno if isinstance(error, OSError) else None
    where = getattr(error, "filename", None)
    if not isinstance(error, OSError) and (found := RUST_ERROR.search(str(error))):
        number = int(found[1])
    if number in FULL_DISK:
        return UserError(
            "no space left to write",
            where=where,
            do="free some space and run the same command again",
        )
    if number in WRONG_PATH:
        said = os.strerror(number).lower()
        return UserError(said, where=where, do="choose a path you may read and write")
    return None
