"""Errors for people: what, why, what to do next, and the details folded away."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Any

from podpac_lambda_widgets.errors import CancelledError, PermissionsMissingError, PodpacLambdaError
from podpac_lambda_widgets.secret import Secret

#: How many missing permissions a card names; the details have all.
_NAMED = 3


class UnexpectedError(PodpacLambdaError):
    """Something failed in a way nobody thought of; ``details`` is the traceback, without values of variables."""

    def __init__(self, what: str, *, why: str, details: str) -> None:
        super().__init__(what, why=why, next_step="Try again; if it stays, report it with the details.")
        self.details = details


def explain(error: BaseException, doing: str, hide: Iterable[Secret] = ()) -> PodpacLambdaError:
    """Any error as one of ours, with every secret of ``hide`` taken out of its text.

    Parameters
    ----------
    error : BaseException
        What was raised.
    doing : str
        What was being done: "Build archives".
    hide : iterable of Secret
        What may not be seen.
    """
    hide = [secret for secret in hide if secret]
    if isinstance(error, PodpacLambdaError):
        for name in ("what", "resource", "why", "next_step"):
            setattr(error, name, _without(str(getattr(error, name)), hide))
        error.args = (error.what,)
        return error
    why = _without(f"{type(error).__name__}: {error}".rstrip(": "), hide)
    details = _without("".join(traceback.format_exception(error)), hide)
    return UnexpectedError(f"{doing} stopped unexpectedly", why=why, details=details)


def _without(text: str, hide: Iterable[Secret]) -> str:
    for secret in hide:
        text = text.replace(secret.reveal(), "********")
    return text


def error_card(error: PodpacLambdaError) -> dict[str, Any]:
    """The error as the front end draws it. Plain text throughout; the front end never reads it as HTML."""
    details = [getattr(error, "details", "")]
    why = error.why
    if isinstance(error, PermissionsMissingError):
        why = _some(each.partition(" ")[0] for each in error.missing)
        details += error.missing
    done, left = getattr(error, "done", ()), getattr(error, "left", ())
    if done or left:
        details += [f"Done: {', '.join(done) or 'nothing'}", f"Not begun: {', '.join(left) or 'nothing'}"]
    if taken_back := getattr(error, "taken_back", ()):
        details.append(f"Taken back: {', '.join(taken_back)}")
    details += [f"{name}: {value}" for name, value in _references(error)]
    return {
        "tone": "info" if isinstance(error, CancelledError) else "error",
        "what": error.what,
        "why": why,
        "next_step": error.next_step,
        "details": "\n".join(text for text in details if text),
    }


def policy_to_ask_for(policy: str) -> dict[str, Any]:
    """What a card says where something is not permitted, and a policy is known that would permit it."""
    return {
        "next_step": "Send the policy below to an administrator of the account, and try again once you have it.",
        "copy": {"summary": "Policy for an administrator", "text": policy},
    }


def _some(names: Iterable[str]) -> str:
    names = list(dict.fromkeys(names))
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def is_caused_by(error: BaseException | None, kind: type[PodpacLambdaError]) -> bool:
    """Whether the error, or what it was raised from, is of that kind."""
    return error is not None and (isinstance(error, kind) or is_caused_by(error.__cause__, kind))


def _references(error: PodpacLambdaError) -> list[tuple[str, str]]:
    pairs = {
        "Kind": type(error).__name__,
        "Concerns": error.resource,
        "Permission": str(getattr(error, "action", "")),
        "AWS code": error.code,
        "AWS request": error.request_id,
    }
    return [(name, value) for name, value in pairs.items() if value]
