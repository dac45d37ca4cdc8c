"""What the Hub client raises, told in one line: what, where, and what to do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from thaitok.errors import UserError

log = logging.getLogger("thaitok")
Result = TypeVar("Result")

GO_ON = "look at the network, then run the same command again: finished work is kept"
LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


def patiently(question: Callable[[], Result], where: object, waits: Iterable[float]) -> Result:
    """Put a question to the Hub, again after each wait while it cannot be reached.

    Raises `UserError` for what the Hub client raised in the end.
    """
    for wait in (*waits, None):
        try:
            return question()
        except Exception as err:
            if wait is None or not lost(err):
                problem = explained(err, where)
                if problem is None or problem is err:
                    raise
                raise problem from err
            log.warning("%s: the Hub cannot be reached; trying again in %d s", where, wait)
            time.sleep(wait)
    raise AssertionError("the last round returns or raises")


def lost(err: BaseException) -> bool:
    """Whether the Hub could not be reached or could not answer, so that waiting may help."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    if isinstance(err, LocalEntryNotFoundError):  # a download failed, and no copy was there
        return err.__cause__ is not None and lost(err.__cause__)
    if isinstance(err, HfHubHTTPError):
        return err.response.status_code == 429 or err.response.status_code >= 500
    if isinstance(err, OfflineModeIsEnabled):
        return False
    # Version 1 of the Hub client speaks through httpx, version 2 through httpx2.
    transport = type(err).__module__.split(".")[0] in ("httpx", "httpx2")
    return transport or isinstance(err, ConnectionError | TimeoutError)


def explained(err: BaseException, where: object) -> UserError | None:
    """Turn what the Hub client raised into a `UserError`; None when it is no matter of the Hub.

    The client's own words are left out: they hold addresses, and those of stored files are
    signed.
    """
    chain = [err]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    return next((problem for one in chain if (problem := _told(one, where))), None)


def _told(err: BaseException, where: object) -> UserError | None:
    from huggingface_hub import errors

    if isinstance(err, UserError):
        return err
    for kind, tell in (
        (errors.OfflineModeIsEnabled, _offline),
        (errors.GatedRepoError, _gated),
        (errors.RepositoryNotFoundError, _not_found),
        (errors.RevisionNotFoundError, _no_revision),
        (errors.RemoteEntryNotFoundError, _gone),
    ):
        if isinstance(err, kind):
            return tell(err, where)
    if lost(err) and not isinstance(err, errors.LocalEntryNotFoundError):  # its cause tells more
        return _error(f"the Hub cannot be reached ({_kind(err)})", where, GO_ON)
    return _refused(err, where) if isinstance(err, errors.HfHubHTTPError) else None


def _offline(_: Any, where: object) -> UserError:
    return _error("the Hub is switched off by HF_HUB_OFFLINE", where, "unset it")


def _no_revision(_: Any, where: object) -> UserError:
    do = "give a branch, a tag, a commit of 40 digits or refs/convert/parquet"
    return _error("the repo has no such revision", where, do)


def _gone(_: Any, where: object) -> UserError:
    return _error("the file is no longer there", where, "start anew with another revision")


def _error(what: str, where: object, do: str) -> UserError:
    return UserError(what, where=str(where), do=do)


def _kind(err: BaseException) -> str:
    answer = getattr(err, "response", None)
    return type(err).__name__ if answer is None else f"it answered {answer.status_code}"


def _logged_in() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _not_found(_: Any, where: object) -> UserError:
    what = "no such repo on the Hub, or it is private"
    if _logged_in():
        return _error(what, where, "look at its name, and that your token may read it")
    return _error(what, where, f"look at its name; if it is private, {LOG_IN}")


def _gated(err: Any, where: object) -> UserError:
    from huggingface_hub import constants

    kind = "datasets/" if "/datasets/" in str(err.response.url) else ""
    page = f"{constants.ENDPOINT}/{kind}{getattr(err, 'repo_id', None) or _repo_of(where)}"
    terms = f"accept its terms at {page}"
    do = terms if _logged_in() else f"{terms}, then {LOG_IN}"
    return _error("the repo is gated: its owner asks to be asked", where, do)


def _repo_of(where: object) -> str:
    return str(where).removeprefix("hub:").split("@")[0].split(":")[0].split("#")[0]


def _refused(err: Any, where: object) -> UserError:
    if err.response.status_code in (401, 403):
        return _error("the Hub does not accept the token", where, LOG_IN)
    return _error(f"the Hub answered {err.response.status_code}", where, "look at the name")
