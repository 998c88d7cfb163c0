"""What a notebook shows of the things people hold in their hands: short, and never markup of somebody else."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

import podpac_lambda_widgets as plw
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.packaging.archive import Archive, Package
from podpac_lambda_widgets.plan.changes import Create, Plan
from podpac_lambda_widgets.plan.resources import LogGroup

ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def held() -> dict[str, Any]:
    # No slash, which would begin the file's own name.
    archive = Archive(Path(ATTACK.replace("/", "")), "dist", "0" * 64, 10**6, 2 * 10**6, None)
    other = Archive(Path("podpac_deps.zip"), "dependencies", "0" * 64, 10**6, 2 * 10**6, None)
    session = boto3.Session(region_name="us-east-1")
    return {
        "Deployment": plw.Deployment(function_description=ATTACK, function_memory=512),
        "Source": plw.Source(function_source_dist_key=ATTACK, function_source_bucket="my-bucket"),
        "Lambda": plw.Lambda(function_name="soil", function_description=ATTACK, session=session),
        "Package": Package(archive, other),
        "Plan": Plan("soil", "build", (Create(LogGroup(name=ATTACK, retention=1, tags={})),), warnings=(ATTACK,)),
    }


@pytest.mark.parametrize("name", ["Deployment", "Source", "Lambda", "Package", "Plan"])
def test_markup_is_shown_as_text(podpac: object, name: str) -> None:
    shown = Tags(held()[name]._repr_html_())
    assert not shown.tags & {"img", "script"}
    assert ATTACK.replace("/", "") in shown.text.replace("/", "")


def test_a_wish_reads_like_the_call_that_makes_it(podpac: object) -> None:
    texts = {name: repr(each) for name, each in held().items()}
    assert texts["Deployment"] == f"Deployment(function_description={ATTACK!r}, function_memory=512)"
    assert texts["Lambda"] == "Lambda(function_name='soil')"
    assert texts["Package"].startswith("Package: Not built by podpac_lambda_widgets\n  ")
    assert texts["Plan"].startswith("Plan to build soil: 1 to create\n  + create log group ")
    assert repr(plw.Deployment()) == "Deployment()"
    assert "Everything is as it is" in plw.Deployment()._repr_html_()
    assert "Memory (MB)" in held()["Lambda"]._repr_html_() or "Description" in held()["Lambda"]._repr_html_()


@given(st.text(max_size=256))
def test_no_text_becomes_a_tag(text: str) -> None:
    try:
        wish = plw.Deployment(function_description=text)
    except InvalidValueError:
        return
    assert Tags(wish._repr_html_()).tags <= {"table", "caption", "tbody", "tr", "th", "td", "p"}


def test_a_node_shows_itself_without_asking_aws(podpac: object) -> None:
    shown = plw.Lambda(function_memory=4096, function_source_dist_zip="a.zip")._repr_html_()
    assert "4096" in shown
    assert "a.zip" in shown
