"""The Studio in one line of a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from podpac_lambda_widgets.studio import Studio


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shell of its own, with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    made = InteractiveShell()
    made.history_manager.enabled = False
    made.extension_manager.load_extension("podpac_lambda_widgets")
    return made


def test_it_makes_a_studio_once_and_shows_it_again(shell: Any) -> None:
    first = shell.run_line_magic("podpac_studio", "")
    assert isinstance(first, Studio)
    assert shell.user_ns["studio"] is first
    assert shell.run_line_magic("podpac_studio", "") is first
    other = shell.run_line_magic("podpac_studio", " mine ")
    assert shell.user_ns["mine"] is other is not first


@pytest.mark.parametrize("name", ["not-a-name", "two names", "<b>", "class"])
def test_it_takes_only_names(shell: Any, name: str) -> None:
    with pytest.raises(UsageError, match="no name"):
        shell.run_line_magic("podpac_studio", name)


def test_it_takes_no_variable_that_holds_something_else(shell: Any) -> None:
    shell.user_ns["studio"] = 5
    with pytest.raises(UsageError, match="holds something else"):
        shell.run_line_magic("podpac_studio", "")
    assert shell.user_ns["studio"] == 5


def test_it_goes_with_the_extension(shell: Any) -> None:
    shell.extension_manager.unload_extension("podpac_lambda_widgets")
    assert shell.find_line_magic("podpac_studio") is None
