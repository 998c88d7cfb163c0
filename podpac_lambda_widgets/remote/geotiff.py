"""Maps as GeoTIFF, which every GIS reads: what the function answers, and what a result is downloaded as."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from podpac_lambda_widgets.errors import ResultFormatError
from podpac_lambda_widgets.remote.json_arrays import plain
from podpac_lambda_widgets.remote.netcdf_attributes import serialized

if TYPE_CHECKING:
    import numpy as np
    import pyproj
    import xarray as xr

_MAP = ("lat", "lon")
#: A band for each combination of the other coordinates. GDAL takes 65,535; no GIS shows as many.
MAX_BANDS = 4096
#: How far a point may be from its place, in steps: what is lost by computing coordinates in float64.
_TOLERANCE = 1e-6
_KINDS = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"}
#: Types that TIFF has not, by what holds them without loss.
_HELD_AS = {"b1": "u1", "f2": "f4"}
#: libtiff's predictors by kind of type: differences of integers, and of the bytes of floats. Complex numbers have none.
_PREDICTORS = {"u": 2, "i": 2, "f": 3}
#: Names of attributes that the file says in its own way.
_SAID = {"crs", "geotransform", "units", "layer_style"}


def encode_geotiff(array: xr.DataArray, options: Mapping[str, object]) -> bytes:
    """Write an array as GeoTIFF: north up, west left, a band for each value of the other dimensions.

    Values and their type are kept exactly; booleans become bytes, half floats floats. Coordinates are the centres of
    the pixels, as in podpac; longitudes go on rising across the date line. A row or column of one point is as high or
    wide as the pixels are in the other direction, and a single point one unit of the CRS.

    Parameters
    ----------
    array : xarray.DataArray
        Dimensions ``lat`` and ``lon``, both uniform, and others.
    options : mapping
        ``compress``: deflate (with the predictor that fits the type) or none.

    Raises
    ------
    ResultFormatError
        It is not a uniform grid, or has too many bands; its values are no numbers, or its CRS cannot be written.
    """
    from rasterio.errors import CRSError
    from rasterio.io import MemoryFile

    others = _bands(array)
    crs = _crs(array)
    lat, lon = (_points(array, name, around=name == "lon" and crs.is_geographic) for name in _MAP)
    upright = array.transpose(*others, *_MAP)
    upright = upright.isel(lat=slice(None, None, -1 if lat[0] < lat[-1] else 1))
    upright = upright.isel(lon=slice(None, None, -1 if lon[0] > lon[-1] else 1))
    values = _numbers(upright.values).reshape(-1, lat.size, lon.size)
    with MemoryFile() as file:
        try:
            opened = file.open(**_profile(values, options), crs=_text(crs), transform=_transform(lat, lon))
        except CRSError:
            _refuse(f"GDAL does not know its CRS, {_text(crs)[:100]}.")
        with opened as dataset:
            dataset.write(values)
            dataset.update_tags(**_tags(array))
            dataset.descriptions = _descriptions(array, others)
            if array.attrs.get("units") is not None:
                dataset.units = (str(array.attrs["units"]),) * len(values)
        body = bytes(file.read())
    with MemoryFile(body) as file, file.open() as written:
        # GDAL writes into a second file, without a word, what GeoTIFF has no keys for.
        if not written.crs:
            _refuse(f"GeoTIFF cannot hold its CRS, {array.attrs['crs']!s:.100}.")
    return body


def _bands(array: xr.DataArray) -> list[Hashable]:
    """The dimensions whose points are bands."""
    import numpy as np

    for name in _MAP:
        if name not in array.dims:
            _refuse(f"It has no dimension {name}.")
    if not array.size:
        _refuse("It has no values.")
    others = [dim for dim in array.dims if dim not in _MAP]
    bands = int(np.prod([array.sizes[dim] for dim in others], dtype=int))
    if bands > MAX_BANDS:
        _refuse(f"It would have {bands:,} bands; at most {MAX_BANDS:,} are written.")
    return others


def _points(array: xr.DataArray, name: str, *, around: bool) -> np.ndarray[Any, Any]:
    """Where the points of a dimension stand, float64, rising or falling in one step; ``around`` the globe."""
    import numpy as np

    points = array[name].values if name in array.coords else np.array("")
    steps = np.zeros(1)
    if points.dtype.kind in "iuf" and np.isfinite(points).all():
        points = points.astype(float)
        points = np.unwrap(points, period=360) if around else points
        steps = np.diff(points)
    if not ((steps > 0).all() or (steps < 0).all()):
        _refuse(f"Its points along {name} are no rising or falling numbers.")
    even = np.linspace(points[0], points[-1], points.size)
    if np.abs(points - even).max() > _TOLERANCE * np.abs(steps).min(initial=np.inf):
        _refuse(f"Its steps along {name} differ: from {steps.min():.6g} to {steps.max():.6g}.")
    return points


def _transform(lat: np.ndarray[Any, Any], lon: np.ndarray[Any, Any]) -> Any:
    """The northern and western edge, and how high and wide a pixel is."""
    from affine import Affine

    high, wide = (float(abs(points[-1] - points[0])) / max(points.size - 1, 1) for points in (lat, lon))
    # The other dimension tells how large a pixel is; a single one has no size of its own.
    high, wide = high or wide or 1.0, wide or high or 1.0
    return Affine(wide, 0.0, float(lon.min()) - wide / 2, 0.0, -high, float(lat.max()) + high / 2)


def _numbers(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    kind = values.dtype.str[1:]
    kind = _HELD_AS.get(kind, kind)
    if kind not in _KINDS:
        _refuse(f"TIFF has no type for {values.dtype} values.")
    return values.astype(kind, copy=False)


def _profile(values: np.ndarray[Any, Any], options: Mapping[str, object]) -> dict[str, Any]:
    bands, height, width = values.shape
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "dtype": values.dtype.name,
        "count": bands,
        "height": height,
        "width": width,
        "bigtiff": "if_safer",
    }
    if values.dtype.kind in "fc":
        profile["nodata"] = float("nan")
    if options.get("compress", "deflate") == "deflate":
        profile |= {"compress": "deflate", "predictor": _PREDICTORS.get(values.dtype.kind, 1)}
    return profile


def _crs(array: xr.DataArray) -> pyproj.CRS:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    # What PODPAC takes coordinates for that do not say.
    told = str(array.attrs.get("crs") or "EPSG:4326")
    try:
        return CRS(told).to_2d()
    except CRSError:
        _refuse(f"Its CRS is unknown: {told[:100]}.")


def _text(crs: pyproj.CRS) -> str:
    """The CRS as text that GDAL reads: PROJ's own database may be another version than GDAL's."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.to_wkt()


def _descriptions(array: xr.DataArray, others: list[Hashable]) -> tuple[str, ...]:
    """What each band is: the name of the array, and where it stands along the other dimensions."""
    name = [] if array.name is None else [str(array.name)]
    along = [[f"{dim}={label}" for label in _labels(array, dim)] for dim in others]
    return tuple(", ".join([*name, *parts]) for parts in itertools.product(*along))


def _labels(array: xr.DataArray, dim: Hashable) -> list[str]:
    import numpy as np

    values = array[dim].values
    # Times as short as they are exact.
    return [str(each) for each in (np.datetime_as_string(values, unit="auto") if values.dtype.kind == "M" else values)]


def _tags(array: xr.DataArray) -> dict[str, str]:
    attrs = plain(serialized(array.attrs))
    # GDAL parts a name from its value at the first = or colon.
    named = {name: value for name, value in attrs.items() if name.isprintable() and not {"=", ":"} & {*name}}
    tags = {name: str(value) for name, value in named.items() if name and name not in _SAID}
    return {**tags, **({"name": str(array.name)} if array.name is not None else {})}


def _refuse(why: str) -> NoReturn:
    raise ResultFormatError(
        "The result does not fit into a GeoTIFF",
        why=why,
        next_step="A GeoTIFF is a regular grid of lat and lon, with numbers. Take netCDF instead.",
    )
