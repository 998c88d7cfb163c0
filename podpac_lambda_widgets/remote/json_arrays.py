"""Small results as JSON that ``xarray.DataArray.from_dict`` reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ResultError, ResultFormatError
from podpac_lambda_widgets.remote.netcdf_attributes import serialized

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

#: Values of a result, coordinates included: as text each takes about twenty bytes, and an answer has six million.
MAX_VALUES = 100_000
#: What JSON has no word for, but NaN, which is null.
_INFINITIES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def encode_json(array: xr.DataArray) -> bytes:
    """Write an array as strict JSON.

    The layout is that of ``xarray.DataArray.to_dict``, with ``dtype`` beside each ``data``. NaN and NaT are null,
    infinities the texts ``Infinity`` and ``-Infinity``, times ISO 8601; floats have as many digits as they need.

    Raises
    ------
    ResultFormatError
        Too many values, or values that JSON cannot hold.
    """
    count = array.size + sum(coord.size for coord in array.coords.values())
    if count > MAX_VALUES:
        raise ResultFormatError(
            "The result is too large for JSON",
            why=f"{count:,} values with its coordinates; the limit is {MAX_VALUES:,}",
            next_step="Ask for fewer points, or for netCDF",
        )
    flat = array.reset_index([name for name, index in array.indexes.items() if getattr(index, "nlevels", 1) > 1])
    found = {
        "name": None if flat.name is None else str(flat.name),
        **_variable(flat),
        "coords": {str(name): _variable(coord) for name, coord in flat.coords.items()},
    }
    return json.dumps(found, allow_nan=False, separators=(",", ":")).encode()


def decode_json(body: bytes) -> xr.DataArray:
    """Restore an array from what :func:`encode_json` wrote: equal but for the bits of NaN and the types of attributes.

    Raises
    ------
    ResultError
        It is something else.
    """
    import xarray as xr

    try:
        found = json.loads(body)
        coords = {name: (told["dims"], _values(told), told["attrs"]) for name, told in found["coords"].items()}
        return xr.DataArray(
            _values(found), dims=found["dims"], coords=coords, name=found["name"], attrs=dict(found["attrs"])
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResultError("The result is not JSON of ours", why=type(error).__name__) from None


def _variable(item: xr.DataArray) -> dict[str, Any]:
    return {
        "dims": [str(dim) for dim in item.dims],
        "dtype": item.dtype.str,
        "attrs": plain(serialized(item.attrs)),
        "data": _listed(item.values),
    }


def _listed(values: np.ndarray[Any, Any]) -> Any:
    import numpy as np

    kind = values.dtype.kind
    if kind in "mM":
        texts = values.astype(str) if kind == "M" else values.astype("i8")
        listed = texts.astype(object)
        listed[np.isnat(values)] = None
        return listed.tolist()
    if kind == "f":
        listed = values.astype(float).astype(object)
        if not np.isfinite(values).all():
            listed[np.isnan(values)] = None
            for infinity, word in _INFINITIES.items():
                listed[values == infinity] = word
        return listed.tolist()
    if kind in "biuUS" and kind != "S":
        return values.tolist()
    raise ResultFormatError(
        "The result has a type that JSON cannot hold", why=str(values.dtype), next_step="Ask for netCDF"
    )


def _values(told: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    dtype = np.dtype(told["dtype"])
    listed = np.array(told["data"], object)
    missing: Any = {"f": math.nan, "m": np.iinfo("i8").min, "M": "NaT"}.get(dtype.kind)
    filled = np.array([missing if value is None else value for value in listed.flat], object).reshape(listed.shape)
    # Through the type that reads the texts of infinities and times.
    through: Any = {"f": float, "m": "i8", "M": str}.get(dtype.kind, dtype)
    return filled.astype(through).astype(dtype)


def plain(value: Any) -> Any:
    """Attributes as JSON holds them; what is of another kind becomes text."""
    import numpy as np

    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return _INFINITIES.get(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
