"""Everything that can go wrong, as one tree.

::

    PodpacLambdaError
    ├── InvalidValueError            a value a person typed (also a ValueError; ``field`` names the trait)
    │   ├── InvalidPipelineError
    │   └── InvalidCoordinatesError
    ├── CredentialsError
    │   ├── NoCredentialsError
    │   ├── WrongCredentialsError
    │   └── ExpiredCredentialsError
    ├── EndpointUnreachableError
    ├── AwsError                     AWS answered with an error
    │   ├── AccessDeniedError        (``action`` names the missing permission)
    │   │   └── PermissionsMissingError  (``missing`` names them all, before anything was done)
    │   ├── ThrottledError
    │   ├── ResourceNotFoundError
    │   ├── ResourceExistsError
    │   └── BucketElsewhereError
    ├── ArchiveError                 an archive that Lambda could not use
    │   ├── ArchiveMissingError
    │   ├── ArchiveCorruptError
    │   ├── ArchiveUnsafeError
    │   ├── ArchiveMismatchError
    │   └── ArchiveTooLargeError
    ├── BuildError                   building an archive failed
    ├── PlanRefusedError             a plan would touch what is not ours
    │   └── PlanOutdatedError        the account is not any more as it was when the plan was made
    ├── StackBusyError               somebody else is building or deleting the same stack
    ├── ConfirmationRequiredError    something would be lost
    ├── DeployError                  applying a plan stopped (``done``, ``failed``, ``left``)
    ├── RunError
    │   ├── PipelineRejectedError    refused before podpac saw it
    │   ├── PipelineFailedError      podpac raised while evaluating
    │   ├── FunctionTimeoutError
    │   ├── FunctionOutOfMemoryError
    │   ├── FunctionCrashedError
    │   └── ResultError              the answer is not what was asked for
    │       └── ResultFormatError    the result does not fit into a format
    ├── CancelledError
    ├── DependencyMissingError       an optional package is needed (also an ImportError)
    └── LocalAwsError                the embedded AWS did not start or has stopped

This module also runs inside Lambda: standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class PodpacLambdaError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : str
        What failed, in one sentence.
    resource : str, optional
        The resource, file or field it failed on.
    why : str, optional
        The evidence: a number, a code, AWS's own words.
    next_step : str, optional
        The one thing to do next.
    code, request_id : str, optional
        AWS's error code and request id, where AWS answered.
    """

    def __init__(
        self,
        what: str,
        *,
        resource: str = "",
        why: str = "",
        next_step: str = "",
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.resource = resource
        self.why = why
        self.next_step = next_step
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        parts = [self.what if not self.resource else f"{self.what} [{self.resource}]"]
        parts += [text for text in (self.why, self.next_step) if text]
        reference = ", ".join(text for text in (self.code, self.request_id and f"request {self.request_id}") if text)
        return "\n".join(parts) + (f"\n({reference})" if reference else "")

    def to_dict(self) -> dict[str, str]:
        """The error as plain data, for a form, a log line or the wire."""
        return {
            "type": type(self).__name__,
            "what": self.what,
            "resource": self.resource,
            "why": self.why,
            "next_step": self.next_step,
            "code": self.code,
            "request_id": self.request_id,
        }


class InvalidValueError(PodpacLambdaError, ValueError):
    """A value that cannot be used; ``field`` is the trait it belongs to."""

    def __init__(self, what: str, *, field: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what, resource=field, why=why, next_step=next_step)
        self.field = field


class InvalidPipelineError(InvalidValueError):
    """Not a PODPAC pipeline definition."""


class InvalidCoordinatesError(InvalidValueError):
    """Not PODPAC coordinates, or too many of them."""


class CredentialsError(PodpacLambdaError):
    """AWS would not let us in."""


class NoCredentialsError(CredentialsError):
    """No credentials were found."""


class WrongCredentialsError(CredentialsError):
    """AWS does not know this key, or the secret does not match."""


class ExpiredCredentialsError(CredentialsError):
    """The session token has expired, or a sign-in.

    ``sign_in`` says whether signing in by a browser helps: ``connect(profile, sign_in=print)``.
    """

    sign_in = False


class EndpointUnreachableError(PodpacLambdaError):
    """AWS could not be reached."""


class AwsError(PodpacLambdaError):
    """AWS answered with an error."""


class AccessDeniedError(AwsError):
    """A permission is missing; ``action`` names it when AWS did. ``details`` as for every error."""

    def __init__(self, what: str, *, action: str = "", **details: str) -> None:
        super().__init__(what, **details)
        self.action = action


class PermissionsMissingError(AccessDeniedError):
    """Nothing was done, for these would be refused on the way; ``missing`` are IAM actions with what they are done to.

    Parameters
    ----------
    missing : sequence of str
        Such as ``"lambda:CreateFunction on arn:aws:lambda:..."``.
    """

    def __init__(self, what: str, *, missing: Sequence[str] = (), **details: str) -> None:
        super().__init__(what, **details)
        self.missing = tuple(missing)


class ThrottledError(AwsError):
    """AWS asked us to slow down, and went on asking until the deadline."""


class ResourceNotFoundError(AwsError):
    """The resource does not exist."""


class ResourceExistsError(AwsError):
    """There is a resource of that name already."""


class BucketElsewhereError(AwsError):
    """The bucket is in another region."""


class ArchiveError(PodpacLambdaError):
    """An archive that Lambda could not use."""


class ArchiveMissingError(ArchiveError):
    """There is no archive there."""


class ArchiveCorruptError(ArchiveError):
    """The archive does not open, or a file in it is damaged."""


class ArchiveUnsafeError(ArchiveError):
    """The archive has entries that would leave its folder."""


class ArchiveMismatchError(ArchiveError):
    """The archive is for another runtime or architecture, or lacks the handler."""


class ArchiveTooLargeError(ArchiveError):
    """The archive is over one of Lambda's limits."""


class BuildError(PodpacLambdaError):
    """Building an archive failed."""


class PlanRefusedError(PodpacLambdaError):
    """The plan would touch something that is not ours."""


class PlanOutdatedError(PlanRefusedError):
    """The account is not any more as it was when the plan was made; nothing was done."""


class StackBusyError(PodpacLambdaError):
    """Somebody else is building or deleting the same stack."""


class ConfirmationRequiredError(PodpacLambdaError):
    """Something would be lost, and nobody said that it may be."""


class DeployError(PodpacLambdaError):
    """Applying a plan stopped at a change.

    Parameters
    ----------
    done, left : sequence of str
        The changes that were applied, and those that were not begun.
    failed : str
        The change that stopped the run.
    taken_back : sequence of str
        The resources that a rollback has deleted again.
    """

    def __init__(
        self,
        what: str,
        *,
        done: Sequence[str] = (),
        failed: str = "",
        left: Sequence[str] = (),
        taken_back: Sequence[str] = (),
        **details: str,
    ) -> None:
        super().__init__(what, resource=failed, **details)
        self.done = tuple(done)
        self.failed = failed
        self.left = tuple(left)
        self.taken_back = tuple(taken_back)


class RunError(PodpacLambdaError):
    """A pipeline did not give a result."""


class PipelineRejectedError(RunError):
    """The pipeline was refused before podpac saw it."""


class PipelineFailedError(RunError):
    """podpac raised while it evaluated the pipeline; ``remote_type`` is the type it raised."""

    def __init__(self, what: str, *, remote_type: str = "", **details: str) -> None:
        super().__init__(what, **details)
        self.remote_type = remote_type

    def to_dict(self) -> dict[str, str]:
        """The error as plain data, for a form, a log line or the wire."""
        return {**super().to_dict(), "remote_type": self.remote_type}


class FunctionTimeoutError(RunError):
    """The function ran out of time."""


class FunctionOutOfMemoryError(RunError):
    """The function ran out of memory."""


class FunctionCrashedError(RunError):
    """The function's process ended, or its code could not be loaded."""


class ResultError(RunError):
    """The answer is damaged, or is not what was asked for."""


class ResultFormatError(ResultError):
    """The result does not fit into the format that was asked for."""


class CancelledError(PodpacLambdaError):
    """Somebody pressed Cancel."""


class DependencyMissingError(PodpacLambdaError, ImportError):
    """An optional package is needed for this."""


class LocalAwsError(PodpacLambdaError):
    """The embedded AWS did not start, or has stopped."""


def from_dict(data: Mapping[str, object]) -> PodpacLambdaError:
    """Rebuild an error from :meth:`PodpacLambdaError.to_dict`.

    An unknown type becomes a :class:`RunError`, so that a newer function still speaks to an older client.
    """
    texts = {key: str(data.get(key) or "") for key in ("what", "resource", "why", "next_step", "code", "request_id")}
    kind = _BY_NAME.get(str(data.get("type") or ""), RunError)
    if issubclass(kind, InvalidValueError):
        return kind(texts["what"], field=texts["resource"], why=texts["why"], next_step=texts["next_step"])
    if issubclass(kind, DeployError):
        kind = PodpacLambdaError
    error = kind(texts.pop("what"), **texts)
    if isinstance(error, PipelineFailedError):
        error.remote_type = str(data.get("remote_type") or "")
    return error


def _tree(base: type[PodpacLambdaError]) -> list[type[PodpacLambdaError]]:
    return [base, *(found for child in base.__subclasses__() for found in _tree(child))]


_BY_NAME: dict[str, type[PodpacLambdaError]] = {kind.__name__: kind for kind in _tree(PodpacLambdaError)}
