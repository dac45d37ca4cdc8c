"""The one exception that means: the user can mend this."""

from __future__ import annotations

import errno
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


def explain_os_error(error: OSError) -> UserError | None:
    """Turn a full disk or a forbidden path into a `UserError`; None when it is neither."""
    where = error.filename if isinstance(error.filename, str | Path) else None
    if error.errno in FULL_DISK:
        return UserError(
            "no space left to write",
            where=where,
            do="free some space and run the same command again: it goes on where it stopped",
        )
    if isinstance(error, PermissionError):
        return UserError("no permission", where=where, do="choose a path you may read and write")
    return None
