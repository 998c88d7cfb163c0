"""Write ``podpac_lambda_widgets/model/node_specs.json`` from the UI spec of the installed podpac.

Run it after moving to another podpac, and review the difference: ``python scripts/make_node_specs.py``.

What is kept of ``podpac.core.utils.get_ui_node_spec()`` is what a form needs of each node that the guard knows; nodes
that the guard knows and that function leaves out (``Interpolate``, ``Combine``) are asked for theirs. The names of all
others are kept too, so that the form can say that they are unavailable.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import re
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent / "podpac_lambda_widgets"
FILE = _PACKAGE / "model" / "node_specs.json"
_ALLOWED = json.loads((_PACKAGE / "remote" / "allowlist.json").read_text("utf-8"))["nodes"]
#: Categories of the nodes that podpac's own function leaves out.
_CATEGORIES = {"core.interpolation": "interpolators", "core.algorithm": "algorithm", "alglib": "alglib"}
_ATTRIBUTE = re.compile(r"(\w+(?:, \w+)*) ?: ?(.*)")


def generate() -> dict[str, Any]:
    """The specs, as the file has them."""
    import podpac
    from podpac.core.utils import get_ui_node_spec

    # podpac prints, and warns of each default it cannot make.
    with contextlib.redirect_stdout(io.StringIO()):
        found = {
            spec["module"].removeprefix("podpac."): (category, spec)
            for category, specs in get_ui_node_spec().items()
            for spec in specs.values()
        }
        for path in _ALLOWED.keys() - found.keys():
            module, _, name = path.rpartition(".")
            spec = getattr(importlib.import_module(f"podpac.{module}"), name).get_ui_spec()
            found[path] = (next(_CATEGORIES[start] for start in _CATEGORIES if path.startswith(start)), spec)
    return {
        "podpac": podpac.__version__,
        "nodes": {path: _node(*found[path]) for path in sorted(found.keys() & _ALLOWED.keys())},
        "unavailable": {path: found[path][0] for path in sorted(found.keys() - _ALLOWED.keys())},
    }


def as_text() -> str:
    """The file's text."""
    return json.dumps(generate(), indent=1, sort_keys=True) + "\n"


def _node(category: str, spec: dict[str, Any]) -> dict[str, Any]:
    lines = inspect.cleandoc(spec["help"]).splitlines()
    told = _described(lines)
    summary = " ".join(line.strip() for line in _first_paragraph(lines))
    attrs = {
        name: {
            "default": attr["default"],
            "help": attr["help"] or told.get(name, ""),
            "hidden": attr["hidden"],
            "required": attr["required"],
            "type": attr["type"],
            "values": attr["values"],
        }
        for name, attr in spec["attrs"].items()
    }
    return {"attrs": attrs, "category": category, "help": summary}


def _first_paragraph(lines: list[str]) -> list[str]:
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    return lines[:end]


def _described(lines: list[str]) -> dict[str, str]:
    """What the docstring says of each attribute, as numpydoc writes it."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        match = _ATTRIBUTE.fullmatch(line)
        if match:
            names = match[1].split(", ")
        elif names and line.startswith("    "):
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
        elif names and not line.strip() and found.get(names[0]):
            names = []
    return {name: text for name, text in found.items() if "{" not in text}


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
