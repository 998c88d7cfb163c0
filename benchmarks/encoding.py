"""How a result should travel: size and time of encodings, for results of several kinds, in one run.

``python -m benchmarks.encoding`` prints a table for each kind of result, and who wins over all of them. Times are
processor time, the least of several interleaved repetitions, because others may use the processors too.
"""

from __future__ import annotations

import io
import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numcodecs
import numpy as np
import podpac
import xarray as xr
from scipy.ndimage import gaussian_filter

from podpac_lambda_widgets.remote.arrays import pack_array, unpack_array
from podpac_lambda_widgets.remote.netcdf import decode_array, encode_array
from podpac_lambda_widgets.remote.netcdf_attributes import serialized
from podpac_lambda_widgets.remote.typed_json import tag, untag

#: Megabits per second: a slow line, an office, a machine in the same region.
LINES = (10, 50, 400)

NOTES = """\
Below 1 is better than ours. Size x time counts processor time alone, and so praises what is sent as it is; who waits
for a result waits for the line, too. Ours sends the least, because it takes differences of neighbours, looks up values
that occur often, and deflates only what a sample says will shrink. Blosc comes with numcodecs: one more package with
binaries, which is not in the function's own code. All others need nothing more."""

Found = TypeVar("Found")
Values = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Encoding:
    """One way to write a labelled array and to read it back."""

    name: str
    encode: Callable[[xr.DataArray], bytes]
    decode: Callable[[bytes], xr.DataArray]


@dataclass(frozen=True)
class Measured:
    """What one encoding needs for one result: bytes, and seconds on either side."""

    name: str
    size: int
    encode: float
    decode: float

    @property
    def size_times_time(self) -> float:
        """Megabytes times seconds."""
        return self.size / 1e6 * (self.encode + self.decode)

    def end_to_end(self, megabits: float) -> float:
        """Seconds from an array there to an array here."""
        return self.encode + self.size * 8e-6 / megabits + self.decode


def buffers(name: str, pack: Callable[[Values], bytes], unpack: Callable[[bytes], bytes]) -> Encoding:
    """An encoding of a JSON record and the values of each array by themselves, through a codec."""

    def encode(array: xr.DataArray) -> bytes:
        parts = [pack(np.ascontiguousarray(item.values)) for item in (array, *array.coords.values())]
        record = {
            "arrays": [
                [item.dims, item.dtype.str, item.shape, len(part), tag(serialized(item.attrs))]
                for item, part in zip((array, *array.coords.values()), parts, strict=True)
            ],
            "coords": list(array.coords),
        }
        told = json.dumps(record).encode()
        return b"".join((len(told).to_bytes(4, "big"), told, *parts))

    def decode(body: bytes) -> xr.DataArray:
        start = 4 + int.from_bytes(body[:4], "big")
        record, arrays = json.loads(body[4:start]), []
        for dims, dtype, shape, length, attrs in record["arrays"]:
            octets = unpack(body[start : start + length])
            # Copied where it would lie over bytes, which cannot be written to.
            arrays.append((dims, np.frombuffer(bytearray(octets), dtype).reshape(shape), untag(attrs)))
            start += length
        (dims, values, attrs), *coords = arrays
        return xr.DataArray(values, dict(zip(record["coords"], coords, strict=True)), dims, attrs=attrs)

    return Encoding(name, encode, decode)


def octets_of(values: Values) -> memoryview:
    """The bytes of an array; those of times, too, which Python's buffers do not know."""
    return values.reshape(-1).view("u1").data


def npy(values: Values) -> bytes:
    """numpy's own file of one array."""
    sink = io.BytesIO()
    np.save(sink, values, allow_pickle=False)
    return sink.getvalue()


def un_npy(body: bytes) -> bytes:
    """The values in numpy's own file."""
    found: Values = np.load(io.BytesIO(body), allow_pickle=False)
    return found.tobytes()


def shuffled(values: Values, level: int) -> bytes:
    """All first bytes, all second bytes, and so on; deflated."""
    width = values.dtype.itemsize
    planes = np.frombuffer(octets_of(values), "u1").reshape(-1, width).T
    return width.to_bytes(4, "big") + zlib.compress(planes.tobytes(), level)


def unshuffled(body: bytes) -> bytes:
    """Undo :func:`shuffled`."""
    planes = np.frombuffer(zlib.decompress(body[4:]), "u1").reshape(int.from_bytes(body[:4], "big"), -1)
    return planes.T.tobytes()


def blosc(codec: str) -> Encoding:
    """Shuffled and compressed by C-Blosc; on one thread, as a function of up to 1,769 MB has."""
    numcodecs.blosc.set_nthreads(1)
    compressor = numcodecs.Blosc(codec, clevel=1, shuffle=numcodecs.Blosc.SHUFFLE)
    return buffers(f"blosc {codec}-1, shuffled", lambda values: bytes(compressor.encode(values)), compressor.decode)


def write_hdf5(array: xr.DataArray) -> bytes:
    """NetCDF 4, each array shuffled and deflated."""
    dataset = array.assign_attrs(serialized(array.attrs)).to_dataset(name="values")
    dataset["values"].attrs = {
        name: value for name, value in dataset["values"].attrs.items() if isinstance(value, str | float | tuple)
    }
    options = {"zlib": True, "shuffle": True, "complevel": 1}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "result.nc"
        encoding = {name: options for name in dataset.variables if dataset[name].ndim}
        dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)
        return path.read_bytes()


def read_hdf5(body: bytes) -> xr.DataArray:
    """Undo :func:`write_hdf5`."""
    with xr.open_dataset(io.BytesIO(body), engine="h5netcdf", mask_and_scale=False) as opened:
        return opened["values"].load()


ENCODINGS = (
    Encoding("ours", pack_array, unpack_array),
    Encoding("netCDF", lambda array: encode_array(array)[0], decode_array),
    Encoding(
        "netCDF, zlib-1",
        lambda array: zlib.compress(encode_array(array)[0], 1),
        lambda body: decode_array(zlib.decompress(body)),
    ),
    Encoding("netCDF 4, shuffled, zlib-1", write_hdf5, read_hdf5),
    buffers(".npy and JSON", npy, un_npy),
    buffers("values and JSON, zlib-6", lambda values: zlib.compress(octets_of(values), 6), zlib.decompress),
    buffers("values and JSON, shuffled, zlib-1", lambda values: shuffled(values, 1), unshuffled),
    blosc("lz4"),
    blosc("zstd"),
)


def make_results() -> dict[str, tuple[xr.DataArray, int]]:
    """Results of each kind, with how often to measure each."""
    random = np.random.default_rng(4)
    terrain = gaussian_filter(random.standard_normal((1000, 1000)), 8) * 5000
    wave = sine_wave(1000).values[:, :, 0]
    hours = np.datetime64("2018-01-01", "s") + np.arange(300_000).reshape(600, 500) * np.timedelta64(3600, "s")
    classes = np.kron(random.integers(0, 12, (125, 125)), np.ones((8, 8))).astype("i2")
    wind = np.stack([gaussian_filter(random.standard_normal((700, 700)), 5).astype("f4") for _ in range(2)], axis=-1)
    return {
        "SinCoords, one point": (sine_wave(1), 9),
        "SinCoords 180 x 180": (sine_wave(180), 9),
        "SinCoords 860 x 860": (sine_wave(860), 5),
        "SinCoords 2000 x 2000": (sine_wave(2000), 3),
        "SinCoords 4000 x 4000": (sine_wave(4000), 2),
        "noise, float64": (on_map(random.random((1000, 1000))), 5),
        "terrain, float32": (on_map(terrain.astype("f4")), 5),
        "whole numbers with a scale, float64": (on_map(np.round(terrain * 4).astype("i2") * 0.01 + 273.15), 5),
        "two outputs, float32": (on_map(wind), 5),
        "decimetres, float32": (on_map(np.round(terrain, 1).astype("f4")), 5),
        "classes, int16": (on_map(classes), 5),
        "sea with NaN for land, float64": (on_map(np.where(wave < 0.2 * wave.max(), np.nan, wave)), 5),
        "times": (on_map(hours), 5),
    }


def sine_wave(size: int) -> xr.DataArray:
    """PODPAC's tutorial, with so many points along each side."""
    lat, lon = (podpac.clinspace(-90, 90, size) if size > 1 else [12.5] for _ in range(2))
    coordinates = podpac.Coordinates([lat, lon, "2018-01-01"], ["lat", "lon", "time"])
    found: xr.DataArray = podpac.algorithm.SinCoords().eval(coordinates)
    return found


def on_map(values: Values) -> xr.DataArray:
    """Values with latitudes and longitudes, and outputs where there is a third dimension."""
    rows, columns = values.shape[:2]
    coords: dict[str, Any] = {"lat": np.linspace(60, 45, rows), "lon": np.linspace(-10, 20, columns)}
    if values.ndim > 2:
        coords["output"] = [f"band {number}" for number in range(values.shape[2])]
    return xr.DataArray(values, coords, list(coords), attrs={"crs": "EPSG:4326", "long_name": "a measurement"})


def measure(array: xr.DataArray, repeats: int) -> list[Measured]:
    """Encode and decode with each encoding in turn, and again."""
    found: dict[str, Measured] = {}
    for encoding in ENCODINGS * repeats:
        encode, body = timed(partial(encoding.encode, array))
        decode, read = timed(partial(encoding.decode, body))
        if read.values.astype(array.dtype).tobytes() != array.values.tobytes():
            raise ValueError(f"{encoding.name} gives other values")
        before = found.get(encoding.name, Measured(encoding.name, len(body), encode, decode))
        found[encoding.name] = Measured(
            encoding.name, len(body), min(encode, before.encode), min(decode, before.decode)
        )
    return list(found.values())


def timed(call: Callable[[], Found]) -> tuple[float, Found]:
    """Processor time of a call, seconds, and what it returned."""
    began = time.process_time()
    found = call()
    return time.process_time() - began, found


def write_result(name: str, array: xr.DataArray, rows: list[Measured]) -> str:
    """One kind of result as a Markdown table, the best size times time first."""
    best = min(row.size_times_time for row in rows)
    lines = [
        f"\n{name}: {array.dtype}, {array.nbytes / 1e6:.3g} MB\n",
        "| encoding | of its values | encode, ms | decode, ms | size x time |"
        + "".join(f" s at {line} Mbit/s |" for line in LINES),
        "| --- |" + " ---: |" * (4 + len(LINES)),
    ]
    for row in sorted(rows, key=lambda row: row.size_times_time):
        lines.append(
            f"| {row.name} | {row.size / array.nbytes:.3f} | {row.encode * 1e3:.1f} | {row.decode * 1e3:.1f} "
            f"| {row.size_times_time / best:.2f} |" + "".join(f" {row.end_to_end(line):.3f} |" for line in LINES)
        )
    return "\n".join(lines)


def write_ranking(results: list[list[Measured]]) -> str:
    """Each encoding over all results: the geometric mean of its ratio to the first one."""
    marks: dict[str, Callable[[Measured], float]] = {
        "size": lambda row: row.size,
        "encode + decode": lambda row: row.encode + row.decode,
        "size x time": lambda row: row.size_times_time,
        **{f"at {line} Mbit/s": partial(Measured.end_to_end, megabits=line) for line in LINES},
    }
    means = {
        rows[0].name: [
            statistics.geometric_mean(mark(row) / mark(first) for row, first in zip(rows, results[0], strict=True))
            for mark in marks.values()
        ]
        for rows in results
    }
    lines = [f"| over all, ours = 1 | {' | '.join(marks)} |", "| --- |" + " ---: |" * len(marks)]
    for name, ratios in sorted(means.items(), key=lambda item: item[1][list(marks).index("at 50 Mbit/s")]):
        lines.append(f"| {name} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    winners = [f"{mark}: {min(means, key=lambda name: means[name][place])}" for place, mark in enumerate(marks)]
    return "\n".join([*lines, "", "The best by " + "; ".join(winners) + "."])


def main() -> None:
    """Measure everything and print the tables."""
    found = []
    for name, (array, repeats) in make_results().items():
        rows = measure(array, repeats)
        print(write_result(name, array, rows), flush=True)
        found.append(rows)
    print()
    print(write_ranking([list(rows) for rows in zip(*found, strict=True)]))
    print(f"\n{NOTES}")


if __name__ == "__main__":
    main()
