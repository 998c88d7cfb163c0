"""A plan reads well, and whatever comes from outside is shown as text."""

from __future__ import annotations

import json

from podpac_lambda_widgets.plan.changes import Create, Delete, Difference, Plan, Refuse, Update
from podpac_lambda_widgets.plan.render import difference_text
from podpac_lambda_widgets.plan.resources import LogGroup

EVIL = "<script>alert(1)</script>&\"'"
GROUP = LogGroup(name=EVIL, retention=30, tags={EVIL: EVIL})
PLAN = Plan(
    "soil@eu-west-1",
    "build",
    (
        Create(GROUP, EVIL),
        Update(GROUP, (Difference("retention", EVIL, "x" * 500),)),
        Delete(GROUP),
        Refuse(GROUP, EVIL, EVIL),
    ),
)


def test_markup_is_shown_as_text() -> None:
    assert "<script" not in PLAN._repr_html_()
    assert "&lt;script&gt;" in PLAN._repr_html_()


def test_old_and_new_stand_in_every_rendering() -> None:
    plan = Plan("s@r", "build", (Update(GROUP, (Difference("retention", 7, 30),)),))
    assert "retention: 7 → 30" in str(plan)
    assert "retention: 7 → 30" in plan._repr_html_()
    assert json.loads(plan.to_json())["changes"][0]["differences"] == [{"field": "retention", "old": 7, "new": 30}]


def test_a_long_value_is_cut() -> None:
    assert max(map(len, str(PLAN).splitlines())) < 200


def test_the_summary_counts() -> None:
    assert PLAN.summary == "1 to create, 1 to update, 1 to delete, 1 to refuse"
    assert Plan("s@r", "delete", ()).summary == "nothing there"


def test_two_long_values_are_shown_where_they_part() -> None:
    old = {"policy": {"Statement": ["x" * 200, {"Action": "s3:GetObject"}]}}
    new = {"policy": {"Statement": ["x" * 200, {"Action": "s3:PutObject"}]}}
    text = difference_text(Difference("policies", old, new))
    assert "s3:GetObject" in text
    assert "s3:PutObject" in text
    assert len(text) < 200
