"""A result as a file: netCDF, GeoTIFF, CSV."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.errors import DependencyMissingError, ResultError
from podpac_lambda_widgets.plots.values import text_of

if TYPE_CHECKING:
    import xarray as xr

#: Rows of a table that a spreadsheet or an editor can still be asked to open; a file of some 300 MB.
CSV_ROWS = 5_000_000


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
    """The whole array as GeoTIFF, as the function itself writes it.

    Raises
    ------
    DependencyMissingError
        rasterio is not installed.
    ResultFormatError
        Not a regular grid of latitudes and longitudes, or values that TIFF has no type for.
    """
    from podpac_lambda_widgets.remote.geotiff import encode_geotiff

    try:
        return encode_geotiff(array, {})
    except ModuleNotFoundError as error:
        raise DependencyMissingError(
            f"GeoTIFF needs {error.name}, which is not installed here",
            next_step=f"Install it with: pip install {error.name}; or download NetCDF.",
        ) from None


def _is_text(values: Any) -> bool:
    return bool(values.dtype.kind not in "biufM")


#: What writes each format that holds the whole array; a PNG shows one plane of it.
WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "netcdf": write_netcdf,
    "geotiff": write_geotiff,
    "csv": write_csv,
}
