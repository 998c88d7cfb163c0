"""A page that was left without its kernel is made again, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.studio.revival import find_variable, revive


def test_a_studio_is_made_again_in_its_variable(tmp_path: Path) -> None:
    variables: dict[str, Any] = {"studio": "something else"}
    made = revive(variables, "Studio", "studio", str(tmp_path))
    assert isinstance(made, Studio)
    assert made.source.directory == tmp_path
    assert variables["studio"] is made
    assert revive(variables, "Studio", "studio", str(tmp_path)) is made


@pytest.mark.parametrize("variable", ["", "class", "a b", "x = 1"])
def test_what_is_no_name_is_no_variable(variable: str) -> None:
    variables: dict[str, Any] = {}
    assert isinstance(revive(variables, "Studio", variable, ""), Studio)
    assert variables == {}


@pytest.mark.parametrize("kind", ["", "Lambda", "__import__", "os.system"])
def test_nothing_else_is_made(kind: str) -> None:
    with pytest.raises(ValueError, match="cannot be made again"):
        revive({}, kind, "studio", "")


def test_the_page_knows_its_variable() -> None:
    held = object()
    assert find_variable({"_": held, "_1": held, "mine": held}, held) == "mine"
    assert find_variable({"_": held}, held) == ""
