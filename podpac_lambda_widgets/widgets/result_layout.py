"""Where the parts of the Results form are."""

from __future__ import annotations

from typing import Any

import traitlets as tl

from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, folded, group
from podpac_lambda_widgets.widgets.result_files import FORMATS

#: The traits of a ResultDisplay, as they stand in the form.
DISPLAYED = ("shown", "plane", "colour_map", "limits", "low", "high", "compare", "reversed", "coastline")
_KINDS = {"colour_map": "select", "limits": "select", "plane": "select", "shown": "select", "compare": "select"}


def describe(display: tl.HasTraits, variable: tl.HasTraits) -> list[dict[str, Any]]:
    """The blocks of the form."""
    fields = [
        describe_field(display, name, span=3, narrow=6) | ({"kind": _KINDS[name]} if name in _KINDS else {})
        for name in DISPLAYED
    ]
    question = {
        "block": "question",
        "actions": [action("replace", "Replace it", "danger"), action("keep", "Keep it", "secondary")],
    }
    files = [
        action(f"download_{name}", f"Download {each.label}", "secondary", "download") for name, each in FORMATS.items()
    ]
    link = action("zarr", "Zarr link", "secondary", "cloud")
    return [
        {"block": "card"},
        {"block": "result", "empty": "Nothing to see yet. Run a pipeline, and its result appears here."},
        group("", [field for field in fields if field["kind"] != "check"]),
        group("", [field for field in fields if field["kind"] == "check"]),
        {"block": "facts"},
        {
            "block": "columns",
            "columns": [
                [actions(*files, link)],
                [
                    group("", [describe_field(variable, "variable", span=12)]),
                    actions(action("put", "Put into the notebook", "secondary", "box")),
                ],
            ],
        },
        {"block": "zarr"},
        question,
        folded("origin", "Where it comes from", {"block": "origin"}),
    ]
