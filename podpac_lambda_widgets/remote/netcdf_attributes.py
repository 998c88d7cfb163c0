"""The attributes of a result, as PODPAC writes them and as netCDF holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: What readers and xarray's writer act on (CF conventions 1.11: packing, missing data, time, references to other
#: variables; xarray's ``conventions``): the values would come back changed, or not be written.
_ACTED_ON = {
    "scale_factor", "add_offset", "missing_value", "dtype", "calendar", "valid_min", "valid_max", "valid_range",
    "coordinates", "bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms", "ancillary_variables",
}  # fmt: skip
#: What netCDF 4 keeps for itself in HDF5.
_OF_HDF5 = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"}


def serialized(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """Attributes as PODPAC writes them: units as text, the style as JSON."""
    found = dict(attrs)
    style = found.get("layer_style")
    if style is not None and not isinstance(style, str):
        found["layer_style"] = style.json
    if found.get("units") is not None:
        found["units"] = str(found["units"])
    return found


def plain_attrs(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """The attributes that netCDF can hold and readers only show, in the form PODPAC's own reader expects."""
    import numpy as np

    found: dict[str, Any] = {}
    for key, value in attrs.items():
        name = str(key)
        if name in _ACTED_ON or name in _OF_HDF5 or name.startswith("_"):
            continue
        if isinstance(value, Mapping):
            found[name] = json.dumps(_loose(value))
        elif isinstance(value, str | float | np.floating) or (
            isinstance(value, int | np.integer) and abs(int(value)) < 2**31
        ):
            found[name] = value
        elif (
            isinstance(value, tuple | list)
            and value
            and all(type(item) is float or isinstance(item, np.floating) for item in value)
        ):
            found[name] = np.asarray(value, float)
    return found


def _loose(value: Any) -> Any:
    import numpy as np

    if isinstance(value, Mapping):
        return {str(key): _loose(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_loose(item) for item in value]
    if isinstance(value, np.datetime64):
        return str(value)
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
