"""Every value a person can type is allowed or refused with a sentence, before AWS sees it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source

REFUSED: list[tuple[str, Any]] = [
    *[("function_memory", value) for value in (127, 10_241, 32_768, 1769.5, "2 GB", float("nan"), -1, None, True)],
    *[("function_timeout", value) for value in (0, 901, 5400, "10", float("inf"))],
    *[("function_ephemeral_storage", value) for value in (511, 10_241, 512.5)],
    *[("function_name", value) for value in ("", "a" * 65, "a/b", "a b", "ä", "arn:aws:lambda:us-east-1:1:function:x")],
    *[("function_role_name", value) for value in ("r" * 65, "rôle", "a/b", "a b")],
    *[
        ("function_s3_bucket", value)
        for value in (
            "My_Bucket",
            "ab",
            "a" * 64,
            "a..b",
            "192.168.0.1",
            "xn--x",
            "x-s3alias",
            "trailing-",
            "-leading",
            "a.-b",
            "x--ol-s3",
            "sthree-x",
            "two words",
        )
    ],
    *[("function_tags", value) for value in ({"aws:x": "1"}, {"k" * 129: ""}, {"k": "v" * 257}, {"": "v"}, {"k": 1})],
    ("function_tags", {str(number): "" for number in range(51)}),
    *[("function_handler", value) for value in ("handler", "a b.c", "../x.y")],
    *[("function_s3_output", value) for value in ("", "a/../b", "..", "a b", "/")],
    ("function_log_retention", 2),
    *[("function_env_variables", value) for value in ({"1a": "x"}, {"MY_SECRET": "x"}, {"A1": "x" * 5000}, {"A1": 1})],
    ("function_architecture", "sparc"),
    ("function_runtime", "python2.7"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda item: repr(item)[:40])
def test_a_value_aws_would_not_take_is_refused_with_its_field(name: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Deployment(**{name: value})
    assert caught.value.field == name
    assert str(caught.value).count("\n") <= 3


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda item: repr(item)[:40])
def test_a_refused_value_leaves_the_old_one(name: str, value: Any) -> None:
    deployment = Deployment()
    before = getattr(deployment, name)
    with pytest.raises(InvalidValueError):
        setattr(deployment, name, value)
    assert getattr(deployment, name) == before


def test_a_misspelt_keyword_is_refused_with_the_right_one() -> None:
    with pytest.raises(InvalidValueError, match="function_memory"):
        Deployment(function_memry=512)


def test_spaces_around_a_name_are_trimmed() -> None:
    assert Deployment(function_name="  soil \n").function_name == "soil"


@given(st.text(alphabet="abcXYZ019_-", min_size=1, max_size=64), st.sampled_from(["us-east-1", "ap-southeast-3"]))
def test_the_made_bucket_name_is_always_one_that_s3_takes(function: str, region: str) -> None:
    name = Deployment(function_name=function).bucket_name("123456789012", region)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name)
    assert name.endswith(f"-123456789012-{region}-an")
    assert Deployment(function_s3_bucket=name).function_s3_bucket == name


def test_the_made_bucket_name_is_the_same_in_every_session() -> None:
    first, second = Deployment(function_name="soil"), Deployment(function_name="soil")
    assert first.bucket_name("1" * 12, "eu-west-1") == second.bucket_name("1" * 12, "eu-west-1")


@pytest.mark.parametrize(
    ("source", "field"),
    [
        (Source(), "function_source_dist_zip"),
        (Source(function_source_dist_zip="a.zip"), "function_source_dependencies_zip"),
        (Source(function_source_bucket="my-bucket"), "function_source_dist_key"),
        (Source(function_source_bucket="my-bucket", function_source_dist_key="k"), "function_source_dependencies_key"),
        (
            Source(
                function_source_bucket="my-bucket",
                function_source_dist_key="k",
                function_source_dependencies_key="d",
                function_source_dist_zip="a.zip",
            ),
            "function_source_dist_zip",
        ),
    ],
)
def test_archives_come_from_exactly_one_whole_place(source: Source, field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        source.check()
    assert caught.value.field == field


@pytest.mark.parametrize("key", ["/a.zip", "a/../b.zip", "a\nb", "k" * 1001])
def test_an_object_key_that_leaves_its_place_is_refused(key: str) -> None:
    with pytest.raises(InvalidValueError):
        Source(function_source_dist_key=key)


@pytest.mark.parametrize("name", ["function_allowed_buckets", "function_allowed_hosts", "adopt"])
@pytest.mark.parametrize("value", [["*"], [""], "bucket", 7, [7], ["ok-name", "a b"]])
def test_a_list_is_checked_item_by_item(name: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Deployment(**{name: value})
    assert caught.value.field == name


def test_a_list_cannot_grow_unchecked() -> None:
    assert Deployment(function_allowed_buckets=["data-one"]).function_allowed_buckets == ("data-one",)


def test_numbers_of_numpy_are_numbers() -> None:
    assert Deployment(function_memory=np.int64(1024), function_timeout=np.float64(30)).function_memory == 1024


@pytest.mark.parametrize("value", [30.0, True])
def test_a_choice_is_told_from_what_merely_equals_it(value: object) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_log_retention=value)


def test_an_archive_may_be_named_by_a_path(tmp_path: Path) -> None:
    source = Source(function_source_dist_zip=tmp_path / "a.zip", function_source_dependencies_zip="~/b.zip")
    assert source.function_source_dist_zip == str(tmp_path / "a.zip")
    assert source.function_source_dependencies_zip == str(Path.home() / "b.zip")
