"""What PODPAC's sources may reach while a checked request is evaluated.

The guard decides what a definition names. What is found there may name more: a server redirects, a raster refers to
other files. That is refused here, where it happens.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from podpac_lambda_widgets.errors import PipelineRejectedError
from podpac_lambda_widgets.remote.locations import check_location

#: GDAL's drivers for files that hold all their data. The many others refer to files and addresses, or run code.
#: ``MEM`` is what rasterio itself computes with.
RASTER_DRIVERS = frozenset({"GTiff", "COG", "PNG", "JPEG", "JP2OpenJPEG", "MEM"})


@contextmanager
def limited_sources(pipeline: Mapping[str, Any], allowed_hosts: Collection[str]) -> Iterator[None]:
    """Hold the sources of a checked pipeline to what is allowed.

    Parameters
    ----------
    pipeline : mapping
    allowed_hosts : collection of str
        Hosts that may be asked, redirects included.
    """
    kinds = {node["node"].rpartition(".")[2] for node in pipeline.values() if isinstance(node, Mapping)}
    with ExitStack() as limits:
        if "Rasterio" in kinds:
            keep_raster_drivers()
            limits.enter_context(_own_overviews())
        limits.enter_context(_limited_requests(allowed_hosts))
        yield


def keep_raster_drivers() -> None:
    """Take all drivers but ``RASTER_DRIVERS`` from GDAL, for the life of the process.

    ``GDAL_SKIP`` would need the names of all others, which differ between versions; ``GDALDeregisterDriver`` of GDAL's
    C interface takes what there is.
    """
    rasterio: Any = importlib.import_module("rasterio")
    with rasterio.Env():
        # rasterio registers the drivers. Its extension module leads to the very GDAL it is linked with.
        gdal = ctypes.CDLL(importlib.import_module("rasterio._env").__file__)
        gdal.GDALGetDriver.restype = ctypes.c_void_p
        gdal.GDALGetDescription.restype = ctypes.c_char_p
        gdal.GDALGetDescription.argtypes = gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
        for driver in [gdal.GDALGetDriver(number) for number in range(gdal.GDALGetDriverCount())]:
            if gdal.GDALGetDescription(driver).decode() not in RASTER_DRIVERS:
                gdal.GDALDeregisterDriver(driver)


@contextmanager
def _own_overviews() -> Iterator[None]:
    """Refuse a raster whose metadata name the file of its overviews, which GDAL opens wherever it is."""
    source: Any = importlib.import_module("podpac.core.data.rasterio_source").Rasterio
    open_dataset = source.open_dataset

    def open_if_alone(self: Any, *args: Any, **options: Any) -> Any:
        dataset = open_dataset(self, *args, **options)
        if "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS"):
            dataset.close()
            raise PipelineRejectedError(
                "The raster is not allowed",
                resource=str(self.source)[:100],
                why="it names another file as its overviews",
                next_step="Store the overviews in the raster itself, as a cloud-optimized GeoTIFF does",
            )
        return dataset

    source.open_dataset = open_if_alone
    try:
        yield
    finally:
        source.open_dataset = open_dataset


@contextmanager
def _limited_requests(allowed_hosts: Collection[str]) -> Iterator[None]:
    session: Any = importlib.import_module("requests").Session
    send = session.send

    def send_if_allowed(self: Any, request: Any, **options: Any) -> Any:
        # requests comes here again for each redirect.
        check_location(request.url, (), allowed_hosts, "an address that the source led to")
        return send(self, request, **options)

    session.send = send_if_allowed
    try:
        yield
    finally:
        session.send = send
