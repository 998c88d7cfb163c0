"""What the account has no room for is refused before anything is made, with the numbers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.plan.changes import Refuse
from podpac_lambda_widgets.plan.difference import plan_build
from podpac_lambda_widgets.plan.quotas import UNRESERVED, LambdaQuotas, quota_conflict
from podpac_lambda_widgets.plan.resources import Function, Observed

FUNCTION = Function(
    name="soil", role="r", runtime="python3.12", architecture="x86_64", handler="handler.handler", description="",
    memory=2048, timeout=60, storage=512, environment={}, tags={}, code_sha256="a",
)  # fmt: skip
NEW_ACCOUNT = LambdaQuotas(concurrency=10, unreserved=10, code_bytes=75 * 10**9, used_code_bytes=0)


def test_a_new_account_cannot_reserve_and_is_told_why() -> None:
    wanted = replace(FUNCTION, reserved_concurrency=5)
    told = quota_conflict(wanted, None, 1, NEW_ACCOUNT)
    assert "10 in all" in told
    assert "leaves 0" in told
    (change,) = plan_build("soil@x", [(wanted, Observed(wanted, None, conflict=told))]).changes
    assert isinstance(change, Refuse)


def test_code_that_does_not_fit_is_refused_only_where_it_is_new() -> None:
    full = replace(NEW_ACCOUNT, used_code_bytes=75 * 10**9)
    assert "75 GB" in quota_conflict(FUNCTION, None, 80_000_000, full)
    assert quota_conflict(FUNCTION, FUNCTION, 80_000_000, full) == ""
    assert quota_conflict(FUNCTION, None, 80_000_000, NEW_ACCOUNT) == ""


@given(st.integers(0, 2000), st.integers(0, 500), st.integers(0, 2500))
def test_what_is_let_through_leaves_others_their_share_and_a_smaller_reservation_is_always_let(
    unreserved: int, reserved: int, wished: int
) -> None:
    quotas = replace(NEW_ACCOUNT, concurrency=unreserved + reserved, unreserved=unreserved)
    there, wanted = replace(FUNCTION, reserved_concurrency=reserved), replace(FUNCTION, reserved_concurrency=wished)
    told = quota_conflict(wanted, there, 1, quotas)
    if told:
        assert unreserved + reserved - wished < UNRESERVED
    else:
        assert wished <= reserved or unreserved + reserved - wished >= UNRESERVED
    assert quota_conflict(replace(FUNCTION, reserved_concurrency=None), there, 1, quotas) == ""
