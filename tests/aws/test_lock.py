"""Of several builders of one stack one wins, whatever became of those before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.builder import describe_builder, own_process, process_has_ended, tag_value
from podpac_lambda_widgets.aws.lock import LEASE_SECONDS, LOCK_PREFIX, StackLock
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.resources import STACK_TAG

pytestmark = pytest.mark.local_aws

FUNCTION = "locked-function"
STACK = f"{FUNCTION}@us-east-1"
GROUP = f"{LOCK_PREFIX}{FUNCTION}"
ELSEWHERE = "0123456789abcdef:4242:1"


@dataclass
class Time:
    """Wall clock and clock that go by themselves only while somebody waits."""

    now: float = 1_800_000_000.0
    waits: list[float] = field(default_factory=list)
    during_wait: Callable[[], object] = lambda: None

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.during_wait()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def identity(account: AwsAccount) -> Identity:
    return account.identity()


@pytest.fixture
def logs(aws: LocalSession) -> Iterator[Any]:
    """A client; the lock's log group goes at the end, whoever made it."""
    client = aws.client("logs")
    yield client
    if _group_is_there(client):
        client.delete_log_group(logGroupName=GROUP)


def _group_is_there(logs: Any) -> bool:
    return bool(logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"])


def _arn(identity: Identity) -> str:
    return f"arn:{identity.partition}:logs:{identity.region}:{identity.account}:log-group:{GROUP}"


def _tags(logs: Any, identity: Identity) -> dict[str, str]:
    found: dict[str, str] = logs.list_tags_for_resource(resourceArn=_arn(identity))["tags"]
    return found


def _acquire(logs: Any, identity: Identity, time: Time) -> StackLock:
    return StackLock.acquire(logs, FUNCTION, STACK, identity, wall_clock=time.wall, clock=time)


def _make_lock(logs: Any, time: Time, **changed: str) -> None:
    """A lock as a builder on another machine makes it."""
    tags = {
        "stack": STACK,
        "builder": "ann@far pid 7",
        "process": ELSEWHERE,
        "token": "theirs",
        "since": f"{time.now - 60:.0f}",
        "until": f"{time.now + 500:.0f}",
    }
    given = {f"podpac-lambda-widgets:{name}": value for name, value in {**tags, **changed}.items()}
    logs.create_log_group(logGroupName=GROUP, tags={name: value for name, value in given.items() if value})


def _calls(client: Any) -> list[str]:
    """The names of the operations that a client is used for from now on."""
    made: list[str] = []
    client.meta.events.register("before-call.cloudwatch-logs", lambda model, **_: made.append(model.name))
    return made


def test_a_build_costs_two_calls_that_write_and_leaves_nothing(logs: Any, identity: Identity, time: Time) -> None:
    calls = _calls(logs)
    with _acquire(logs, identity, time) as lock:
        lock.renew_if_needed()
        assert calls == ["CreateLogGroup"]
    assert [name for name in calls if not name.startswith("List")] == ["CreateLogGroup", "DeleteLogGroup"]
    assert not _group_is_there(logs)
    lock.release()
    assert time.waits == []


def test_a_lock_says_whose_it_is_and_until_when(logs: Any, identity: Identity, time: Time) -> None:
    with _acquire(logs, identity, time):
        tags = _tags(logs, identity)
    assert tags[STACK_TAG] == STACK
    assert tags["podpac-lambda-widgets:builder"] == describe_builder()
    assert float(tags["podpac-lambda-widgets:until"]) == time.now + LEASE_SECONDS


def test_who_comes_second_is_told_who_has_it_and_until_when(logs: Any, identity: Identity, time: Time) -> None:
    _make_lock(logs, time)
    with pytest.raises(errors.StackBusyError) as caught:
        _acquire(logs, identity, time)
    assert caught.value.resource == STACK
    for part in ("ann@far pid 7", "07:59:00 UTC", "08:08:20 UTC"):
        assert part in caught.value.why
    assert caught.value.next_step
    assert _tags(logs, identity)["podpac-lambda-widgets:token"] == "theirs"


def test_another_stack_is_not_locked(logs: Any, identity: Identity, time: Time) -> None:
    with (
        _acquire(logs, identity, time),
        StackLock.acquire(logs, "other", "other@us-east-1", identity, wall_clock=time.wall, clock=time),
    ):
        assert _group_is_there(logs)


@pytest.mark.parametrize("builders", [2, 5])
def test_of_threads_that_come_at_once_one_wins(aws: LocalSession, logs: Any, identity: Identity, builders: int) -> None:
    assert _race([aws.client("logs") for _ in range(builders)], identity, Time().now) == 1


def test_of_those_who_find_a_stale_lock_one_wins(aws: LocalSession, logs: Any, identity: Identity, time: Time) -> None:
    _make_lock(logs, time, until=f"{time.now - 1:.0f}")
    assert _race([aws.client("logs") for _ in range(4)], identity, time.now) == 1


class Settling(Time):
    """A wait is over when every builder of a race is waiting or has given up, however slow the machine is."""

    def __init__(self, builders: int) -> None:
        super().__init__()
        self.builders = builders
        self.arrived: set[int] = set()
        self.changed = threading.Condition()

    def arrive(self) -> None:
        with self.changed:
            self.arrived.add(threading.get_ident())
            self.changed.notify_all()

    def sleep(self, seconds: float) -> None:
        self.arrive()
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.arrived) == self.builders, 60)


def _race(clients: list[Any], identity: Identity, now: float) -> int:
    """How many get the lock when all begin together; none lets go before all have tried."""
    begin = threading.Barrier(len(clients))
    clock = Settling(len(clients))
    held = ExitStack()

    def contend(client: Any) -> bool:
        begin.wait(30)
        try:
            lock = StackLock.acquire(client, FUNCTION, STACK, identity, wall_clock=lambda: now, clock=clock)
        except errors.StackBusyError:
            return False
        finally:
            clock.arrive()
        held.enter_context(lock)
        return True

    with held, ThreadPoolExecutor(len(clients)) as threads:
        return sum(threads.map(contend, clients))


BUILDER = """
    import sys, time
    import boto3
    from podpac_lambda_widgets.aws.lock import StackLock
    from podpac_lambda_widgets.clock import SystemClock
    from podpac_lambda_widgets.errors import StackBusyError
    from podpac_lambda_widgets.plan.account import Identity

    url, key, secret, function, stack, account = sys.argv[1:]
    logs = boto3.Session(key, secret, region_name="us-east-1").client("logs", endpoint_url=url)
    identity = Identity(account, "", "us-east-1", "aws")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        StackLock.acquire(logs, function, stack, identity, wall_clock=time.time, clock=SystemClock())
        print("won", flush=True)
    except StackBusyError:
        print("busy", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def start_builder(aws: LocalSession, identity: Identity) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a process that tries to lock the stack when it reads a line, and holds on until it reads another."""
    credentials = aws.get_credentials()
    arguments = [aws.endpoint_url, credentials.access_key, credentials.secret_key, FUNCTION, STACK, identity.account]
    with ExitStack() as processes:

        def start() -> subprocess.Popen[str]:
            command = [sys.executable, "-c", dedent(BUILDER), *arguments]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes.enter_context(process)
            processes.callback(process.kill)
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            return process

        yield start


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_processes_that_come_at_once_one_wins(logs: Any, start_builder: Callable[[], Any]) -> None:
    builders = [start_builder(), start_builder()]
    for builder in builders:
        _tell(builder)
    assert sorted(_answer(builder) for builder in builders) == ["busy", "won"]


@pytest.mark.parametrize("reaped", [True, False])
def test_the_lock_of_a_process_that_was_killed_is_taken_over_at_once(
    logs: Any, identity: Identity, time: Time, start_builder: Callable[[], Any], reaped: bool
) -> None:
    time.now = datetime.now(UTC).timestamp()
    builder = start_builder()
    _tell(builder)
    assert _answer(builder) == "won"
    with pytest.raises(errors.StackBusyError, match=f"pid {builder.pid}"):
        _acquire(logs, identity, time)
    builder.kill()
    # Its output ends with it; who started it need not have asked for its exit code.
    assert _answer(builder) == ""
    # Files are closed a moment before a process has ended; this leaves the exit code to be asked for.
    os.waitid(os.P_PID, builder.pid, os.WEXITED | os.WNOWAIT)
    if reaped:
        builder.wait()
    with _acquire(logs, identity, time):
        assert time.waits == [1.0]
        assert _tags(logs, identity)["podpac-lambda-widgets:process"] == own_process()
    assert not _group_is_there(logs)


def test_a_lock_that_this_process_has_forgotten_is_taken_over(logs: Any, identity: Identity, time: Time) -> None:
    _make_lock(logs, time, process=own_process())
    with _acquire(logs, identity, time):
        assert time.waits == [1.0]


def test_a_lock_that_this_process_holds_is_not_taken_over(logs: Any, identity: Identity, time: Time) -> None:
    with _acquire(logs, identity, time), pytest.raises(errors.StackBusyError):
        _acquire(logs, identity, time)


def test_a_lock_is_held_until_its_time_is_over(logs: Any, identity: Identity, time: Time) -> None:
    _make_lock(logs, time, until=f"{time.now + 1:.0f}")
    with pytest.raises(errors.StackBusyError):
        _acquire(logs, identity, time)
    time.now += 1
    with _acquire(logs, identity, time):
        assert _tags(logs, identity)["podpac-lambda-widgets:token"] != "theirs"


@pytest.mark.parametrize("changed", [{"stack": ""}, {"token": ""}, {"until": ""}, {"until": "soon"}])
def test_a_log_group_that_is_no_lock_is_left_alone(
    logs: Any, identity: Identity, time: Time, changed: dict[str, str]
) -> None:
    _make_lock(logs, time, **changed)
    before = _tags(logs, identity)
    time.now += 10 * LEASE_SECONDS
    with pytest.raises(errors.StackBusyError) as caught:
        _acquire(logs, identity, time)
    assert caught.value.resource == GROUP
    assert _tags(logs, identity) == before


def test_a_lock_that_may_not_be_read_is_somebody_elses(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any
) -> None:
    _make_lock(logs, time)
    faults.answer("cloudwatch-logs.ListTagsForResource", 400, "AccessDeniedException")
    with pytest.raises(errors.StackBusyError, match="said AWS"):
        _acquire(aws.client("logs"), identity, time)


def test_who_takes_over_and_is_overtaken_is_told(logs: Any, identity: Identity, time: Time) -> None:
    _make_lock(logs, time, until=f"{time.now:.0f}")
    other = {"podpac-lambda-widgets:token": "faster", "podpac-lambda-widgets:builder": "bob"}
    time.during_wait = lambda: logs.tag_resource(resourceArn=_arn(identity), tags=other)
    with pytest.raises(errors.StackBusyError, match="bob was faster"):
        _acquire(logs, identity, time)
    assert _tags(logs, identity)["podpac-lambda-widgets:token"] == "faster"


@pytest.mark.parametrize("operation", ["ListTagsForResource", "TagResource"])
def test_a_lock_that_goes_while_it_is_looked_at_is_made_anew(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any, operation: str
) -> None:
    _make_lock(logs, time, until=f"{time.now:.0f}")
    gone: list[str] = []

    def delete_first(**_: Any) -> None:
        if not gone:
            logs.delete_log_group(logGroupName=GROUP)
            gone.append(GROUP)

    faults.hook(f"before-call.cloudwatch-logs.{operation}", delete_first)
    with _acquire(aws.client("logs"), identity, time):
        assert gone
        assert _tags(logs, identity)["podpac-lambda-widgets:process"] == own_process()


def test_a_lock_that_comes_and_goes_all_the_time_is_given_up(
    aws: LocalSession, identity: Identity, time: Time, faults: Any
) -> None:
    asked = faults.answer("cloudwatch-logs.CreateLogGroup", 400, "OperationAbortedException")
    with pytest.raises(errors.StackBusyError):
        _acquire(aws.client("logs"), identity, time)
    assert len(asked) == 3


def test_a_lost_answer_does_not_lock_its_own_builder_out(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any
) -> None:
    lost: list[str] = []

    def lose(**_: Any) -> None:
        if not lost:
            lost.append("answer")
            raise ConnectionClosedError(endpoint_url=aws.endpoint_url)

    faults.hook("after-call.cloudwatch-logs.CreateLogGroup", lose)
    with pytest.raises(errors.EndpointUnreachableError):
        _acquire(aws.client("logs"), identity, time)
    assert _group_is_there(logs)
    with _acquire(aws.client("logs"), identity, time):
        assert _group_is_there(logs)
    assert not _group_is_there(logs)


def test_a_try_that_succeeded_unheard_is_known_by_its_token(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any
) -> None:
    """As when botocore tries again: the second try finds the group that the first one made."""
    faults.hook(
        "after-call.cloudwatch-logs.CreateLogGroup",
        lambda http_response, parsed, **_: (
            parsed.update(faults.refusal(400, "ResourceAlreadyExistsException")[1])
            or setattr(http_response, "status_code", 400)
        ),
    )
    with _acquire(aws.client("logs"), identity, time):
        assert _group_is_there(logs)
        assert time.waits == []


def test_a_lock_is_renewed_when_a_third_of_its_time_is_over(logs: Any, identity: Identity, time: Time) -> None:
    with _acquire(logs, identity, time) as lock:
        calls = _calls(logs)
        time.now += LEASE_SECONDS / 3 - 1
        lock.renew_if_needed()
        assert calls == []
        time.now += 1
        lock.renew_if_needed()
        assert calls == ["ListTagsForResource", "TagResource"]
        assert float(_tags(logs, identity)["podpac-lambda-widgets:until"]) == time.now + LEASE_SECONDS
        lock.renew_if_needed()
        assert calls.count("TagResource") == 1


def test_who_lost_the_lock_is_told_and_leaves_it_to_the_other(logs: Any, identity: Identity, time: Time) -> None:
    lock = _acquire(logs, identity, time)
    theirs = {"podpac-lambda-widgets:token": "theirs", "podpac-lambda-widgets:builder": "ann"}
    logs.tag_resource(resourceArn=_arn(identity), tags=theirs)
    time.now += LEASE_SECONDS
    with pytest.raises(errors.StackBusyError, match="ann took it"):
        lock.renew_if_needed()
    lock.release()
    assert _tags(logs, identity)["podpac-lambda-widgets:token"] == "theirs"


def test_a_lock_that_is_gone_cannot_be_renewed_but_released(logs: Any, identity: Identity, time: Time) -> None:
    lock = _acquire(logs, identity, time)
    logs.delete_log_group(logGroupName=GROUP)
    time.now += LEASE_SECONDS
    with pytest.raises(errors.StackBusyError):
        lock.renew_if_needed()
    lock.release()


def test_a_lock_that_cannot_be_released_is_an_error_and_stops_this_process_no_more(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any
) -> None:
    faults.answer("cloudwatch-logs.DeleteLogGroup", 400, "AccessDeniedException")
    with pytest.raises(errors.AccessDeniedError), _acquire(aws.client("logs"), identity, time):
        pass
    with _acquire(logs, identity, time):
        pass
    assert not _group_is_there(logs)


def test_releasing_raises_nothing_over_another_error(
    aws: LocalSession, logs: Any, identity: Identity, time: Time, faults: Any
) -> None:
    faults.answer("cloudwatch-logs.DeleteLogGroup", 400, "AccessDeniedException")
    with pytest.raises(errors.BuildError) as caught, _acquire(aws.client("logs"), identity, time):
        raise errors.BuildError("the first error")
    assert "not given free" in caught.value.__notes__[0]


@given(st.text(max_size=400))
def test_any_name_becomes_a_tags_value(text: str) -> None:
    value = tag_value(text)
    assert len(value) == min(len(text), 256)
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _.:/=+@-")


def test_a_process_id_that_came_again_is_another_process() -> None:
    machine, pid, started = own_process().split(":")
    assert not process_has_ended(f"{machine}:{pid}:{started}")
    assert process_has_ended(f"{machine}:{pid}:{int(started or 0) + 1}")


@given(st.text(max_size=40))
def test_nobody_knows_of_a_process_elsewhere_that_it_has_ended(text: str) -> None:
    assert not process_has_ended(text)
    assert not process_has_ended(ELSEWHERE)
