"""PODPAC where it is installed: its settings, and what a node of its own is; without it, plain stand-ins."""

from __future__ import annotations

import logging
import warnings
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

#: PODPAC's own settings when podpac is there, else a plain mapping with the same names. Read, never written.
settings: MutableMapping[str, Any] = {}
#: What makes a class a podpac node.
NODE_BASES: tuple[Any, ...] = ()
_root_handlers, _root_level = list(logging.root.handlers), logging.root.level
try:
    import podpac

    settings = podpac.settings
    NODE_BASES = (podpac.Node,)
except (ImportError, AttributeError) as _problem:
    if getattr(_problem, "name", None) != "podpac":
        warnings.warn(
            f"podpac is installed but cannot be imported: {_problem}. Lambda takes pipelines as JSON only. "
            "Install podpac-lambda-widgets[podpac], which names what podpac leaves out.",
            stacklevel=2,
        )
finally:
    # What podpac imports (lazy_import) has the root logger print everything from INFO on, into the notebook.
    if not _root_handlers:
        logging.root.handlers[:] = []
        logging.root.setLevel(_root_level)


def as_units_array(array: xr.DataArray) -> xr.DataArray:
    """The array as podpac's own nodes return it; as it is where podpac is not."""
    if not NODE_BASES:
        return array
    from podpac import UnitsDataArray

    units_array = UnitsDataArray(array)
    units_array._pp_deserialize()
    return units_array  # type: ignore[no-any-return]  # podpac has no types
