"""What one deployment of the function allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from podpac_lambda_widgets.limits import MEGABYTE, MEMORY_MB
from podpac_lambda_widgets.remote.allowlist import NodeRule, read_plugin_nodes

#: float64 values of a result that one point may need while it is computed: inputs, intermediate results,
#: coordinates, encoding.
_BYTES_PER_POINT = 8 * 16


@dataclass(frozen=True)
class Policy:
    """What this deployment allows.

    Attributes
    ----------
    allowed_buckets, allowed_hosts : frozenset of str
        Exact names that data may be read from.
    restrict_pipelines : frozenset of str
        SHA-256 of the pipelines that may run; empty means any that pass the guard.
    allow_unsafe_eval : bool
        Allow ``Generic``, which runs any Python code.
    max_points : int
        Points of one request.
    allowed_nodes : frozenset of str
        Full names of nodes that are allowed only because this deployment names them: of podpac's as in
        ``allowlist.json``, ``plugin.Node`` of others.
    plugin_nodes : mapping of str to NodeRule
        The nodes that plugins brought into the function's code, by ``plugin.Node``.
    judges_plugins : bool
        Refuse a plugin's node that is unknown here. Without it, its place in the pipeline is checked and nothing else:
        for a client, which does not know what is in the function's code and leaves that to the function.
    """

    allowed_buckets: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] = frozenset()
    restrict_pipelines: frozenset[str] = frozenset()
    allow_unsafe_eval: bool = False
    max_points: int = 10**8
    allowed_nodes: frozenset[str] = frozenset()
    plugin_nodes: Mapping[str, NodeRule] = field(default_factory=dict, hash=False)
    judges_plugins: bool = True

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, judges_plugins: bool = True) -> Policy:
        """Read the policy from the function's environment variables; what is not set is not allowed.

        Parameters
        ----------
        environ : mapping of str to str
            ``LAMBDA_TASK_ROOT``, which Lambda sets, is where the plugins' nodes are described.
        judges_plugins : bool, optional
            See :class:`Policy`.

        Raises
        ------
        ArchiveCorruptError
            The descriptions of the plugins' nodes are damaged.
        """
        memory = _whole(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""), MEMORY_MB[0])
        return cls(
            allowed_buckets=_names(environ.get("FUNCTION_ALLOWED_BUCKETS", "")),
            allowed_hosts=_names(environ.get("FUNCTION_ALLOWED_HOSTS", "").lower()),
            restrict_pipelines=_names(environ.get("FUNCTION_RESTRICT_PIPELINES", "").lower()),
            allow_unsafe_eval=environ.get("FUNCTION_ALLOW_UNSAFE_EVAL", "") == "true",
            max_points=_whole(environ.get("FUNCTION_MAX_POINTS", ""), default_max_points(memory)),
            allowed_nodes=_names(environ.get("FUNCTION_ALLOWED_NODES", "")),
            plugin_nodes=read_plugin_nodes(Path(root)) if (root := environ.get("LAMBDA_TASK_ROOT", "")) else {},
            judges_plugins=judges_plugins,
        )


def default_max_points(memory_mb: int) -> int:
    """Points that fit a function's memory.

    Parameters
    ----------
    memory_mb : int
        Memory of the function, MB. 150 of them are podpac's.
    """
    return max(64, memory_mb - 150) * MEGABYTE // _BYTES_PER_POINT


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else default
