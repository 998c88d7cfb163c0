"""Results as netCDF, without loss.

The file is one that PODPAC's own ``UnitsDataArray.open`` reads. What netCDF cannot say (exact types, the order of
coordinates, which coordinates were stacked, tuples among the attributes) is written beside it, as JSON in the
file's global attributes;
:func:`decode_array` restores it. netCDF 3 holds floats, and integers, times and text that fit its types exactly;
whatever does not goes to netCDF 4.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.remote.netcdf_attributes import plain_attrs, serialized
from podpac_lambda_widgets.remote.typed_json import tag, untag

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

#: xarray's own name for the variable of an array without a name.
_VARIABLE = "__xarray_dataarray_variable__"
_RECORD = "podpac_lambda_widgets"
_NETCDF3_KINDS = ("f4", "f8", "i1", "i2", "i4")
#: netCDF 3 with 64-bit offsets holds variables up to 4 GiB; stay well below.
_NETCDF3_BYTES = 2**31
_TIME_UNITS = {
    "D": "days", "h": "hours", "m": "minutes", "s": "seconds",
    "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
}  # fmt: skip

_TICKS = {"ms": 10**3, "us": 10**6, "ns": 10**9}


class _DoesNotFit(Exception):
    """A value that netCDF 3 cannot hold exactly."""


def encode_array(array: xr.DataArray, *, for_podpac: bool = False) -> tuple[bytes, str]:
    """Encode an array.

    Parameters
    ----------
    array : xarray.DataArray
        Any shape; left as it was.
    for_podpac : bool, optional
        ``podpac.UnitsDataArray.open`` will read it, which takes the shape of a grid from the order of the file's
        coordinates.

    Returns
    -------
    body : bytes
    format : str
        ``netcdf3`` or ``netcdf4``.

    Raises
    ------
    ResultError
        A type or an attribute that netCDF cannot hold.
    """
    try:
        if for_podpac and _is_reordered(array):
            raise _DoesNotFit
        return _write_netcdf3(_dataset(array, small=True)), "netcdf3"
    except _DoesNotFit:
        return _write_netcdf4(_dataset(array, small=False)), "netcdf4"


def decode_array(body: bytes) -> xr.DataArray:
    """Restore what :func:`encode_array` was given: values, types, dimensions, coordinates and their order, attributes.

    Returns
    -------
    xarray.DataArray
        In memory. ``units`` and ``layer_style`` are text, as ``podpac.UnitsDataArray`` takes them.

    Raises
    ------
    ResultError
        Not a result of :func:`encode_array`.
    """
    try:
        return _restored(_read_file(body))
    # What xarray, its engines and numpy raise over bytes and a record that are not ours.
    except (ValueError, LookupError, OSError, TypeError, AttributeError, OverflowError) as error:
        raise ResultError("The result is not a netCDF file of ours", why=type(error).__name__) from None


def _read_file(body: bytes) -> xr.Dataset:
    import xarray as xr

    with xr.open_dataset(
        io.BytesIO(body),
        engine="scipy" if body[:3] == b"CDF" else "h5netcdf",
        mask_and_scale=False,
        decode_times=False,
        decode_timedelta=False,
        decode_coords=False,
    ) as opened:
        return opened.load()


def _restored(dataset: xr.Dataset) -> xr.DataArray:
    import xarray as xr

    record = json.loads(dataset.attrs[_RECORD])
    values = {name: _restore(dataset[name].values, told) for name, told in record["variables"].items()}
    dims = {name: tuple(told["dims"]) for name, told in record["variables"].items()}
    flat = xr.DataArray(
        values.pop(_VARIABLE),
        dims=dims[_VARIABLE],
        coords={name: (dims[name], value) for name, value in values.items()},
    )
    stacked = flat.set_index(record["stacked"]) if record["stacked"] else flat
    coords = {name: stacked.coords[name].variable for name in record["coords"]}
    indexes = {name: stacked.xindexes[name] for name in record["coords"] if name in stacked.xindexes}
    restored = xr.DataArray(
        flat.values,
        dims=flat.dims,
        coords=xr.Coordinates(coords, indexes),
        name=record["name"],
        attrs=untag(record["attrs"]),
    )
    for name, attrs in record.get("coord_attrs", {}).items():
        restored.coords[name].attrs = untag(attrs)
    return restored


def _is_reordered(array: xr.DataArray) -> bool:
    # scipy writes the larger of two coordinates first.
    sizes = [array.sizes[dim] for dim in array.dims if dim in ("lat", "lon")]
    return "geotransform" in array.attrs and sizes != sorted(sizes, reverse=True)


def _dataset(array: xr.DataArray, *, small: bool) -> xr.Dataset:
    import xarray as xr

    index = {dim: array.indexes[dim] for dim in array.dims if dim in array.indexes}
    stacked = {
        str(dim): [str(level) for level in found.names]
        for dim, found in index.items()
        if getattr(found, "nlevels", 1) > 1
    }
    flat = array.reset_index(list(stacked)) if stacked else array
    coords = {str(name): flat.coords[name] for name in flat.coords}
    variables: dict[str, Any] = {}
    record: dict[str, Any] = {}
    for name, item in {_VARIABLE: flat, **coords}.items():
        data, attrs, told = _store(item.values, small=small)
        variables[name] = (item.dims, data, attrs)
        record[name] = {"dims": list(item.dims), **told}
    attrs = serialized(array.attrs)
    told_all = {
        "name": array.name,
        "variables": record,
        "coords": [str(name) for name in array.coords],
        "stacked": stacked,
        "attrs": tag(attrs),
        "coord_attrs": {str(name): tag(serialized(item.attrs)) for name, item in array.coords.items() if item.attrs},
    }
    dims, data, own = variables.pop(_VARIABLE)
    dataset = xr.Dataset({_VARIABLE: (dims, data, {**plain_attrs(attrs), **own})}, coords=variables)
    dataset.attrs[_RECORD] = json.dumps(told_all, allow_nan=True)
    return dataset


def _store(
    values: np.ndarray[Any, Any], *, small: bool
) -> tuple[np.ndarray[Any, Any], dict[str, object], dict[str, object]]:
    """Return what is written, its attributes, and what is recorded of it."""
    import numpy as np

    kind = values.dtype.kind
    if kind in "Mm":
        return _store_times(values, small=small)
    if kind in "UO":
        return _store_text(values, small=small)
    told: dict[str, object] = {"dtype": values.dtype.newbyteorder("=").str}
    if kind == "b":
        return values.astype("i1"), {"dtype": "bool"}, told
    if kind not in "fiu":
        raise ResultError("The result has a type that netCDF cannot hold", why=str(values.dtype))
    if not small or values.dtype.str[1:] in _NETCDF3_KINDS:
        return values, {}, told
    if kind in "iu" and (values.size == 0 or (values.min() >= -(2**31) and values.max() < 2**31)):
        return values.astype("i4"), {}, told
    if kind == "f" and values.dtype.itemsize == 2:
        return values.astype("f4"), {}, told
    if np.dtype(values.dtype).itemsize > 8:
        raise ResultError("The result has a type that netCDF cannot hold", why=str(values.dtype))
    raise _DoesNotFit


def _store_times(
    values: np.ndarray[Any, Any], *, small: bool
) -> tuple[np.ndarray[Any, Any], dict[str, object], dict[str, object]]:
    import numpy as np

    told: dict[str, object] = {"dtype": values.dtype.newbyteorder("=").str}
    if np.isnat(values).any():
        raise ResultError("The result has a time that is not a time (NaT)", next_step="Leave it out of the coordinates")
    counts = values.astype("i8")
    unit, step = np.datetime_data(values.dtype)
    if unit not in _TIME_UNITS or step != 1:
        raise ResultError("The result has a time of a resolution that netCDF cannot hold", why=str(values.dtype))
    start = 0
    if small and counts.size:
        lowest, highest = int(counts.min()), int(counts.max())
        # A whole second, because that is what a date in the attribute can say to every reader.
        start = lowest - lowest % _TICKS.get(unit, 1) if values.dtype.kind == "M" else 0
        if highest - start >= 2**31 or lowest - start < -(2**31):
            raise _DoesNotFit
        counts = (counts - start).astype("i4")
    told.update(start=start, unit=unit)
    units = _TIME_UNITS[unit]
    if values.dtype.kind == "M":
        since = str(np.asarray(start, f"M8[{unit}]").astype("M8[s]")).replace("T", " ")
        return counts, {"units": f"{units} since {since}", "calendar": "proleptic_gregorian"}, told
    return counts, {"units": units}, told


def _store_text(
    values: np.ndarray[Any, Any], *, small: bool
) -> tuple[np.ndarray[Any, Any], dict[str, object], dict[str, object]]:
    texts = [str(item) for item in values.flat]
    if values.dtype.kind == "O" and not all(isinstance(item, str) for item in values.flat):
        raise ResultError("The result has a type that netCDF cannot hold", why="object")
    if any("\0" in text for text in texts):
        raise ResultError("The result has text that netCDF cannot hold", why="a zero character")
    if small and not any(texts):
        raise _DoesNotFit
    dtype = values.dtype.newbyteorder("=").str
    return values.astype(object), {}, {"dtype": dtype}


def _restore(values: np.ndarray[Any, Any], told: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    if "unit" in told:
        values = values.astype("i8") + told["start"]
    return np.asarray(values).astype(np.dtype(told["dtype"]))


def _write_netcdf3(dataset: xr.Dataset) -> bytes:
    if dataset.nbytes >= _NETCDF3_BYTES:
        raise _DoesNotFit
    return bytes(dataset.to_netcdf(engine="scipy", format="NETCDF3_64BIT", encoding=_no_fill(dataset)))


def _write_netcdf4(dataset: xr.Dataset) -> bytes:
    # A file, and not memory: xarray writes HDF5 into memory only in its newer versions.
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "result.nc"
        dataset.to_netcdf(path, engine="h5netcdf", encoding=_no_fill(dataset))
        return path.read_bytes()


def _no_fill(dataset: xr.Dataset) -> dict[str, dict[str, None]]:
    # A fill value would be read back as NaN.
    return {str(name): {"_FillValue": None} for name in dataset.variables}
