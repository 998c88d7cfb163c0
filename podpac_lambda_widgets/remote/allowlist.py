"""What definitions may say of each node: of podpac's own, and of those that plugins brought into the function's code.

``allowlist.json`` is made from podpac's own classes and shipped with this package. ``podpac_lambda_nodes.json`` lies at
the root of an archive that was built with plugins, and has descriptions of the same form.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from podpac_lambda_widgets.errors import ArchiveCorruptError
from podpac_lambda_widgets.remote.attributes import KINDS

#: The descriptions of plugins' nodes, at the root of the function's code.
PLUGIN_NODES = "podpac_lambda_nodes.json"
#: The plugin of a node that names none.
PODPAC = "podpac"
_FULL_NAME = re.compile(r"[A-Za-z_]\w{0,99}(?:\.[A-Za-z_]\w{0,99}){1,9}", re.ASCII)
_FLAGS = ("free_inputs", "unsafe", "on_request", "asks_web")


@dataclass(frozen=True)
class NodeRule:
    """What a definition may say of one class of nodes.

    Attributes
    ----------
    attrs : mapping of str to str
        Attribute name to the kind of its values; see :mod:`podpac_lambda_widgets.remote.attributes`.
    free_inputs : bool
        Whether any name may be an input.
    unsafe : bool
        Whether the node runs code that is in the definition.
    on_request : bool
        Whether only a deployment that names the node allows it.
    asks_web : bool
        Whether the node can ask other machines; see :func:`may_ask_web`.
    other : str, optional
        The kind of attributes that are not in `attrs`; without it there are no others.
    """

    attrs: Mapping[str, str] = field(default_factory=dict)
    free_inputs: bool = False
    unsafe: bool = False
    on_request: bool = False
    asks_web: bool = False
    other: str | None = None

    @property
    def evaluates_text(self) -> bool:
        """Whether podpac must be told to evaluate expressions for this node."""
        return self.unsafe or "expression" in self.attrs.values()


#: A node that the deployment names and nobody describes: plain values, and any input.
UNDESCRIBED = NodeRule(free_inputs=True, other="value")
#: A plugin's node, seen from where the plugins of the function are not known.
UNJUDGED = NodeRule(free_inputs=True, other="unjudged")


def find_podpac_node(name: str) -> tuple[str, NodeRule | None]:
    """One of podpac's own nodes.

    Parameters
    ----------
    name : str
        As a definition has it, with or without ``core``.

    Returns
    -------
    path : str
        Its full name, without ``podpac``.
    rule : NodeRule or None
        None when it is not known, or never allowed.
    """
    path = _ALIASES.get(name, name)
    return path, _PODPAC_NODES.get(path)


def nodes_on_request() -> tuple[str, ...]:
    """The full names of podpac's nodes that a deployment allows only by naming them."""
    return tuple(sorted(path for path, rule in _PODPAC_NODES.items() if rule.on_request))


def may_ask_web(plugin: str, name: str) -> bool:
    """Whether a node may ask other machines while it is evaluated, whatever its definition says.

    Parameters
    ----------
    plugin, name : str
        As a definition has them. Of a plugin's node nobody knows what its code does: it may.
    """
    rule = find_podpac_node(name)[1] if plugin == PODPAC else None
    return rule is None or rule.asks_web


def is_node_name(name: str) -> bool:
    """Whether a name can be that of a node: of podpac's, as :func:`find_podpac_node` gives it, or ``plugin.Node``.

    What is in Python's own library is none: no plugin can have its name.
    """
    top = name.partition(".")[0]
    return _FULL_NAME.fullmatch(name) is not None and top != PODPAC and top not in sys.stdlib_module_names


def read_plugin_nodes(folder: Path) -> dict[str, NodeRule]:
    """Read the descriptions of the nodes that plugins brought into the function's code.

    Parameters
    ----------
    folder : Path
        The root of the function's code.

    Returns
    -------
    dict of str to NodeRule
        By ``plugin.Node``; empty when there is no such file.

    Raises
    ------
    ArchiveCorruptError
        The file is not what the builder writes.
    """
    try:
        text = folder.joinpath(PLUGIN_NODES).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(type(error).__name__) from None
    return parse_plugin_nodes(text)


def parse_plugin_nodes(text: str | bytes) -> dict[str, NodeRule]:
    """Parse what :func:`read_plugin_nodes` reads.

    Raises
    ------
    ArchiveCorruptError
        It is not what the builder writes.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"{type(error).__name__}: {error}"[:200]) from None
    nodes = found.get("nodes") if isinstance(found, dict) else None
    if not isinstance(nodes, dict):
        raise _damaged('it has no object named "nodes"')
    for name in nodes:
        if not is_node_name(name):
            raise _damaged(f"{ascii(name)[:80]} is not the name of a plugin's node")
    return {name: _read_rule(name, described) for name, described in nodes.items()}


def _read_rule(name: str, described: object) -> NodeRule:
    attrs = described.get("attrs") if isinstance(described, dict) else None
    if not isinstance(described, dict) or not isinstance(attrs, dict) or described.keys() - {"attrs", *_FLAGS}:
        raise _damaged(f"{name} is not described")
    unknown = sorted(ascii(kind) for kind in attrs.values() if not isinstance(kind, str) or kind not in KINDS)
    if unknown:
        raise _damaged(f"{name} has an attribute of the unknown kind {unknown[0][:60]}")
    flags = {flag: described.get(flag, False) for flag in _FLAGS}
    if not all(isinstance(value, bool) for value in flags.values()):
        raise _damaged(f"{name} has a flag that is neither true nor false")
    return NodeRule(attrs, **flags)


def _damaged(why: str) -> ArchiveCorruptError:
    return ArchiveCorruptError(
        "The descriptions of the plugins' nodes are damaged",
        resource=PLUGIN_NODES,
        why=why,
        next_step="Build the archives again",
    )


# Read when the module is loaded: a request must not open a file.
_SHIPPED = json.loads(files(__package__).joinpath("allowlist.json").read_text("utf-8"))
_PODPAC_NODES = {path: _read_rule(path, described) for path, described in _SHIPPED["nodes"].items()}
_ALIASES: dict[str, str] = _SHIPPED["aliases"]
