"""netCDF and HDF5 files, held to the one file that a pipeline names.

An HDF5 file can say that the values of a dataset are in another file (external storage, a virtual dataset) or that an
object is (an external link). HDF5's library opens those itself, ``/proc/self/environ`` too. The file is always given to
it as an open object of Python: HDF5 then follows links by that object and so into the same file. What it still opens by
name is refused when the dataset is opened, which reads its description alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import PipelineRejectedError

#: xarray's engine by how the file begins: that of HDF5 (File Format Specification, "Superblock"), and those of netCDF's
#: classic and 64-bit offset formats (Classic Format Specification, "magic").
_ENGINES = {b"\x89HDF\r\n\x1a\n": "h5netcdf", b"CDF\x01": "scipy", b"CDF\x02": "scipy"}


@contextmanager
def contained_files() -> Iterator[None]:
    """Let podpac's ``Dataset`` and ``H5PY`` read what is in their file, and ``H5PY`` an object of a bucket too."""
    dataset: Any = importlib.import_module("podpac.core.data.dataset_source").Dataset
    hdf5_source: Any = importlib.import_module("podpac.core.data.h5py_source").H5PY
    cached_property: Any = importlib.import_module("podpac.core.utils").cached_property
    before = dataset.open_dataset, hdf5_source.dataset
    dataset.open_dataset, hdf5_source.dataset = _open_dataset, cached_property(_open_hdf5)
    try:
        yield
    finally:
        dataset.open_dataset, hdf5_source.dataset = before


def _open_dataset(self: Any, file: Any) -> Any:
    """In place of ``Dataset.open_dataset``, which lets xarray choose among all its engines."""
    beginning = file.read(8)
    file.seek(0)
    engine = next((name for magic, name in _ENGINES.items() if beginning.startswith(magic)), None)
    if engine is None:
        _refuse("it is neither HDF5 nor netCDF of one of the formats 4, classic and 64-bit offset")
    if engine == "h5netcdf":
        _keep_values_inside()
    xarray: Any = importlib.import_module("xarray")
    return xarray.open_dataset(file, engine=engine, decode_cf=self.decode_cf)


def _open_hdf5(self: Any) -> Any:
    """In place of ``H5PY.dataset``, which takes a path of the machine alone."""
    _keep_values_inside()
    if self.source.startswith("s3://"):
        file = importlib.import_module("s3fs").S3FileSystem().open(self.source, "rb")
    else:
        file = Path(self.source).open("rb")  # noqa: SIM115 - h5py holds it, and closes it with the dataset
    return importlib.import_module("h5py").File(file, self.file_mode)


@cache
def _keep_values_inside() -> None:
    """Let h5py open no dataset whose values are in another file, for the life of the process."""
    h5py: Any = importlib.import_module("h5py")
    initialise = h5py.Dataset.__init__

    def initialise_contained(self: Any, bind: Any, *args: Any, **options: Any) -> None:
        creation = bind.get_create_plist()
        if creation.get_external_count():
            _refuse("the values of a dataset are in another file (external storage)")
        if creation.get_layout() == h5py.h5d.VIRTUAL:
            _refuse("the values of a dataset are in other files (a virtual dataset)")
        initialise(self, bind, *args, **options)

    h5py.Dataset.__init__ = initialise_contained


def _refuse(why: str) -> NoReturn:
    raise PipelineRejectedError(
        "The file is not allowed", why=why, next_step="Write all values into one netCDF or HDF5 file"
    )
