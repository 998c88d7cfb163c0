"""A result as a part of a Zarr array in the stack's bucket: many tiles, computed apart, make one array.

The array is described by the request alone, so that whichever tile comes first makes the same description, and no tile
waits for another. A tile writes whole chunks only: two that shared one would undo each other's work. What is missing is
seen from the chunks that are missing, see :func:`missing_chunks`; a chunk of NaN is there.

Source: Zarr storage specification, version 2; xarray's encoding of dimensions and times.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, ResultError
from podpac_lambda_widgets.remote.json_arrays import plain
from podpac_lambda_widgets.remote.netcdf_attributes import serialized
from podpac_lambda_widgets.remote.s3 import StackBucket

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

#: The name of an array that has none.
VARIABLE = "data"
#: Where a tile lies in the whole, or how its own grid lies; neither is the whole's.
_OF_THE_TILE = {"geotransform", "layer_style"}
_DESCRIPTION_BYTES = 32 * 1024 * 1024
_TICKS = {
    "D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds",
}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """What a tile has written.

    Attributes
    ----------
    store : str
        Address of the array, ``s3://bucket/key``.
    start, stop : mapping of str to int
        Its place along each dimension, as indices of the whole.
    chunks : tuple of str
        Keys of its chunks in the store.
    size : int
        Their bytes.
    """

    store: str
    start: Mapping[str, int]
    stop: Mapping[str, int]
    chunks: tuple[str, ...]
    size: int

    def to_json(self) -> bytes:
        """As the answer says it."""
        told = {
            "store": self.store,
            "start": dict(self.start),
            "stop": dict(self.stop),
            "chunks": list(self.chunks),
            "bytes": self.size,
        }
        return json.dumps(told, indent=1).encode()


def write_region(array: xr.DataArray, options: Mapping[str, Any], bucket: StackBucket) -> Region:
    """Write a tile into its place.

    Parameters
    ----------
    array : xarray.DataArray
        The tile. Each of its coordinates is one of the grid's, to the last bit.
    options : mapping
        As :func:`podpac_lambda_widgets.remote.outputs.read_output` lets them pass.
    bucket : StackBucket

    Raises
    ------
    InvalidCoordinatesError
        The tile is no part of the grid, or shares chunks with its neighbours.
    ResultError
        The stack has no bucket, another array is there under that name, or the tile has values that Zarr cannot hold.
    AwsError
        S3 did not take it.
    """
    if not bucket.name:
        raise ResultError(
            "There is no place for a Zarr array", why="the function has no bucket", next_step="Build it with a bucket"
        )
    whole = _Whole.of(array, options)
    description = whole.description()
    prefix = f"{bucket.output}/{options['store']}.zarr"
    region = _find_region(array, whole)
    chunks = _chunks(array, whole, description, region)
    for key, body in description.items():
        if not bucket.put_new(f"{prefix}/{key}", body, content_type="application/octet-stream"):
            _check_same(bucket.read(f"{prefix}/{key}", _DESCRIPTION_BYTES), body, f"s3://{bucket.name}/{prefix}/{key}")
    for key, body in chunks.items():
        bucket.put(f"{prefix}/{key}", body, content_type="application/octet-stream")
    return Region(
        f"s3://{bucket.name}/{prefix}",
        {dim: place.start for dim, place in region.items()},
        {dim: place.stop for dim, place in region.items()},
        tuple(chunks),
        sum(map(len, chunks.values())),
    )


def missing_chunks(description: Mapping[str, Any], name: str, keys: Collection[str]) -> tuple[str, ...]:
    """Which chunks of an array nobody has written.

    Parameters
    ----------
    description : mapping
        The array's ``.zarray``.
    name : str
        The array's name in the store.
    keys : collection of str
        The keys that are there, relative to the store.
    """
    counts = [-(-size // chunk) for size, chunk in zip(description["shape"], description["chunks"], strict=True)]
    wanted = (f"{name}/{'.'.join(map(str, place))}" for place in itertools.product(*map(range, counts)))
    return tuple(key for key in wanted if key not in keys)


@dataclass(frozen=True)
class _Whole:
    """The array of which a tile is a part: axes by dimension, and what its values are."""

    name: str
    axes: Mapping[str, np.ndarray[Any, Any]]
    chunks: Mapping[str, int]
    dtype: np.dtype[Any]
    attrs: Mapping[str, Any]

    @classmethod
    def of(cls, array: xr.DataArray, options: Mapping[str, Any]) -> _Whole:
        axes = _grid_axes(options["grid"])
        for dim in array.dims:
            if dim not in axes and dim in array.coords:
                # The outputs, which are not among the coordinates of a request.
                axes[str(dim)] = array[dim].values
        if set(axes) != set(array.dims):
            _misplaced(f"the tile has the dimensions {', '.join(map(str, array.dims))}, the grid {', '.join(axes)}")
        if array.dtype.kind not in "biufM":
            raise ResultError("The result has values that a Zarr array is not written with", why=str(array.dtype))
        axes = {str(dim): axes[str(dim)] for dim in array.dims}
        attrs = {name: value for name, value in plain(serialized(array.attrs)).items() if name not in _OF_THE_TILE}
        name = str(array.name) if array.name is not None else VARIABLE
        chunks = {dim: min(options["chunks"].get(dim, len(axis)), len(axis)) for dim, axis in axes.items()}
        return cls(name if name.isidentifier() else VARIABLE, axes, chunks, array.dtype.newbyteorder("<"), attrs)

    def description(self) -> dict[str, bytes]:
        """All of the store but the values: the same bytes for every tile."""
        import zarr

        store: dict[str, bytes] = {}
        group = zarr.group(store)
        for name, axis in self.axes.items():
            numbers, attrs = _encoded(axis)
            made = group.create_dataset(name, data=numbers, chunks=(len(axis),), compressor=None, fill_value=None)
            made.attrs.update({**attrs, "_ARRAY_DIMENSIONS": [name]})
        times = _time_attributes(self.dtype)
        made = group.create_dataset(
            self.name,
            shape=tuple(map(len, self.axes.values())),
            chunks=tuple(self.chunks.values()),
            dtype="<i8" if times else self.dtype,
            # A number that stands for missing values would be read as one everywhere.
            fill_value="NaN" if self.dtype.kind == "f" else None,
            write_empty_chunks=True,
        )
        made.attrs.update({**self.attrs, **times, "_ARRAY_DIMENSIONS": list(self.axes)})
        zarr.consolidate_metadata(store)
        return {key: bytes(body) for key, body in store.items()}


def _grid_axes(grid: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    import podpac

    from podpac_lambda_widgets.remote.evaluate import ordered

    try:
        coordinates = podpac.Coordinates.from_definition(ordered(grid))
        return {name: coordinates[name].coordinates for name in coordinates.dims}
    except Exception as error:  # noqa: BLE001 - podpac raises any type over a definition
        raise InvalidCoordinatesError(
            "podpac cannot read the grid", field="output.grid", why=f"{type(error).__name__}: {error}"[:200]
        ) from None


def _find_region(array: xr.DataArray, whole: _Whole) -> dict[str, slice]:
    import numpy as np

    region = {}
    for dim, axis in whole.axes.items():
        own = array[dim].values if dim in array.coords else np.arange(array.sizes[dim])
        starts = np.flatnonzero(axis == own[0]) if len(own) else np.empty(0, int)
        if len(starts) != 1 or not np.array_equal(axis[starts[0] : starts[0] + len(own)], own):
            _misplaced(
                f"the tile's {dim} are not {len(own):,} neighbours among the grid's {len(axis):,}",
                "Cut the tile out of the grid's own coordinates, and send them as values",
            )
        place = slice(int(starts[0]), int(starts[0]) + len(own))
        chunk = whole.chunks[dim]
        if place.start % chunk or (place.stop % chunk and place.stop != len(axis)):
            _misplaced(
                f"along {dim} the tile goes from {place.start:,} to {place.stop:,}, and a chunk has {chunk:,}",
                "Let tiles begin and end where chunks do: two that share a chunk would undo each other's work",
            )
        region[dim] = place
    return region


def _chunks(
    array: xr.DataArray, whole: _Whole, description: Mapping[str, bytes], region: Mapping[str, slice]
) -> dict[str, bytes]:
    import zarr

    store = dict(description)
    opened = zarr.open_group(store, mode="r+")[whole.name]
    values = array.values.astype("<i8", copy=False) if array.dtype.kind == "M" else array.values
    zarr.open_array(store, path=whole.name, mode="r+", write_empty_chunks=True)[tuple(region.values())] = values
    wanted = {f"{whole.name}/{key}" for key in _chunk_keys(region, opened.chunks)}
    return {key: bytes(body) for key, body in store.items() if key in wanted}


def _chunk_keys(region: Mapping[str, slice], chunks: tuple[int, ...]) -> Iterator[str]:
    ranges = [
        range(place.start // chunk, -(-place.stop // chunk))
        for place, chunk in zip(region.values(), chunks, strict=True)
    ]
    return (".".join(map(str, place)) for place in itertools.product(*ranges))


def _encoded(axis: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    if times := _time_attributes(axis.dtype):
        return axis.astype("<i8"), times
    return axis.astype(axis.dtype.newbyteorder("<")), {}


def _time_attributes(dtype: np.dtype[Any]) -> dict[str, Any]:
    import numpy as np

    if dtype.kind != "M":
        return {}
    unit, step = np.datetime_data(dtype)
    if unit not in _TICKS or step != 1:
        raise ResultError("The result has a time of a resolution that Zarr cannot hold", why=str(dtype))
    return {"units": f"{_TICKS[unit]} since 1970-01-01", "calendar": "proleptic_gregorian"}


def _check_same(found: bytes, wanted: bytes, place: str) -> None:
    if found != wanted:
        raise ResultError(
            "Another array is there under that name",
            resource=place,
            why="its description is not the one of this request",
            next_step="Choose another name for the store, or delete the array that is there",
        )


def _misplaced(why: str, next_step: str = "Ask for a part of the grid") -> NoReturn:
    raise InvalidCoordinatesError("The tile is no part of the grid", field="coordinates", why=why, next_step=next_step)
