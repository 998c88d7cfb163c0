"""GDAL, held to the one raster that a pipeline names."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from podpac_lambda_widgets.errors import PipelineRejectedError

#: GDAL's drivers for files that hold all their data. The many others refer to files and addresses, or run code.
#: ``MEM`` is what rasterio itself computes with.
RASTER_DRIVERS = frozenset({"GTiff", "COG", "PNG", "JPEG", "JP2OpenJPEG", "MEM"})


@contextmanager
def contained_rasters() -> Iterator[None]:
    """Let podpac's ``Rasterio`` read what is in its file, as the file is now."""
    source: Any = importlib.import_module("podpac.core.data.rasterio_source").Rasterio
    open_dataset = source.open_dataset

    def open_if_alone(self: Any, path: str, *args: Any, **options: Any) -> Any:
        with importlib.import_module("rasterio").Env():
            # rasterio registers GDAL's drivers when its first environment begins.
            _keep_drivers()
        dataset = open_dataset(self, path, *args, **options)
        if "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS"):
            # GDAL opens that file wherever it is.
            dataset.close()
            raise PipelineRejectedError(
                "The raster is not allowed",
                resource=str(path)[:100],
                why="it names another file as its overviews",
                next_step="Store the overviews in the raster itself, as a cloud-optimized GeoTIFF does",
            )
        return dataset

    source.open_dataset = open_if_alone
    try:
        yield
    finally:
        source.open_dataset = open_dataset
        if _keep_drivers.cache_info().currsize:
            # Until the next request an object may be replaced.
            _keep_drivers().VSICurlClearCache()


@cache
def _keep_drivers() -> ctypes.CDLL:
    """Take all drivers but ``RASTER_DRIVERS`` from GDAL, for the life of the process.

    ``GDAL_SKIP`` would need the names of all others, which differ between versions; ``GDALDeregisterDriver`` of GDAL's
    C interface takes what there is.
    """
    # rasterio's extension module leads to the very GDAL it is linked with.
    gdal = ctypes.CDLL(importlib.import_module("rasterio._env").__file__)
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDescription.restype = ctypes.c_char_p
    gdal.GDALGetDescription.argtypes = gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    for driver in [gdal.GDALGetDriver(number) for number in range(gdal.GDALGetDriverCount())]:
        if gdal.GDALGetDescription(driver).decode() not in RASTER_DRIVERS:
            gdal.GDALDeregisterDriver(driver)
    return gdal
