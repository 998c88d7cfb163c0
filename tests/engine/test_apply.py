"""A plan is applied in order, told by events, stopped at the first failure, and gone on with by the next run."""

from __future__ import annotations

import pytest
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets.engine.apply import apply_plan
from podpac_lambda_widgets.engine.events import (
    ChangeApplied,
    ChangeFailed,
    ChangeProgressed,
    ChangeStarted,
    Event,
    PlanFinished,
    PlanStarted,
)
from podpac_lambda_widgets.errors import AwsError, CancelledError, DeployError, PlanRefusedError, StackBusyError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.changes import Plan
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources
from podpac_lambda_widgets.plan.difference import plan_build, plan_delete
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.resources import Observed

ARCHIVES = Archives(
    ArchivePlace("a" * 64, 80, bucket="src", key="dist.zip"),
    ArchivePlace("b" * 64, 40, bucket="src", key="deps.zip"),
    "python3.12",
    "x86_64",
)
DEPLOYMENT = Deployment(function_name="soil")


def build_plan(account: FakeAccount) -> Plan:
    wanted = desired_resources(DEPLOYMENT, ARCHIVES, account.identity())
    stack = stack_names(DEPLOYMENT, account.identity()).stack
    return plan_build(stack, [(resource, account.read(resource)) for resource in wanted])


def apply(plan: Plan, account: FakeAccount, events: list[Event] | None = None, stop_after: int = 99) -> None:
    listener = (events if events is not None else []).append
    apply_plan(plan, account, FakeClock(), listener, lambda: len(account.writes) >= stop_after)


def test_a_second_run_writes_nothing() -> None:
    account = FakeAccount()
    apply(build_plan(account), account)
    written = len(account.writes)
    again = build_plan(account)
    apply(again, account)
    assert again.is_empty
    assert len(account.writes) == written == 6


def test_every_change_is_told_from_start_to_end() -> None:
    account, events = FakeAccount(), []
    apply(build_plan(account), account, events)
    kinds = [type(event) for event in events]
    assert kinds[0] is PlanStarted
    assert kinds[-1] is PlanFinished
    assert kinds[1:5] == [ChangeStarted, ChangeProgressed, ChangeProgressed, ChangeApplied]


@pytest.mark.parametrize("call", range(1, 7))
def test_a_failure_names_done_failed_and_left_and_the_next_run_finishes(call: int) -> None:
    error = AwsError("Creating failed", why="500", code="InternalError", request_id="r-1")
    account, events = FakeAccount(fail_at={call: error}), []
    with pytest.raises(DeployError) as caught:
        apply(build_plan(account), account, events)
    stopped = caught.value
    assert (len(stopped.done), len(stopped.left)) == (call - 1, 6 - call)
    assert stopped.failed
    assert (stopped.why, stopped.code, stopped.request_id) == ("500", "InternalError", "r-1")
    assert isinstance(events[-1], ChangeFailed)
    apply(build_plan(account), account)
    assert build_plan(account).is_empty


def test_a_plan_with_a_refusal_writes_nothing_at_all() -> None:
    account = FakeAccount()
    function = desired_resources(DEPLOYMENT, ARCHIVES, account.identity())[-1]
    account.resources[function.kind, function.name] = Observed(function, None)
    with pytest.raises(PlanRefusedError, match="soil") as caught:
        apply(build_plan(account), account)
    assert caught.value.next_step
    assert account.writes == []


def test_cancelling_stops_between_two_changes() -> None:
    account = FakeAccount()
    with pytest.raises(CancelledError, match="2 of 6"):
        apply(build_plan(account), account, stop_after=2)
    assert len(account.writes) == 2


def test_a_stack_that_somebody_else_builds_is_left_alone_and_let_go_afterwards() -> None:
    account = FakeAccount()
    plan = build_plan(account)
    account.held.add(plan.stack)
    with pytest.raises(StackBusyError):
        apply(plan, account)
    assert account.writes == []
    account.held.clear()
    account.fail_at = {2: AwsError("no")}
    with pytest.raises(DeployError):
        apply(plan, account)
    assert account.held == set()
    apply(build_plan(account), account)
    assert account.held == set()


def test_a_plan_with_nothing_to_do_does_not_hold_the_stack() -> None:
    account = FakeAccount()
    apply(build_plan(account), account)
    again = build_plan(account)
    account.held.add(again.stack)
    apply(again, account)


@pytest.mark.parametrize("call", range(1, 7))
def test_a_rollback_takes_back_what_this_run_created_and_nothing_else(call: int) -> None:
    account = FakeAccount(fail_at={call: AwsError("no", next_step="Ask.")})
    with pytest.raises(DeployError) as caught:
        apply_plan(build_plan(account), account, FakeClock(), lambda event: None, lambda: False, rollback=True)
    assert account.resources == {}
    assert len(caught.value.taken_back) == call - 1
    assert ("taken back" in caught.value.next_step) == (call > 1)


def test_a_rollback_leaves_what_was_there_before() -> None:
    account = FakeAccount()
    apply(build_plan(account), account)
    role = next(key for key in account.resources if key[0] == "role")
    function = next(key for key in account.resources if key[0] == "function")
    del account.resources[function]
    before = dict(account.resources)
    account.fail_at = {len(account.writes) + 1: AwsError("no")}
    with pytest.raises(DeployError):
        apply_plan(build_plan(account), account, FakeClock(), lambda event: None, lambda: False, rollback=True)
    assert role in account.resources
    assert account.resources == before


def test_a_rollback_that_fails_says_what_is_left() -> None:
    account = FakeAccount(fail_at={3: AwsError("no"), 4: AwsError("Deleting is not permitted")})
    with pytest.raises(DeployError) as caught:
        apply_plan(build_plan(account), account, FakeClock(), lambda event: None, lambda: False, rollback=True)
    assert "Not everything could be taken back: role" in caught.value.next_step
    assert "Deleting is not permitted" in caught.value.next_step


def test_a_cancelled_build_may_be_rolled_back_too() -> None:
    account = FakeAccount()
    with pytest.raises(CancelledError, match="2 of 6") as caught:
        apply_plan(
            build_plan(account), account, FakeClock(), lambda event: None, lambda: len(account.writes) >= 2,
            rollback=True,
        )  # fmt: skip
    assert account.resources == {}
    assert "taken back" in caught.value.next_step


def test_deleting_again_after_a_failure_leaves_nothing() -> None:
    account = FakeAccount()
    apply(build_plan(account), account)
    owned = [each for each in account.resources.values() if each.resource.kind != "object"]
    account.fail_at = {len(account.writes) + 2: AwsError("no")}
    stack = stack_names(DEPLOYMENT, account.identity()).stack
    with pytest.raises(DeployError):
        apply(plan_delete(stack, owned), account)
    apply(plan_delete(stack, [each for each in account.resources.values() if each.resource.kind != "object"]), account)
    assert {kind for kind, _ in account.resources} == {"object"}
