"""One builder of a stack at a time. The lock is a log group: of two callers CreateLogGroup lets one succeed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from podpac_lambda_widgets.aws.builder import describe_builder, own_process, process_has_ended
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.tags import stack_of
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import AccessDeniedError, PodpacLambdaError, ResourceNotFoundError, StackBusyError
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.resources import STACK_TAG

#: Where the log groups are that are locks; the function's name follows.
LOCK_PREFIX = "/podpac-lambda-widgets/lock/"
_BUILDER = "podpac-lambda-widgets:builder"
_PROCESS = "podpac-lambda-widgets:process"
_TOKEN = "podpac-lambda-widgets:token"  # noqa: S105 - the name of a tag
_SINCE = "podpac-lambda-widgets:since"
_UNTIL = "podpac-lambda-widgets:until"
#: How long a lock holds without being renewed, seconds. Clocks of two builders differ by less: AWS refuses signatures
#: that are more than five minutes off.
LEASE_SECONDS = 600.0
#: In this time whoever else saw the same stale lock has written its own token, seconds.
_SETTLE_SECONDS = 1.0
_ATTEMPTS = 3

WallClock = Callable[[], float]

#: Tokens of the locks that this process holds or is about to: a lock with another is left from a run that failed.
_held: set[str] = set()


class StackLock:
    """The right to change one stack; a context manager that gives it back.

    Made by :meth:`acquire`. Whoever holds it calls :meth:`renew_if_needed` between its changes.
    """

    def __init__(self, logs: Any, arn: str, stack: str, wall_clock: WallClock, clock: Clock) -> None:
        self._logs = logs
        self._arn = arn
        self._name = arn.partition(":log-group:")[2]
        self._stack = stack
        self._wall_clock = wall_clock
        self._clock = clock
        self._token = secrets.token_hex(16)
        self._renewed = (0.0, 0.0)

    @classmethod
    def acquire(
        cls, logs: Any, function_name: str, stack: str, identity: Identity, *, wall_clock: WallClock, clock: Clock
    ) -> StackLock:
        """Lock a stack, or say who has it.

        Costs one call, ``CreateLogGroup``; more only where there is a lock already.

        Parameters
        ----------
        logs : client
            CloudWatch Logs in the stack's region.
        function_name, stack : str
            The stack's function and its own name, the value of its tag.
        identity : Identity
            The account and region.
        wall_clock : callable
            Seconds since 1970, such as ``time.time``.
        clock : Clock
            What waits.

        Raises
        ------
        StackBusyError
            Somebody else has it; ``why`` says who, since when and until when at the latest.
        AwsError
            The log group could not be made.
        """
        place = f"{identity.partition}:logs:{identity.region}:{identity.account}"
        lock = cls(logs, f"arn:{place}:log-group:{LOCK_PREFIX}{function_name}", stack, wall_clock, clock)
        _held.add(lock._token)
        try:
            lock._acquire()
        except BaseException:
            _held.discard(lock._token)
            raise
        return lock

    def _acquire(self) -> None:
        for _ in range(_ATTEMPTS):
            if self._create():
                return
            # None: it went away in the meantime.
            try:
                found = self._read_tags()
            except AccessDeniedError as error:
                raise self._busy(f"Whose it is may not be read: {error.why}") from None
            if found is None:
                continue
            # Its own token: the answer to a first try was lost, and botocore tried again.
            if found.get(_TOKEN) != self._token:
                self._refuse_unless_stale(found)
                if not self._take_over():
                    continue
            return
        raise self._busy("Others are taking and leaving it all the time.")

    def _create(self) -> bool:
        tags = self._tags()
        with asking("Locking the stack", self._stack):
            try:
                self._logs.create_log_group(logGroupName=self._name, tags=tags)
            except self._logs.exceptions.ResourceAlreadyExistsException:
                return False
            except self._logs.exceptions.OperationAbortedException:
                # Another call is making or deleting it at this moment.
                return False
        return True

    def _tags(self) -> dict[str, str]:
        self._renewed = now, _ = self._wall_clock(), self._clock.monotonic()
        return {
            STACK_TAG: self._stack,
            _BUILDER: describe_builder(),
            _PROCESS: own_process(),
            _TOKEN: self._token,
            _SINCE: f"{now:.0f}",
            _UNTIL: f"{now + LEASE_SECONDS:.0f}",
        }

    def _read_tags(self) -> Mapping[str, str] | None:
        try:
            with asking("Reading the stack's lock", self._stack):
                tags: dict[str, str] = self._logs.list_tags_for_resource(resourceArn=self._arn).get("tags", {})
        except ResourceNotFoundError:
            return None
        return tags

    def _refuse_unless_stale(self, found: Mapping[str, str]) -> None:
        until = _number(found.get(_UNTIL))
        if stack_of(found) is None or not found.get(_TOKEN) or until is None:
            raise StackBusyError(
                "There is a log group in the place of the stack's lock",
                resource=self._name,
                why="It bears no tags of a lock.",
                next_step="When nobody builds this stack, delete the log group and try again.",
            )
        if until <= self._wall_clock() or _is_left_behind(found.get(_PROCESS, ""), found[_TOKEN]):
            return
        since = _number(found.get(_SINCE))
        raise self._busy(
            f"{found.get(_BUILDER, 'Somebody')} has had it since {_time(since or until - LEASE_SECONDS)}, "
            f"until {_time(until)} at the latest unless they go on."
        )

    def _take_over(self) -> bool:
        """Write our token and see whether it stays: of several who do, the last has it."""
        try:
            with asking("Taking over the stack's lock", self._stack):
                self._logs.tag_resource(resourceArn=self._arn, tags=self._tags())
        except ResourceNotFoundError:
            return False
        self._clock.sleep(_SETTLE_SECONDS)
        found = self._read_tags()
        if found is None:
            return False
        if found.get(_TOKEN) != self._token:
            raise self._busy(f"{found.get(_BUILDER, 'Somebody')} was faster.")
        return True

    def renew_if_needed(self) -> None:
        """Prolong the lock when a third of its time is over; costs nothing before.

        Raises
        ------
        StackBusyError
            It was not renewed in time, and somebody else has it now: stop.
        """
        wall, monotonic = self._renewed
        # Both: the one stands still while the machine sleeps, the other may be set back.
        passed = max(self._wall_clock() - wall, self._clock.monotonic() - monotonic)
        if passed < LEASE_SECONDS / 3:
            return
        found = self._read_tags()
        if found is None or found.get(_TOKEN) != self._token:
            who = (found or {}).get(_BUILDER, "somebody else")
            raise self._busy(f"The lock was not renewed for {passed:.0f} seconds, and {who} took it.")
        now, monotonic = self._wall_clock(), self._clock.monotonic()
        with asking("Renewing the stack's lock", self._stack):
            self._logs.tag_resource(resourceArn=self._arn, tags={_UNTIL: f"{now + LEASE_SECONDS:.0f}"})
        self._renewed = now, monotonic

    def release(self) -> None:
        """Give the stack free; a lock that is gone or that somebody else took is left as it is. Again is harmless.

        Raises
        ------
        AwsError
            The log group could not be deleted. The lock then ends by itself, and does not stop this process.
        """
        if self._token not in _held:
            return
        try:
            found = self._read_tags()
            if found is None or found.get(_TOKEN) != self._token:
                return
            with asking("Giving the stack free", self._stack):
                retry(
                    lambda: self._logs.delete_log_group(logGroupName=self._name),
                    lambda error: error_code(error) == "OperationAbortedException",
                    self._clock,
                )
        except ResourceNotFoundError:
            return
        finally:
            _held.discard(self._token)

    def __enter__(self) -> StackLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except PodpacLambdaError as failure:
            if error is None:
                raise
            error.add_note(f"The stack's lock was not given free either: {failure}")

    def _busy(self, why: str) -> StackBusyError:
        return StackBusyError(
            "The stack is being changed by somebody else",
            resource=self._stack,
            why=why,
            next_step="Wait until they are done, look at a new plan, and try again.",
        )


def _number(text: str | None) -> float | None:
    """Seconds since 1970, if the text is that; the year 9999 bounds what can be shown."""
    return float(text) if text and re.fullmatch(r"[0-9]{1,11}", text) else None


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _is_left_behind(process: str, token: str) -> bool:
    """Whether the process that made a lock is known to have ended, or is this one and has forgotten the lock."""
    return token not in _held if process == own_process() else process_has_ended(process)
