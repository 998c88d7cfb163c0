"""Every value a person can type is allowed or refused with a sentence, before AWS sees it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

import botocore.session
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.agreement import check_tags
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
    *[("function_s3_output", value) for value in ("", "a/../b", "..", "a b", "/", "r\u00e9sultats", "re\u0301sultats")],
    ("function_log_retention", 2),
    *[("function_env_variables", value) for value in ({"1a": "x"}, {"A1": "x" * 5000}, {"A1": 1})],
    *[
        ("function_env_variables", {name: "x"})
        for name in (
            *("MY_SECRET", "DB_PASSWORD", "DB_PASSWD", "GitToken", "ACCESS_KEY", "MAPS_API_KEY", "mapsApiKey"),
            *("PRIVATE_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
        )
    ],
    *[("function_tags", value) for value in ({"a\nb": ""}, {"k": "a\tb"}, {"k": "a;b"}, {"Dept": "", "dept": ""})],
    *[("function_s3_tags", {key: "x"}) for key in ("podpac-lambda-widgets:stack", "Podpac-Lambda-Widgets:Extras")],
    *[("function_role_description", value) for value in ("日本", "a\x00b", "x" * 1001)],
    *[("function_api_stage", value) for value in ("", "prød", "a.b", "a b", "$default", "a" * 129)],
    *[("function_api_endpoint", value) for value in ("", "évål", "a/b", "{a}", "..", "a" * 101)],
    *[
        ("function_s3_dependencies_key", value)
        for value in (
            *("/a.zip", "a//b.zip", "../a", "a/../b", "a..zip", "a/", "./a", "a/./b", "a b", "é.zip", "a" * 501),
            *("input/soil/a.json", "input/deps.zip", "output/acc/deps.zip"),
        )
    ],
    ("function_role_policy_arns", ["arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:policy/x"]),
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


NAMES = st.text(alphabet="abcxyz019-", min_size=3, max_size=12).filter(lambda name: name.strip("-") == name)


@given(st.lists(NAMES, max_size=8), st.lists(st.sampled_from(["eval", "S3", "APIGateway", "URL"]), max_size=8))
def test_a_list_has_each_value_once_in_the_order_given(hosts: list[str], triggers: list[str]) -> None:
    deployment = Deployment(function_allowed_hosts=hosts, function_triggers=triggers)
    assert sorted(deployment.function_allowed_hosts, key=hosts.index) == list(deployment.function_allowed_hosts)
    assert set(deployment.function_allowed_hosts) == set(hosts)
    assert len(deployment.function_triggers) == len(set(triggers))


TAG_TEXT = st.text(
    alphabet=st.one_of(st.characters(categories=["L", "Z", "N"]), st.sampled_from("_.:/=+-@")), max_size=40
)
NO_TAG_TEXT = st.characters(exclude_categories=["L", "Z", "N"], exclude_characters="_.:/=+-@")


@given(TAG_TEXT, TAG_TEXT)
def test_a_tag_has_the_characters_that_iam_takes(key: str, text: str) -> None:
    tags = {f"k{key}": text}
    assert Deployment(function_role_tags=tags).function_role_tags == tags


@given(TAG_TEXT, NO_TAG_TEXT, TAG_TEXT)
def test_a_tag_with_any_other_character_is_refused(before: str, character: str, after: str) -> None:
    text = f"k{before}{character}{after}"
    assume(normalize("NFC", text) == text)
    for tags in ({text: ""}, {"k": text}):
        with pytest.raises(InvalidValueError, match="letters, digits, spaces"):
            Deployment(function_role_tags=tags)


@pytest.mark.parametrize(
    ("name", "parts", "whole"),
    [
        ("function_role_tags", {"e\u0301quipe": "Mu\u0308ller"}, {"\u00e9quipe": "M\u00fcller"}),
        ("function_role_description", "r\u00f4le de Mu\u0308ller", "r\u00f4le de M\u00fcller"),
        ("function_api_name", "Mu\u0308ller", "M\u00fcller"),
    ],
)
def test_a_letter_in_two_parts_is_taken_for_the_letter(name: str, parts: Any, whole: Any) -> None:
    assert getattr(Deployment(**{name: parts}), name) == getattr(Deployment(**{name: whole}), name) == whole


def test_the_key_of_an_object_is_left_as_it_is_written() -> None:
    for key in ("re\u0301sultat.zip", "r\u00e9sultat.zip"):
        assert Source(function_source_dist_key=key).function_source_dist_key == key


@cache
def iam_description() -> str:
    shape = botocore.session.get_session().get_service_model("iam").shape_for("roleDescriptionType")
    return str(shape.metadata["pattern"])


@given(st.text(max_size=30))
def test_a_roles_description_is_what_iam_takes(text: str) -> None:
    taken = [each for each in (text.strip(), normalize("NFC", text.strip())) if re.fullmatch(iam_description(), each)]
    if taken:
        assert Deployment(function_role_description=text).function_role_description == taken[0]
    else:
        with pytest.raises(InvalidValueError):
            Deployment(function_role_description=text)


SPECIAL_TAGS = ["function_s3_tags", "function_role_tags", "function_api_tags"]


def numbered(stem: str, count: int) -> dict[str, str]:
    return {f"{stem}{number}": "" for number in range(count)}


@given(st.integers(0, 48), st.integers(0, 48), st.integers(0, 48), st.sampled_from(SPECIAL_TAGS))
def test_a_resource_has_at_most_48_tags_with_those_for_everything(both: int, all_: int, own: int, name: str) -> None:
    everywhere = {**numbered("both", min(both, 48 - all_)), **numbered("all", all_)}
    special = {**numbered("both", min(both, 48 - own)), **numbered("own", own)}
    wish = {"function_tags": everywhere, name: special}
    if len({**everywhere, **special}) <= 48:
        assert getattr(Deployment(**wish), name) == special
    else:
        with pytest.raises(InvalidValueError, match=r"AWS takes 50 .* 2 mark") as caught:
            Deployment(**wish)
        assert caught.value.field == name


@pytest.mark.parametrize("name", SPECIAL_TAGS)
def test_tags_that_do_not_go_together_are_refused_whichever_is_set_last(name: str) -> None:
    deployment = Deployment(function_tags=numbered("all", 40))
    with pytest.raises(InvalidValueError, match="56 tags together"):
        setattr(deployment, name, numbered("own", 16))
    assert getattr(deployment, name) == {}
    setattr(deployment, name, numbered("own", 8))
    with pytest.raises(InvalidValueError, match="49 tags together"):
        deployment.function_tags = numbered("all", 41)
    assert len(deployment.function_tags) == 40


@pytest.mark.parametrize("name", SPECIAL_TAGS)
def test_a_special_tag_takes_the_others_place_but_not_in_another_case(name: str) -> None:
    assert Deployment(**{"function_tags": {"Dept": "1"}, name: {"Dept": "2"}}).function_tags == {"Dept": "1"}
    with pytest.raises(InvalidValueError, match="'dept' and 'Dept'") as caught:
        Deployment(**{"function_tags": {"Dept": "1"}, name: {"dept": "2"}})
    assert caught.value.field == name


def test_tags_that_grew_behind_our_back_are_found() -> None:
    deployment = Deployment(function_tags=numbered("all", 40), function_api_tags=numbered("own", 8))
    check_tags(deployment)
    deployment.function_tags["one more"] = ""
    with pytest.raises(InvalidValueError) as caught:
        check_tags(deployment)
    assert caught.value.field == "function_api_tags"


FOLDERS = st.lists(st.sampled_from(["a", "b", "in", "out"]), min_size=1, max_size=3).map("/".join)


@given(FOLDERS, FOLDERS, FOLDERS)
def test_the_dependencies_archive_is_in_neither_folder(input_: str, output: str, place: str) -> None:
    wish = {"function_s3_input": input_, "function_s3_output": output}
    assume(not f"{input_}/".startswith(f"{output}/") and not f"{output}/".startswith(f"{input_}/"))
    key = f"{place}/deps.zip"
    if key.startswith((f"{input_}/", f"{output}/")):
        with pytest.raises(InvalidValueError) as caught:
            Deployment(**wish, function_s3_dependencies_key=key)
        assert caught.value.field == "function_s3_dependencies_key"
    else:
        assert Deployment(**wish, function_s3_dependencies_key=key).function_s3_dependencies_key == key


def test_a_folder_may_not_be_put_around_the_dependencies_archive() -> None:
    deployment = Deployment(function_s3_dependencies_key="deps/podpac_deps.zip")
    with pytest.raises(InvalidValueError, match="may not lie in 'deps'"):
        deployment.function_s3_output = "deps"
    assert deployment.function_s3_output == "output"


@pytest.mark.parametrize(
    ("name", "value"), [("function_api_stage", "pre-prod_1"), ("function_api_endpoint", "a.b-c_1")]
)
def test_what_api_gateway_takes_in_a_url_is_taken(name: str, value: str) -> None:
    assert getattr(Deployment(**{name: value}), name) == value


def test_a_variable_that_only_resembles_a_secret_is_taken() -> None:
    names = {"KEYBOARD": "x", "PASSAGE": "x", "ZARR_KEY": "x"}
    assert Deployment(function_env_variables=names).function_env_variables == names


def test_numbers_of_numpy_are_numbers() -> None:
    assert Deployment(function_memory=np.int64(1024), function_timeout=np.float64(30)).function_memory == 1024


@given(st.integers(-10, 5000))
def test_a_number_that_is_no_choice_is_answered_with_the_nearest(days: int) -> None:
    nearest = min(abs(days - choice) for choice in limits.LOG_RETENTION_DAYS)
    try:
        Deployment(function_log_retention=days)
    except InvalidValueError as error:
        offered = int(error.next_step.removeprefix("The nearest is ").removesuffix("."))
        assert offered in limits.LOG_RETENTION_DAYS
        assert abs(offered - days) == nearest > 0
    else:
        assert nearest == 0


@pytest.mark.parametrize("value", [30.0, True])
def test_a_choice_is_told_from_what_merely_equals_it(value: object) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_log_retention=value)


def test_an_archive_may_be_named_by_a_path(tmp_path: Path) -> None:
    source = Source(function_source_dist_zip=tmp_path / "a.zip", function_source_dependencies_zip="~/b.zip")
    assert source.function_source_dist_zip == str(tmp_path / "a.zip")
    assert source.function_source_dependencies_zip == str(Path.home() / "b.zip")
