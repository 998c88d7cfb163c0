"""A request that is too large for a call goes through the bucket, and leaves nothing there."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import pytest
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.claims import Place, payload_of
from podpac_lambda_widgets.engine.deliveries import send_pipeline
from podpac_lambda_widgets.engine.events import Event, RunProgressed, ignore
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.limits import SYNC_REQUEST_BYTES
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote.plain import MAX_BYTES
from podpac_lambda_widgets.remote.wire import CLAIM, Request, encode_error, encode_request

PLACE = Place("b", "input/soil", "output/soil", "soil@eu-west-1")
GRID: dict[str, Any] = {"coords": [{"name": "lat", "values": [1.0, 2.0]}]}


def request_of(size: int, delivery: str = "") -> Request:
    """A request of exactly so many bytes."""
    empty = len(encode_request(Request({"x": [""]}, GRID, delivery=delivery)))
    full, rest = divmod(size - empty, 10_003)
    return Request({"x": ["x" * rest, *["x" * 10_000] * full]}, GRID, delivery=delivery)


def never() -> bool:
    return False


def test_up_to_the_limit_a_request_is_the_payload_and_one_byte_more_is_left_in_the_bucket() -> None:
    account = FakeAccount()
    assert SYNC_REQUEST_BYTES < 6_291_557
    for size in (SYNC_REQUEST_BYTES, SYNC_REQUEST_BYTES + 1):
        request = request_of(size)
        with payload_of(account, request, PLACE, SYNC_REQUEST_BYTES, ignore, never) as payload:
            if size == SYNC_REQUEST_BYTES:
                assert (len(payload), account.objects) == (size, {})
                continue
            ((bucket, key),) = account.objects
            assert bucket == "b"
            assert re.fullmatch(r"output/soil/claims/[0-9a-f]{32}-[0-9a-f]{64}\.json", key)
            assert key == f"output/soil/claims/{json.loads(payload)[CLAIM]}.json"
            assert account.objects[bucket, key] == encode_request(request)
            assert len(payload) < 200
        assert account.objects == {}


def test_the_largest_request_is_taken_and_one_byte_more_is_refused_with_the_number() -> None:
    account = FakeAccount()
    with payload_of(account, request_of(MAX_BYTES), PLACE, SYNC_REQUEST_BYTES, ignore, never):
        assert account.objects
    with pytest.raises(errors.InvalidPipelineError, match=f"{MAX_BYTES + 1:,} bytes; the limit is {MAX_BYTES:,}"):
        payload_of(account, request_of(MAX_BYTES + 1), PLACE, SYNC_REQUEST_BYTES, ignore, never).__enter__()
    assert account.objects == {}


def test_two_runs_of_the_same_request_do_not_take_it_from_each_other() -> None:
    account, request = FakeAccount(), request_of(5000)
    with payload_of(account, request, PLACE, 1000, ignore, never) as first:
        with payload_of(account, request, PLACE, 1000, ignore, never) as second:
            assert first != second
        assert [json.loads(first)[CLAIM] in key for _, key in account.objects] == [True]


def test_the_claim_tells_of_its_delivery() -> None:
    with payload_of(FakeAccount(), request_of(5000, "d" * 32), PLACE, 1000, ignore, never) as payload:
        assert json.loads(payload)["delivery"] == "d" * 32


def test_without_a_bucket_it_is_refused_with_both_numbers() -> None:
    nowhere = Place("", "", "output/soil", "soil@eu-west-1")
    with pytest.raises(errors.InvalidPipelineError, match=r"5,000 bytes; Lambda takes 1,000"):
        payload_of(FakeAccount(), request_of(5000), nowhere, 1000, ignore, never).__enter__()


def test_a_bucket_that_takes_nothing_is_told_and_the_function_is_not_called() -> None:
    class Denying(FakeAccount):
        def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
            raise errors.AccessDeniedError("Storing is not permitted", resource=key)

    with pytest.raises(errors.AccessDeniedError, match="Storing"):
        payload_of(Denying(), request_of(5000), PLACE, 1000, ignore, never).__enter__()


def test_a_request_that_cannot_be_taken_away_loses_no_result() -> None:
    class Holding(FakeAccount):
        def remove(self, bucket: str, key: str) -> None:
            raise errors.AccessDeniedError("Removing is not permitted", resource=key)

    with payload_of(Holding(), request_of(5000), PLACE, 1000, ignore, never) as payload:
        assert CLAIM in json.loads(payload)


def test_who_cancels_during_the_upload_does_not_wait_and_what_comes_late_is_taken_away() -> None:
    release, done = threading.Event(), threading.Event()

    class Slow(FakeAccount):
        def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
            release.wait(30)
            super().put(bucket, key, body, stack)

        def remove(self, bucket: str, key: str) -> None:
            super().remove(bucket, key)
            if release.is_set():
                done.set()

    account = Slow()
    with pytest.raises(errors.CancelledError):
        payload_of(account, request_of(5000), PLACE, 1000, ignore, lambda: True).__enter__()
    assert not release.is_set()
    release.set()
    assert done.wait(30)
    assert account.objects == {}


@pytest.mark.parametrize(("size", "left"), [(1_048_576, 0), (1_048_577, 1)])
def test_an_asynchronous_call_takes_a_mebibyte_and_one_byte_more_goes_by_the_bucket(size: int, left: int) -> None:
    account, clock, claims = FakeAccount(), FakeClock(), list[int]()
    request = request_of(size - len(',"delivery":""') - 32)

    def happen(seconds: float) -> None:
        clock.now += seconds
        if claims:
            return
        [(_, payload)] = account.sent
        claims.append(len([key for _, key in account.objects if "/claims/" in key]))
        assert len(payload) == (size if not left else len(payload))
        refusal = encode_error(errors.PipelineRejectedError("The node is not allowed"))
        account.objects["b", f"output/soil/deliveries/{json.loads(payload)['delivery']}.answer"] = refusal

    clock.sleep = happen  # type: ignore[method-assign]
    told: dict[str, Any] = {"timeout": 10.0, "clock": clock, "listener": ignore, "cancelled": never}
    with pytest.raises(errors.PipelineRejectedError, match="not allowed"):
        send_pipeline(account, "soil", request, PLACE, **told)
    assert claims == [left]
    assert not [key for _, key in account.objects if "/claims/" in key]


def test_a_run_says_what_it_does_and_clears_up_when_the_function_refuses() -> None:
    account, events = FakeAccount(), list[Event]()

    def answer(payload: bytes) -> Invocation:
        assert json.loads(payload)[CLAIM] in next(iter(account.objects))[1]
        return Invocation(encode_error(errors.PipelineRejectedError("The node is not allowed")), "", "", "r-1")

    account.answer = answer
    told: dict[str, Any] = {"timeout": 10.0, "clock": FakeClock(), "listener": events.append, "cancelled": never}
    with pytest.raises(errors.PipelineRejectedError, match="not allowed"):
        run_pipeline(account, "soil", request_of(6_291_557), PLACE, **told)
    assert [event.phase for event in events if isinstance(event, RunProgressed)] == ["leaving", "sent"]
    assert account.objects == {}
