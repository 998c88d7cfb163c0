"""A result as a file: netCDF, GeoTIFF, CSV."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.errors import DependencyMissingError, ResultError
from podpac_lambda_widgets.plots.axes import axis_of
from podpac_lambda_widgets.plots.values import text_of

if TYPE_CHECKING:
    import xarray as xr

#: Rows of a table that a spreadsheet or an editor can still be asked to open; a file of some 300 MB.
CSV_ROWS = 5_000_000
#: Steps of a grid may differ by this part of a step, as rounding makes them.
_UNIFORM = 1e-6
#: What PODPAC takes coordinates for that do not say.
_CRS = "EPSG:4326"
#: Types that TIFF has not, by what holds them without loss.
_TIFF_TYPES = {"bool": "uint8", "float16": "float32"}


@dataclass(frozen=True)
class FileFormat:
    """A kind of file.

    Parameters
    ----------
    label : str
        What people call it.
    suffix, mime : str
        ``mime`` as registered with IANA, where it is.
    """

    label: str
    suffix: str
    mime: str


FORMATS = {
    "netcdf": FileFormat("NetCDF", ".nc", "application/x-netcdf"),
    "geotiff": FileFormat("GeoTIFF", ".tif", "image/tiff"),
    "png": FileFormat("PNG", ".png", "image/png"),
    "csv": FileFormat("CSV", ".csv", "text/csv"),
}


def write_netcdf(array: xr.DataArray) -> bytes:
    """The whole array as netCDF, without loss; podpac reads it too."""
    from podpac_lambda_widgets.remote.netcdf import encode_array

    return encode_array(array, for_podpac=True)[0]


def write_csv(array: xr.DataArray) -> bytes:
    """The whole array as a table: a row for each value, its coordinates first; attributes as lines that begin with #.

    ``pandas.read_csv(file, comment="#")`` reads it.

    Raises
    ------
    ResultError
        More than ``CSV_ROWS`` values.
    """
    if array.size > CSV_ROWS:
        raise ResultError(
            "The result is too large for a CSV file",
            why=f"It would have {array.size:,} rows; at most {CSV_ROWS:,} are written.",
            next_step="Download NetCDF, or run fewer points.",
        )
    name = str(array.name or "value")
    index = {dim: array[dim].values for dim in array.dims}
    columns: dict[str, Any] = {}
    grid = np.indices(array.shape, sparse=True) if array.ndim else []
    for dim, along in zip(array.dims, grid, strict=True):
        values = np.array([text_of(each) for each in index[dim]]) if _is_text(index[dim]) else index[dim]
        columns[str(dim)] = np.broadcast_to(values[along], array.shape).ravel()
    pandas: Any = importlib.import_module("pandas")
    columns[name if name not in columns else f"{name} (value)"] = np.asarray(array.values).ravel()
    lines = [f"# {key}: {' '.join(str(value).split())}\n" for key, value in array.attrs.items()]
    table: str = pandas.DataFrame(columns).to_csv(index=False)
    return ("".join(lines) + table).encode()


def write_geotiff(array: xr.DataArray) -> bytes:
    """The whole array as GeoTIFF: north up, a band for each point of the dimensions other than latitude and longitude.

    Raises
    ------
    DependencyMissingError
        rasterio is not installed.
    ResultError
        Not a regular grid of latitudes and longitudes, or values that TIFF has no type for.
    """
    try:
        rasterio: Any = importlib.import_module("rasterio")
    except ImportError:
        raise DependencyMissingError(
            "GeoTIFF needs rasterio, which is not installed here",
            next_step="Install it with: pip install rasterio; or download NetCDF.",
        ) from None
    north, east = (_grid_axis(array, dim) for dim in ("lat", "lon"))
    values = _bands(array)
    kind = _TIFF_TYPES.get(values.dtype.name, values.dtype.name)
    if values.dtype.kind not in "biufc" or kind not in rasterio.dtypes.dtype_fwd.values():
        raise ResultError(
            "The result does not fit into a GeoTIFF",
            why=f"TIFF has no type for {values.dtype} values.",
            next_step="Download NetCDF, or convert the values to numbers.",
        )
    profile = {
        "driver": "GTiff", "count": values.shape[0], "height": values.shape[1], "width": values.shape[2],
        "dtype": kind, "crs": str(array.attrs.get("crs") or _CRS), "compress": "deflate", "BIGTIFF": "IF_SAFER",
        "transform": rasterio.transform.Affine(east.step, 0, east.first, 0, -north.step, north.last),
    }  # fmt: skip
    if values.dtype.kind in "fc":
        profile["nodata"] = np.nan
    with rasterio.MemoryFile() as memory:
        try:
            with memory.open(**profile) as tiff:
                tiff.write(values.astype(kind))
                tiff.descriptions = _band_names(array)
                tiff.update_tags(**{str(key): str(value) for key, value in array.attrs.items()})
        except rasterio.errors.CRSError as error:
            raise ResultError("The result does not fit into a GeoTIFF", why=f"Its CRS is unknown: {error}") from None
        return bytes(memory.read())


@dataclass(frozen=True)
class _GridAxis:
    """A regular axis: its outer edges, rising, and its step."""

    first: float
    last: float
    step: float


def _grid_axis(array: xr.DataArray, dim: str) -> _GridAxis:
    problem = ""
    if dim not in array.dims:
        problem = f"It has no dimension {dim}."
    elif array.sizes[dim] < 2:
        problem = f"It has one point along {dim}, so that nobody knows how large a pixel is."
    else:
        axis = axis_of(array, dim)
        steps = np.diff(axis.positions)
        step = float(np.abs(steps).mean())
        if axis.kind not in ("lat", "lon", "number"):
            problem = f"Its points along {dim} are no rising or falling numbers."
        elif not np.allclose(steps, steps[0], rtol=0, atol=step * _UNIFORM):
            problem = f"Its steps along {dim} differ: from {text_of(steps.min())} to {text_of(steps.max())}."
        else:
            return _GridAxis(float(axis.edges.min()), float(axis.edges.max()), step)
    raise ResultError(
        "The result does not fit into a GeoTIFF",
        why=problem,
        next_step="A GeoTIFF is a regular grid of lat and lon. Download NetCDF instead.",
    )


def _others(array: xr.DataArray) -> list[str]:
    return [str(dim) for dim in array.dims if dim not in ("lat", "lon")]


def _bands(array: xr.DataArray) -> Any:
    """The values as (band, row, column): the northernmost row and the westernmost column first."""
    sorted_ = array.transpose(*_others(array), "lat", "lon")
    values = np.asarray(sorted_.values).reshape(-1, array.sizes["lat"], array.sizes["lon"])
    north, east = (axis_of(array, dim).positions for dim in ("lat", "lon"))
    rows = slice(None, None, -1) if north[0] < north[-1] else slice(None)
    columns = slice(None, None, -1) if east[0] > east[-1] else slice(None)
    return values[:, rows, columns]


def _band_names(array: xr.DataArray) -> tuple[str, ...]:
    axes = [axis_of(array, dim) for dim in _others(array)]
    name = str(array.name or "value")
    shape = [array.sizes[axis.dim] for axis in axes]
    return tuple(
        ", ".join([name, *(f"{axis.dim} {axis.text_at(at)}" for axis, at in zip(axes, index, strict=True))])
        for index in np.ndindex(*shape)
    )


def _is_text(values: Any) -> bool:
    return bool(values.dtype.kind not in "biufM")


#: What writes each format that holds the whole array; a PNG shows one plane of it.
WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "netcdf": write_netcdf,
    "geotiff": write_geotiff,
    "csv": write_csv,
}
