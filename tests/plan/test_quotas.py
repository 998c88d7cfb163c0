"""What the account has no room for is refused before anything is made, with the numbers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.plan.changes import Refuse
from podpac_lambda_widgets.plan.difference import plan_build
from podpac_lambda_widgets.plan.quotas import UNRESERVED, BucketQuota, LambdaQuotas, bucket_shortage, function_shortage
from podpac_lambda_widgets.plan.resources import Function, Observed

FUNCTION = Function(
    name="soil", role="r", runtime="python3.12", architecture="x86_64", handler="handler.handler", description="",
    memory=2048, timeout=60, storage=512, environment={}, tags={}, code_sha256="a",
)  # fmt: skip
NEW_ACCOUNT = LambdaQuotas(concurrency=10, unreserved=10, code_bytes=75 * 10**9, used_code_bytes=0)


def test_a_new_account_cannot_reserve_and_is_told_why() -> None:
    wanted = replace(FUNCTION, reserved_concurrency=5)
    told = function_shortage(wanted, None, 1, NEW_ACCOUNT)
    assert told is not None
    assert "10 in all" in told.what
    assert "leaves 0" in told.what
    (change,) = plan_build("soil@x", [(wanted, Observed(wanted, None, told.what, told.remedy))]).changes
    assert isinstance(change, Refuse)
    assert change.next_step.startswith("Reserve none, or")


def test_code_that_does_not_fit_is_refused_only_where_it_is_new() -> None:
    full = replace(NEW_ACCOUNT, used_code_bytes=75 * 10**9)
    told = function_shortage(FUNCTION, None, 80_000_000, full)
    assert told is not None
    assert "75 GB" in told.what
    assert function_shortage(FUNCTION, FUNCTION, 80_000_000, full) is None
    assert function_shortage(FUNCTION, None, 80_000_000, NEW_ACCOUNT) is None


@given(st.integers(0, 20_000), st.integers(100, 20_000))
def test_a_bucket_is_refused_exactly_where_no_more_is_allowed(used: int, allowed: int) -> None:
    told = bucket_shortage(BucketQuota(allowed, used))
    assert (told is None) == (used + 1 <= allowed)
    if told is not None:
        assert f"{used:,} buckets of {allowed:,}" in told.what


@given(st.integers(0, 2000), st.integers(0, 500), st.integers(0, 2500))
def test_what_is_let_through_leaves_others_their_share_and_a_smaller_reservation_is_always_let(
    unreserved: int, reserved: int, wished: int
) -> None:
    quotas = replace(NEW_ACCOUNT, concurrency=unreserved + reserved, unreserved=unreserved)
    there, wanted = replace(FUNCTION, reserved_concurrency=reserved), replace(FUNCTION, reserved_concurrency=wished)
    told = function_shortage(wanted, there, 1, quotas)
    if told:
        assert unreserved + reserved - wished < UNRESERVED
    else:
        assert wished <= reserved or unreserved + reserved - wished >= UNRESERVED
    assert function_shortage(replace(FUNCTION, reserved_concurrency=None), there, 1, quotas) is None
