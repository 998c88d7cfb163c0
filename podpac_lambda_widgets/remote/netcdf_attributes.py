"""The attributes of a result: as netCDF holds them, and as JSON that keeps what netCDF cannot say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from podpac_lambda_widgets.errors import ResultError

#: What readers and xarray's writer act on (CF conventions 1.11: packing, missing data, time, references to other
#: variables; xarray's ``conventions``): the values would come back changed, or not be written.
_ACTED_ON = {
    "scale_factor", "add_offset", "missing_value", "dtype", "calendar", "valid_min", "valid_max", "valid_range",
    "coordinates", "bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms", "ancillary_variables",
}  # fmt: skip
#: What netCDF 4 keeps for itself in HDF5.
_OF_HDF5 = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"}


def serialized(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes as PODPAC writes them: units as text, the style as JSON."""
    found = {str(name): value for name, value in attrs.items()}
    style = found.get("layer_style")
    if style is not None and not isinstance(style, str):
        found["layer_style"] = style.json
    if found.get("units") is not None:
        found["units"] = str(found["units"])
    return found


def plain_attrs(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that netCDF can hold and readers only show, in the form PODPAC's own reader expects."""
    import numpy as np

    found: dict[str, Any] = {}
    for name, value in attrs.items():
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


def tag(value: Any) -> Any:
    """Attributes as JSON from which :func:`untag` gives the same back.

    Raises
    ------
    ResultError
        A type that JSON cannot say.
    """
    import numpy as np

    if value is None or isinstance(value, bool | str) or type(value) in (int, float):
        return value
    if isinstance(value, Mapping):
        return {"dict": [[tag(key), tag(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [tag(item) for item in value]}
    if isinstance(value, list):
        return [tag(item) for item in value]
    if isinstance(value, np.datetime64 | np.timedelta64):
        return {"time": [value.dtype.str, int(value.astype("i8"))]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return {"array": [value.dtype.str, value.tolist()]}
    if isinstance(value, np.generic) and value.dtype.kind in "fiub":
        return {"number": [value.dtype.str, value.item()]}
    raise ResultError("The result has an attribute that cannot be sent", why=f"type {type(value).__name__}")


def untag(value: Any) -> Any:
    """Undo :func:`tag`."""
    import numpy as np

    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {untag(key): untag(item) for key, item in inner}
    if kind == "tuple":
        return tuple(untag(item) for item in inner)
    if kind == "array":
        return np.asarray(inner[1], inner[0])
    if kind == "number":
        return np.dtype(inner[0]).type(inner[1])
    return np.asarray(inner[1], "i8").astype(inner[0])[()]
