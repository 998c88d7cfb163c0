"""Maps as GeoTIFF, which every GIS reads."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineFailedError
from podpac_lambda_widgets.remote.json_arrays import plain
from podpac_lambda_widgets.remote.netcdf_attributes import serialized

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

_MAP = ("lat", "lon")
#: A band for each combination of the other coordinates. GDAL takes 65,535; no GIS shows as many.
MAX_BANDS = 4096
#: How far a step may be from the first one, in steps: what is lost by computing coordinates in float64.
_TOLERANCE = 1e-6
_KINDS = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"}
#: Names of attributes that the file says in its own way.
_SAID = {"crs", "geotransform", "units", "layer_style"}


def encode_geotiff(array: xr.DataArray, options: Mapping[str, object]) -> bytes:
    """Write an array as GeoTIFF: north up, west left, a band for each value of the other dimensions.

    Values and their type are kept exactly; booleans become bytes, half floats floats. Coordinates are the centres of
    the pixels, as in podpac.

    Parameters
    ----------
    array : xarray.DataArray
        Dimensions ``lat`` and ``lon``, both uniform, and others.
    options : mapping
        ``compress``: deflate (with the predictor that fits the type) or none.

    Raises
    ------
    InvalidCoordinatesError
        It is not a uniform grid, or has too many bands.
    PipelineFailedError
        Its values are no numbers, or its CRS cannot be written.
    """
    import numpy as np
    from rasterio.io import MemoryFile

    if not set(_MAP) <= set(array.dims):
        _refuse("The result is not a map", f"its dimensions are {', '.join(map(str, array.dims)) or 'none'}")
    others = [dim for dim in array.dims if dim not in _MAP]
    bands = int(np.prod([array.sizes[dim] for dim in others], dtype=int))
    if bands > MAX_BANDS:
        _refuse("The result has too many bands", f"{bands:,}; the limit is {MAX_BANDS:,}")
    upright = array.transpose(*others, *_MAP)
    north, west, steps = _corner(upright)
    upright = upright.isel(lat=slice(None, None, -1 if steps[0] > 0 else 1))
    upright = upright.isel(lon=slice(None, None, -1 if steps[1] < 0 else 1))
    values = _numbers(upright.values).reshape(bands, array.sizes["lat"], array.sizes["lon"])
    with MemoryFile() as file:
        with file.open(**_profile(values, array, (north, west, steps), options)) as dataset:
            dataset.write(values)
            dataset.update_tags(**_tags(array))
            for number, description in enumerate(_descriptions(array, others), 1):
                dataset.set_band_description(number, description)
            if array.attrs.get("units") is not None:
                dataset.units = (str(array.attrs["units"]),) * bands
        return bytes(file.read())


def _corner(array: xr.DataArray) -> tuple[float, float, tuple[float, float]]:
    """The northern and western edge, and the steps of latitude and longitude with their signs."""
    steps = _step(array, "lat"), _step(array, "lon")
    lat, lon = (array[name].values.astype(float) for name in _MAP)
    return float(lat.max()) + abs(steps[0]) / 2, float(lon.min()) - abs(steps[1]) / 2, steps


def _step(array: xr.DataArray, name: str) -> float:
    import numpy as np

    values = array[name].values.astype(float)
    if len(values) == 1:
        # The other dimension tells how large a pixel is; a single one has no size of its own.
        other = array["lon" if name == "lat" else "lat"].values.astype(float)
        return float(abs(other[1] - other[0])) if len(other) > 1 else 1.0
    step = (values[-1] - values[0]) / (len(values) - 1)
    if step == 0 or np.abs(values - (values[0] + step * np.arange(len(values)))).max() > _TOLERANCE * abs(step):
        _refuse(f"The {name} coordinates are not uniform", "a GeoTIFF has one size for all pixels")
    return float(step)


def _numbers(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if values.dtype.kind == "b":
        return values.astype("u1")
    if values.dtype.str[1:] == "f2":
        return values.astype("f4")
    if values.dtype.str[1:] not in _KINDS:
        raise PipelineFailedError(
            "The result has no numbers that a GeoTIFF holds", why=str(values.dtype), next_step="Ask for netCDF"
        )
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _profile(
    values: np.ndarray[Any, Any],
    array: xr.DataArray,
    place: tuple[float, float, tuple[float, float]],
    options: Mapping[str, object],
) -> dict[str, Any]:
    from affine import Affine

    north, west, (lat_step, lon_step) = place
    bands, height, width = values.shape
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "dtype": values.dtype.name,
        "count": bands,
        "height": height,
        "width": width,
        "crs": _crs(array),
        "transform": Affine(abs(lon_step), 0.0, west, 0.0, -abs(lat_step), north),
        "bigtiff": "if_safer",
    }
    if values.dtype.kind == "f":
        profile["nodata"] = float("nan")
    if options.get("compress", "deflate") == "deflate":
        profile |= {"compress": "deflate", "predictor": 3 if values.dtype.kind == "f" else 2}
    return profile


def _crs(array: xr.DataArray) -> str:
    """The CRS as text that GDAL reads: PROJ's own database may be another version than GDAL's."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = CRS(str(array.attrs.get("crs") or "EPSG:4326")).to_2d()
    except CRSError as error:
        raise PipelineFailedError("The result's CRS cannot be written", why=type(error).__name__) from None
    code = found.to_epsg()
    return f"EPSG:{code}" if code else found.to_wkt()


def _descriptions(array: xr.DataArray, others: list[Hashable]) -> list[str]:
    names = [[f"{dim}={_label(array, dim, place)}" for place in range(array.sizes[dim])] for dim in others]
    return [", ".join(parts) for parts in itertools.product(*names)]


def _label(array: xr.DataArray, dim: Hashable, place: int) -> str:
    return str(array[dim].values[place]) if dim in array.coords else str(place)


def _tags(array: xr.DataArray) -> dict[str, str]:
    attrs = plain(serialized(array.attrs))
    tags = {name: str(value) for name, value in attrs.items() if name not in _SAID and name.isidentifier()}
    return {**tags, **({"name": str(array.name)} if array.name is not None else {})}


def _refuse(what: str, why: str) -> NoReturn:
    raise InvalidCoordinatesError(what, field="coordinates", why=why, next_step="Ask for a uniform grid, or for netCDF")
