"""A run gives a result or a typed error; nothing else is ever taken for a result."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.claims import Place
from podpac_lambda_widgets.engine.events import Event, RunProgressed
from podpac_lambda_widgets.engine.results import FileResult, Result, write_file
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote.arrays import pack_array
from podpac_lambda_widgets.remote.wire import Answer, Request, StoredAnswer, encode_answer, encode_error

ARRAY = xr.DataArray(
    np.arange(6.0).reshape(2, 3),
    coords={"lat": [1.0, 2.0], "lon": [3.0, 4.0, 5.0]},
    dims=("lat", "lon"),
    attrs={"units": "m", "geotransform": (1.0, 2.0)},
)
BODY = pack_array(ARRAY)
SHA = hashlib.sha256(BODY).hexdigest()
REQUEST = Request(
    pipeline={"SinCoords": {"node": "core.algorithm.utility.SinCoords"}},
    coordinates={
        "coords": [{"values": [1.0, 2.0], "name": "lat"}, {"values": [3.0], "name": "lon"}],
        "crs": "EPSG:4326",
    },
)
LOG = "REPORT RequestId: x\tDuration: 7.1 ms\tBilled Duration: 8 ms\tMemory Size: 512 MB\tMax Memory Used: 99 MB\t\n"


def inline(body: bytes = BODY, sha: str = SHA) -> bytes:
    return encode_answer(Answer(body=body, stored=None, format="arrays", sha256=sha))


def stored(size: int = len(BODY), sha: str = SHA) -> bytes:
    place = StoredAnswer(bucket="b", key="k", sha256=sha, size=size)
    return encode_answer(Answer(body=None, stored=place, format="arrays", sha256=sha))


def run(payload: bytes, function_error: str = "", account: FakeAccount | None = None, **kwargs: object) -> Result:
    account = account or FakeAccount(answer=lambda sent: Invocation(payload, function_error, LOG, "req-1"))
    arguments = {"timeout": 10.0, "clock": FakeClock(), "listener": lambda event: None, "cancelled": lambda: False}
    return run_pipeline(account, "soil", REQUEST, Place("b", "", "output", "soil@x"), **{**arguments, **kwargs})


def test_an_inline_answer_becomes_the_very_array() -> None:
    result = run(inline())
    assert result.array.identical(ARRAY)
    assert result.array.dtype == np.dtype("float64")
    assert result.array["lat"].dtype.isnative
    assert (result.billed_ms, result.memory_mb, result.memory_size) == (8, 99, 512)
    assert result.request_id == "req-1"


def test_a_stored_answer_is_followed_without_the_caller_noticing() -> None:
    account = FakeAccount(answer=lambda sent: Invocation(stored(), "", LOG, "r"), objects={("b", "k"): BODY})
    events: list[Event] = []
    assert run(b"", account=account, listener=events.append).array.identical(ARRAY)
    assert [event.phase for event in events if isinstance(event, RunProgressed)] == ["sent", "fetching", "done"]


@pytest.mark.parametrize("body", [BODY[:-1], b"", BODY[:-1] + b"x"])
def test_a_stored_answer_that_was_changed_is_no_result(body: bytes) -> None:
    account = FakeAccount(answer=lambda sent: Invocation(stored(), "", LOG, "r"), objects={("b", "k"): body})
    with pytest.raises(errors.ResultError):
        run(b"", account=account)


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b'"text"', b"{}", b"\x89PNG\r\n", b"CDF\x01", inline()[:-1], inline()[:10], inline(sha="0" * 64)],
    ids=lambda payload: repr(payload[:12]),
)
def test_what_is_no_answer_is_never_returned_as_data(payload: bytes) -> None:
    with pytest.raises(errors.ResultError) as caught:
        run(payload)
    assert caught.value.request_id == "req-1"


def test_netcdf_that_is_not_one_array_is_no_result() -> None:
    body = bytes(xr.Dataset({"a": ARRAY, "b": ARRAY}).to_netcdf(engine="scipy"))
    with pytest.raises(errors.ResultError):
        run(inline(body, hashlib.sha256(body).hexdigest()))
    with pytest.raises(errors.ResultError):
        run(inline(b"text", hashlib.sha256(b"text").hexdigest()))


def test_an_error_of_the_function_comes_back_with_its_type() -> None:
    sent = errors.PipelineRejectedError("The node os.system is not allowed", resource="A", next_step="Use another.")
    with pytest.raises(errors.PipelineRejectedError, match=r"os\.system"):
        run(encode_error(sent))


FAILURES = [
    ({"errorMessage": "2026 x Task timed out after 3.00 seconds"}, errors.FunctionTimeoutError),
    ({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: x Error: timed"}, errors.FunctionTimeoutError),
    (
        {"errorType": "Runtime.ExitError", "errorMessage": "RequestId: x Error: signal: killed"},
        errors.FunctionOutOfMemoryError,
    ),
    ({"errorType": "Runtime.OutOfMemory", "errorMessage": "x"}, errors.FunctionOutOfMemoryError),
    ({"errorType": "Runtime.ImportModuleError", "errorMessage": "no numpy"}, errors.FunctionCrashedError),
    ({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "6 MB"}, errors.ResultError),
    ({}, errors.FunctionCrashedError),
    (None, errors.FunctionCrashedError),
    ("text", errors.FunctionCrashedError),
]


@pytest.mark.parametrize(("payload", "kind"), FAILURES, ids=lambda item: str(item)[:40])
def test_a_function_that_failed_gives_its_cause(payload: object, kind: type[errors.RunError]) -> None:
    with pytest.raises(kind) as caught:
        run(json.dumps(payload).encode(), "Unhandled")
    assert caught.value.next_step
    assert caught.value.request_id == "req-1"


def test_an_empty_failure_is_a_failure() -> None:
    with pytest.raises(errors.FunctionCrashedError):
        run(b"", "Unhandled")


def test_throttling_is_waited_for_until_the_deadline() -> None:
    refusals = iter([errors.ThrottledError("slow down")] * 3)

    def answer(sent: bytes) -> Invocation:
        for refusal in refusals:
            raise refusal
        return Invocation(inline(), "", LOG, "r")

    assert run(b"", account=FakeAccount(answer=answer)).array.identical(ARRAY)

    def never(sent: bytes) -> Invocation:
        raise errors.ThrottledError("slow down")

    clock = FakeClock()
    with pytest.raises(errors.ThrottledError):
        run(b"", account=FakeAccount(answer=never), clock=clock)
    assert 60 < clock.now <= 130


def test_cancelling_does_not_wait_for_the_function() -> None:
    release = threading.Event()

    def answer(sent: bytes) -> Invocation:
        release.wait(30)
        return Invocation(inline(), "", LOG, "r")

    try:
        with pytest.raises(errors.CancelledError):
            run(b"", account=FakeAccount(answer=answer), cancelled=lambda: True)
        assert not release.is_set()
    finally:
        release.set()


def test_a_call_that_aws_had_not_taken_is_not_made_once_it_is_cancelled() -> None:
    calls: list[threading.Thread] = []
    waiting, goes_on = threading.Event(), threading.Event()

    class Held(FakeClock):
        def sleep(self, seconds: float) -> None:
            waiting.set()
            goes_on.wait(30)
            super().sleep(seconds)

    def busy(sent: bytes) -> Invocation:
        calls.append(threading.current_thread())
        raise errors.ThrottledError("slow down")

    with pytest.raises(errors.CancelledError):
        run(b"", account=FakeAccount(answer=busy), clock=Held(), cancelled=waiting.is_set)
    goes_on.set()
    calls[0].join(30)
    assert len(calls) == 1 and not calls[0].is_alive()


def test_a_payload_carries_the_request_and_nothing_else() -> None:
    seen: list[bytes] = []

    def answer(sent: bytes) -> Invocation:
        seen.append(sent)
        return Invocation(inline(), "", LOG, "r")

    run(b"", account=FakeAccount(answer=answer))
    assert set(json.load(io.BytesIO(seen[0]))) == {
        "podpac_lambda_widgets",
        "pipeline",
        "coordinates",
        "output",
        "settings",
    }


def test_a_timeout_error_of_the_call_itself_is_raised_and_not_waited_on() -> None:
    def answer(sent: bytes) -> Invocation:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        run(b"", account=FakeAccount(answer=answer))


def test_a_call_that_was_left_behind_does_not_keep_the_interpreter() -> None:
    release, threads = threading.Event(), []

    def answer(sent: bytes) -> Invocation:
        threads.append(threading.current_thread())
        release.wait(30)
        return Invocation(inline(), "", LOG, "r")

    with pytest.raises(errors.CancelledError):
        run(b"", account=FakeAccount(answer=answer), cancelled=lambda: bool(threads))
    release.set()
    assert threads[0].daemon


def test_a_file_that_cannot_be_written_is_a_typed_error_and_the_result_stays(tmp_path: Path) -> None:
    made = FileResult(
        body=b"{}", format="json", timings={}, versions={}, elapsed=1.0, request_id="r", log="", billed_ms=1,
        memory_mb=1,
    )  # fmt: skip
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "no folder" / "a", tmp_path / "file" / "a.json"):
        with pytest.raises(errors.ResultError, match="could not be written") as caught:
            made.save(path)
        assert caught.value.why
    # The device on which there is never room.
    with pytest.raises(errors.ResultError, match="No space left"):
        write_file(Path("/dev/full"), b"x")
    assert made.save(tmp_path / "a").read_bytes() == b"{}"
