"""Files in the formats that podpac's sources read, and files that would have the function read more than themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import podpac

LAT, LON = np.array([30.0, 20.0, 10.0]), np.array([5.0, 15.0, 25.0, 35.0])
TIME = np.array(["2018-01-01", "2018-01-02"], dtype="datetime64[ns]")
PLANE = np.random.default_rng(11).normal(size=(3, 4))
CUBE = np.random.default_rng(12).normal(size=(2, 3, 4))
AT = podpac.Coordinates([LAT, LON], dims=["lat", "lon"])
AT_TIMES = podpac.Coordinates([TIME, LAT, LON], dims=["time", "lat", "lon"])


@dataclass(frozen=True)
class SourceCase:
    """A file, and the node that reads it.

    Attributes
    ----------
    node : str
        Name of the node as definitions have it.
    file : str
        Name of the file or folder.
    write : callable
        Writes it to a path.
    attrs : dict
    coordinates : podpac.Coordinates
        What is asked.
    """

    node: str
    file: str
    write: Callable[[Path], object]
    attrs: dict[str, Any] = field(default_factory=dict)
    coordinates: Any = field(default_factory=lambda: AT)

    def make(self, folder: Path) -> Any:
        """The node over the file in `folder`."""
        kind = getattr(podpac.data, self.node.rpartition(".")[2])
        return kind(source=str(folder / self.file), **self.attrs)

    def pipeline(self, folder: str) -> dict[str, Any]:
        """Its definition, over the file in `folder`: a path or an address of S3."""
        return {"source": {"node": self.node, "attrs": {"source": f"{folder}/{self.file}", **self.attrs}}}


def write_table(path: Path) -> None:
    rows = ((lat, lon, PLANE[i, j]) for i, lat in enumerate(LAT) for j, lon in enumerate(LON))
    path.write_text("lat,lon,data\n" + "".join(f"{lat},{lon},{value}\n" for lat, lon, value in rows))


def write_raster(path: Path) -> None:
    import rasterio

    place = rasterio.Affine(10, 0, 0, 0, -10, 35)
    shape = {"width": 4, "height": 3, "count": 1, "dtype": "float64"}
    with rasterio.open(path, "w", driver="GTiff", transform=place, crs="EPSG:4326", **shape) as made:
        made.write(PLANE[np.newaxis])


def dataset() -> Any:
    import xarray as xr

    values = {"data": (("time", "lat", "lon"), CUBE, {"long_name": "moisture"})}
    return xr.Dataset(values, coords={"time": TIME, "lat": LAT, "lon": LON})


def write_netcdf4(path: Path) -> None:
    dataset().to_netcdf(path, engine="h5netcdf")


def write_netcdf3(path: Path) -> None:
    dataset().to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def write_hdf5(path: Path, add: Callable[[Any], object] = lambda file: file.create_dataset("data", data=PLANE)) -> None:
    """A file that is netCDF too: `add` puts its dataset "data" into it."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, values in (("lat", LAT), ("lon", LON)):
            file[name] = values
            file[name].make_scale(name)
        add(file)
        if isinstance(file.get("data", getlink=True), h5py.HardLink):
            for number, name in enumerate(("lat", "lon")):
                file["data"].dims[number].attach_scale(file[name])


def write_zarr(path: Path) -> None:
    import zarr

    group = zarr.open_group(str(path), mode="w")
    for name, values, dims in (("lat", LAT, ["lat"]), ("lon", LON, ["lon"]), ("data", PLANE, ["lat", "lon"])):
        group.array(name, values).attrs["_ARRAY_DIMENSIONS"] = dims
    zarr.consolidate_metadata(str(path))


POINTS = podpac.Coordinates([[np.repeat(LAT, 4), np.tile(LON, 3)]], dims=["lat_lon"])
NATIVE = podpac.clinspace(30, 10, 3), podpac.clinspace(5, 35, 4)
IN_HDF5 = {"data_key": "/data", "lat_key": "/lat", "lon_key": "/lon"}
SOURCES = {
    "CSV": SourceCase("data.CSV", "soil.csv", write_table, {"data_key": "data"}, POINTS),
    "GeoTIFF": SourceCase("data.Rasterio", "soil.tif", write_raster, {}, podpac.Coordinates(NATIVE, ["lat", "lon"])),
    "netCDF 4": SourceCase("data.Dataset", "soil.nc", write_netcdf4, {"data_key": "data"}, AT_TIMES),
    "netCDF 3": SourceCase("data.Dataset", "soil3.nc", write_netcdf3, {"data_key": "data", "units": "m"}, AT_TIMES),
    "HDF5": SourceCase("data.H5PY", "soil.h5", write_hdf5, IN_HDF5),
    "Zarr": SourceCase("data.Zarr", "soil.zarr", write_zarr, {"data_key": "data"}),
}


def write_external_storage(path: Path) -> None:
    elsewhere = [("/proc/self/environ", 0, 12)]
    write_hdf5(path, lambda file: file.create_dataset("data", (3, 4), "u1", external=elsewhere))


def write_virtual_dataset(path: Path) -> None:
    import h5py

    layout = h5py.VirtualLayout(shape=(3, 4), dtype="f8")
    layout[:] = h5py.VirtualSource(os.fspath(path.with_name("soil.h5")), "data", shape=(3, 4))
    write_hdf5(path, lambda file: file.create_virtual_dataset("data", layout))


def write_external_link(path: Path) -> None:
    import h5py

    write_hdf5(path, lambda file: file.update(data=h5py.ExternalLink(os.fspath(path.with_name("soil.h5")), "data")))


class Runs:
    """What is unpickled runs."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('this ran')",)


def write_pickles(path: Path) -> None:
    import numcodecs
    import zarr

    write_zarr(path)
    group = zarr.open_group(str(path), mode="r+")
    made = group.create_dataset("data", shape=(3, 4), dtype=object, object_codec=numcodecs.Pickle(), overwrite=True)
    made.attrs["_ARRAY_DIMENSIONS"] = ["lat", "lon"]
    made[...] = np.full((3, 4), Runs(), dtype=object)
    zarr.consolidate_metadata(str(path))


def write_virtual_raster(path: Path) -> None:
    path.write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Float64" band="1"><SimpleSource>'
        "<SourceFilename>/proc/self/environ</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )


AS_NETCDF = {"data_key": "data"}
#: What is not the file's own is refused; each with what the error says.
TRICKS = {
    "external storage": (
        SourceCase("data.H5PY", "external.h5", write_external_storage, IN_HDF5),
        "external storage",
    ),
    "external storage, as netCDF": (
        SourceCase("data.Dataset", "external.h5", write_external_storage, AS_NETCDF),
        "external storage",
    ),
    "a virtual dataset": (SourceCase("data.H5PY", "virtual.h5", write_virtual_dataset, IN_HDF5), "virtual dataset"),
    "a virtual dataset, as netCDF": (
        SourceCase("data.Dataset", "virtual.h5", write_virtual_dataset, AS_NETCDF),
        "virtual dataset",
    ),
    "an external link": (SourceCase("data.H5PY", "link.h5", write_external_link, IN_HDF5), "too many links"),
    "an external link, as netCDF": (
        SourceCase("data.Dataset", "link.h5", write_external_link, AS_NETCDF),
        "too many links",
    ),
    "an array of pickles": (SourceCase("data.Zarr", "pickles.zarr", write_pickles, AS_NETCDF), "decoding metadata"),
    "a virtual raster": (SourceCase("data.Rasterio", "virtual.tif", write_virtual_raster), "not recognized"),
    "a table as netCDF": (SourceCase("data.Dataset", "soil.csv", write_table, AS_NETCDF), "neither HDF5 nor netCDF"),
}
