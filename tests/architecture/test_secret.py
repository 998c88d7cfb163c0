"""A secret shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import io
import json
import pickle
import traceback

import pytest
from IPython.core.ultratb import VerboseTB

from podpac_lambda_widgets.secret import Secret

CANARY = "CANARYs3cr3t"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>20}".format, lambda secret: f"{secret}"])
def test_no_way_of_printing_shows_it(show: object) -> None:
    assert CANARY not in show(Secret(CANARY))  # type: ignore[operator]


@pytest.mark.parametrize("keep", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_cannot_be_copied_out(keep: object) -> None:
    with pytest.raises(TypeError) as caught:
        keep(Secret(CANARY))  # type: ignore[operator]
    assert CANARY not in str(caught.value)


def test_a_verbose_traceback_does_not_print_it() -> None:
    held = Secret(CANARY)
    try:
        raise ValueError(f"with {held} at hand")
    except ValueError as error:
        stream = io.StringIO()
        text = VerboseTB(theme_name="nocolor", ostream=stream).text(type(error), error, error.__traceback__)
        assert "held" in text
        assert CANARY not in text.replace(f'CANARY = "{CANARY}"', "").replace(f"CANARY = '{CANARY}'", "")
        assert CANARY not in "".join(traceback.format_exception(error))


def test_it_is_there_for_who_asks() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert Secret(CANARY)
    assert not Secret("")
