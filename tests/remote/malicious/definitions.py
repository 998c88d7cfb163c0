"""Requests that must never reach podpac, written by hand."""

from __future__ import annotations

from typing import Any

from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

SIN = {"node": "core.algorithm.utility.SinCoords"}
GRID: dict[str, Any] = {"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]}
#: What is asked of the pipelines.
ASKED: dict[str, Any] = {"coords": [*GRID["coords"], {"name": "time", "values": ["2018-01-01"]}]}
CSV = "core.data.csv_source.CSV"


def node(path: str, plugin: str | None = None, **properties: Any) -> dict[str, Any]:
    return {"x": {"node": path, **({"plugin": plugin} if plugin else {}), **properties}}


def arithmetic(eqn: Any, **attrs: Any) -> dict[str, Any]:
    return {"A": SIN, "x": {"node": "algorithm.Arithmetic", "inputs": {"A": "A"}, "attrs": {"eqn": eqn, **attrs}}}


def source(value: Any, path: str = CSV) -> dict[str, Any]:
    return node(path, attrs={"source": value})


def with_attr(path: str, **attrs: Any) -> dict[str, Any]:
    return {"A": SIN, "x": {"node": path, "inputs": {"source": "A"}, "attrs": attrs}}


EQNS = (
    "__import__('os').system('id')", "().__class__.__bases__[0].__subclasses__()", "A.values", "A[0]", "'x'", "f'{A}'",
    "lambda: 1", "[A for A in A]", "(A := 1)", "A if A else A", "A and A", "not A", "A < A < A", "A in A", "eval(A)",
    "open(A)", "abs(A, A)", "abs(x=A)", "abs(*A)", "sum(A)", "B + A", "_A", "True", "None", "...", "1j", "9**9**9**9",
    "2 ** 1000", "A ** (9 ** 9)", "(9 * 9) ** 60 * A", "A ** 99999", "99999999999999999999", "A @ A", "A // A",
    "A << A", "A; A", "A\nA", "A\\\nA", "", " ", "(" * 300 + "A" + ")" * 300, "+".join(["A"] * 5000), "-" * 1000 + "A",
    "Ａ + 1", "A.real", "where(A, A)", "A = 1", "#", "yield A", "{A}", "{0}", "{}", "\0",
)  # fmt: skip
VALUES = (
    "/proc/self/environ", "file:///var/task/handler.py", "FILE:///etc/passwd", "var/task/handler.py", "../x", "~/x",
    "s3://other-bucket/x", "s3://bucket", "s3://bucket/", "s3://bucket/../x", "s3://bucket/%2e%2e/x", "s3:///x",
    "s3://bucket@evil/x", "S3://bucket/x", "http://data.example.com/x", "https://evil.example.com/x",
    "https://data.example.com@evil.com/", "https://user:pw@data.example.com/", "https://data.example.com:8080/",
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://[::1]/",
    "https://[::ffff:169.254.169.254]/", "https://169.254.169.254/latest/meta-data/", "https://localhost/",
    "https://metadata.google.internal/", "https://data.example.com/../../x", "https://data.example.com.evil.com/x",
    "https://DATA.example.com\\@evil.com/", "https://data。example。com/", "ftp://data.example.com/x", "gopher://x",
    "data:text/csv,1", "zip+s3://bucket/x", "/vsicurl/https://evil.com", "/vsis3/bucket/x", "", " s3://bucket/x",
    "s3://bucket/x\n", "s3://bucket/x\0", 'HDF5:"/etc/passwd"', 5, ["s3://bucket/x"], {"a": "s3://bucket/x"},
)  # fmt: skip
PIPELINES: dict[str, Any] = {
    "os.system": node("system", "os"),
    "os.system with a command": node("system", "os", attrs={"command": "id"}),
    "subprocess.Popen": node("Popen", "subprocess", attrs={"args": "id", "shell": True}),
    "builtins.exec": node("exec", "builtins"),
    "importlib.import_module": node("import_module", "importlib", attrs={"name": "os"}),
    "a plugin of podpac's own name": node("system", "podpac.os"),
    "a plugin that is not text": node("SinCoords", None)
    | {"x": {"node": "core.algorithm.utility.SinCoords", "plugin": 5}},
    "a relative plugin": node("core.algorithm.utility.SinCoords", ".podpac"),
    "a plugin with a trailing dot": node("core.algorithm.utility.SinCoords", "podpac."),
    "an empty plugin": {"x": {"node": "os.system", "plugin": ""}},
    "a module that podpac imported": node("core.settings.os.system"),
    "numpy through podpac": node("core.units.np.load"),
    "pickle through podpac": node("core.units.cPickle.loads"),
    "a class that is no node": node("core.settings.PodpacSettings"),
    "a dunder": node("core.algorithm.utility.SinCoords.__init__"),
    "the base node": node("core.node.Node"),
    "podpac's AWS client": node("core.managers.aws.Lambda"),
    "podpac's process": node("core.managers.multi_process.Process"),
    "parallel writing": node("core.managers.parallel.ParallelOutputZarr", attrs={"zarr_file": "/tmp/x"}),
    "a cache that keeps results": node("core.cache.hash_cache.HashCache", attrs={"cache_uid": "other"}),
    "a cache that writes files": node("core.cache.zarr_cache.ZarrCache", attrs={"base_path": "/tmp"}),
    "a node in other letters": node("core.algorithm.utility.sincoords"),
    "a node with a space": node(" core.algorithm.utility.SinCoords"),
    "a node with a look-alike letter": node("core.algorithm.utility.SinСoords"),
    "a node that is a list": {"x": {"node": ["os", "system"]}},
    "a node that is missing": {"x": {"attrs": {}}},
    "a node that is text": {"x": "os.system"},
    "Generic": {"A": SIN, **node("core.algorithm.generic.Generic", inputs={"a": "A"}, attrs={"code": "import os"})},
    "Generic by its short name": {
        "A": SIN,
        **node("algorithm.Generic", inputs={"a": "A"}, attrs={"code": "output = 1"}),
    },
    "lookup_attrs": {"A": SIN, **node("algorithm.Arange", lookup_attrs={"units": "A.__class__.__init__.__globals__"})},
    "lookup_attrs that are empty": node("algorithm.Arange", lookup_attrs={}),
    "style_class": node("algorithm.SinCoords", style_class="os.system", style={"name": "id"}),
    "an unknown property": node("algorithm.SinCoords", evil=1),
    "a style with another property": node("algorithm.SinCoords", style={"cmap": "x"}),
    "a style with a huge legend": node(
        "algorithm.SinCoords", style={"enumeration_colors": {"0": "red", "9999999999": "blue"}}
    ),
    "a style that is a list": node("algorithm.SinCoords", style=["x"]),
    "an unknown attribute": node("algorithm.SinCoords", attrs={"property_cache_type": "disk"}),
    "a private attribute": node("algorithm.SinCoords", attrs={"_output": 1}),
    "a dunder attribute": node("algorithm.SinCoords", attrs={"__class__": "x"}),
    "attributes that are a list": node("algorithm.SinCoords", attrs=[["units", "m"]]),
    "a key of AWS": source("s3://other/x") | {"x": {"node": CSV, "attrs": {"aws_secret_access_key": "x"}}},
    "an unlisted trait": node(CSV, attrs={"source": "s3://bucket/x", "cache_dataset": True}),
    "a function by name": with_attr(
        "algorithm.GroupReduce", groupby="month", reduce_fn="custom", custom_reduce_fn="os.system"
    ),
    "a reduction by dunder": with_attr("algorithm.GroupReduce", groupby="month", reduce_fn="__class__"),
    "a window by name": with_attr("algorithm.Convolution", kernel_type="savgol_filter, 5", kernel_dims=["lat"]),
    "a huge window": with_attr("algorithm.Convolution", kernel_type="mean, 999999", kernel_dims=["lat", "lon"]),
    "an interpolator by name": with_attr("interpolators.Interpolate", interpolation="os.system"),
    "an interpolation with more": with_attr(
        "interpolators.Interpolate", interpolation={"method": "nearest", "class": "x"}
    ),
    "a unit that computes": with_attr("algorithm.Mean", units="m**9**9**9**9"),
    "a unit that is a power of a power": with_attr("algorithm.Mean", units="(10 ** 99) ** 99"),
    "a unit with a computed power": with_attr("algorithm.Mean", units="10 ** -(99 * 99)"),
    "a unit that calls": with_attr("algorithm.Mean", units="__import__('os')"),
    "a selection without end": with_attr("algorithm.SelectCoordinates", lat=[0, 1e9, 1e-9]),
    "an expansion without end": with_attr("algorithm.ExpandCoordinates", time=["-9999999,D", "9999999,D", "1,s"]),
    "a frequency of nanoseconds": with_attr("algorithm.ResampleReduce", resample="1ns", reduce_fn="mean"),
    "coordinates in a node without end": node(
        "data.Array",
        attrs={"source": [1], "coordinates": {"coords": [{"name": "lat", "start": 0, "stop": 1e18, "step": 1}]}},
    ),
    "coordinates as text": with_attr("algorithm.Reproject", coordinates='{"coords": []}'),
    "a CRS that is a file": node(
        "data.Array",
        attrs={"source": [1], "coordinates": {**GRID, "crs": "+proj=longlat +nadgrids=/proc/self/environ"}},
    ),
    "a CRS from a file": with_attr("algorithm.Mean")
    | {"x": {"node": CSV, "attrs": {"source": "s3://bucket/x", "crs": "+init=/tmp/x:1"}}},
    "an array of text": node("data.Array", attrs={"source": ["/etc/passwd"], "coordinates": GRID}),
    "an array that is an address": node("data.Array", attrs={"source": "s3://bucket/x", "coordinates": GRID}),
    "an input of the future": {"x": {"node": "algorithm.Mean", "inputs": {"source": "A"}}, "A": SIN},
    "an input of itself": {"x": {"node": "algorithm.Mean", "inputs": {"source": "x"}}},
    "a circle": {
        "x": {"node": "algorithm.Mean", "inputs": {"source": "y"}},
        "y": {"node": "algorithm.Mean", "inputs": {"source": "x"}},
    },
    "an input's attribute": {"A": SIN, "x": {"node": "algorithm.Mean", "inputs": {"source": "A.__class__"}}},
    "an input that is a definition": {"x": {"node": "algorithm.Mean", "inputs": {"source": SIN}}},
    "an input the node has not": {"A": SIN, "x": {"node": "algorithm.SinCoords", "inputs": {"evil": "A"}}},
    "an input by a dunder": {
        "A": SIN,
        "x": {"node": "algorithm.Arithmetic", "inputs": {"__builtins__": "A"}, "attrs": {"eqn": "1"}},
    },
    "an output that is no node": {"A": SIN, "podpac_output_node": "os"},
    "an output that is a list": {"A": SIN, "podpac_output_node": ["A"]},
    "a name with an escape": {"A\x1b[31m": SIN},
    "no node": {"podpac_version": "4.0.1"},
    "nothing": {},
    "ten thousand nodes": {f"n{number}": SIN for number in range(10_000)},
    "a text of ten megabytes": node("algorithm.SinCoords", attrs={"units": "m" * 10_000_000}),
    "a lone surrogate": node("algorithm.SinCoords", attrs={"units": "\ud800"}),
    "a lone surrogate as a name": {"\udfff": SIN},
    "an integer of a thousand digits": node("algorithm.SinCoords", attrs={"units": 10**1000}),
    "an expression of a million characters": arithmetic("A" + " + A" * 250_000),
    **{f"expression {eqn!r}"[:60]: arithmetic(eqn) for eqn in EQNS},
    "an expression by attribute": arithmetic("{a.__class__}", params={"a": 1}),
    "an expression by index": arithmetic("{a[0]}", params={"a": "b"}),
    "an expression by format": arithmetic("{a:>9999999999}", params={"a": 1}),
    "an expression by conversion": arithmetic("{a!r}", params={"a": "x"}),
    "an expression in a parameter": arithmetic("A + {a}", params={"a": "__import__('os')"}),
    "a parameter that is a list": arithmetic("A + {a}", params={"a": [1]}),
    "parameters that are a list": arithmetic("A", params=["a"]),
    "an expression that is a number": arithmetic(5),
    "an input that hides a function": {
        "A": SIN,
        "x": {"node": "algorithm.Arithmetic", "inputs": {"abs": "A"}, "attrs": {"eqn": "abs(1)"}},
    },
    **{f"source {value!r}"[:70]: source(value) for value in VALUES},
    "a plugin below podpac": node("Generic", "podpac.core.algorithm.generic"),
    "a plugin that nobody packed": node("MyNode", "my_plugin"),
    "a plugin's name with a colon": node("MyNode", "my_plugin:os"),
    "a node of a plugin in a path": node("../MyNode", "my_plugin"),
    "a style of an endless text": node("algorithm.SinCoords", style={"name": "x" * 5000}),
    "a style whose color is an object": node("algorithm.SinCoords", style={"default_enumeration_color": {"a": 1}}),
    "a style whose range is text": node("algorithm.SinCoords", style={"clim": "__import__('os')"}),
    "a chain that doubles": {
        "n0": SIN,
        **{
            f"n{number}": {
                "node": "algorithm.Arithmetic",
                "inputs": {"A": f"n{number - 1}", "B": f"n{number - 1}"},
                "attrs": {"eqn": "A + B"},
            }
            for number in range(1, 60)
        },
    },
    "a chain of two hundred": {
        "n0": SIN,
        **{f"n{n}": {"node": "algorithm.Mean", "inputs": {"source": f"n{n - 1}"}} for n in range(1, 200)},
    },
    "a join of many selections": {
        "n": SIN,
        **{
            f"{dim}{number}": {
                "node": "algorithm.SelectCoordinates",
                "inputs": {"source": "n"},
                "attrs": {dim: [number + 1e-4, number + 1, 1e-4]},
            }
            for dim in ("lat", "lon")
            for number in range(9)
        },
        "x": {
            "node": "algorithm.Arithmetic",
            "inputs": {f"{dim}{number}": f"{dim}{number}" for dim in ("lat", "lon") for number in range(9)},
            "attrs": {"eqn": "lat0"},
        },
    },
    "ten thousand outputs": node("algorithm.SinCoords", attrs={"outputs": [f"o{n}" for n in range(10_000)]}),
    "a million minutes a minute": {
        "A": SIN,
        "s": {
            "node": "algorithm.SelectCoordinates",
            "inputs": {"source": "A"},
            "attrs": {"time": ["1700-01-01", "2200-01-01", "365,D"]},
        },
        "x": {
            "node": "algorithm.ResampleReduce",
            "inputs": {"source": "s"},
            "attrs": {"resample": "1min", "reduce_fn": "mean"},
        },
    },
    "an expansion into all that a source has": {
        "A": SIN,
        "c": {
            "node": "data.Array",
            "attrs": {
                "source": [1.0],
                "coordinates": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": 10**7}]},
            },
        },
        "x": {
            "node": "algorithm.ExpandCoordinates",
            "inputs": {"source": "A", "coordinates_source": "c"},
            "attrs": {"lat": [-9, 9]},
        },
    },
    "a raster of the machine": source("/etc/passwd", "data.Rasterio"),
    "a zarr of the machine": source("/tmp", "data.Zarr"),
    "a netCDF file of the machine": source("/proc/self/environ", "data.Dataset"),
    "an HDF5 file of the machine": source("/tmp/x.h5", "data.H5PY"),
    "an HDF5 file in another bucket": source("s3://other/x.h5", "data.H5PY"),
    "an HDF5 file that is written to": node("data.H5PY", attrs={"source": "s3://bucket/x.h5", "file_mode": "w"}),
    "an HDF5 file whose server may redirect": source("https://data.example.com/x.h5", "data.H5PY"),
    "a netCDF file of another host": source("https://evil.example.com/x.nc", "data.Dataset"),
    "a netCDF file by an engine": node("data.Dataset", attrs={"source": "s3://bucket/x.nc", "engine": "zarr"}),
    "another client of S3": node("data.Dataset", attrs={"source": "s3://bucket/x.nc", "s3": {"endpoint_url": "x"}}),
    "a map server inside": node("data.WCS", attrs={"source": "https://10.0.0.1/wcs", "layer": "x"}),
    "a map server that is allowed": node("data.WCS", attrs={"source": "https://data.example.com/wcs", "layer": "x"}),
    "an OPeNDAP server": node("data.PyDAP", attrs={"source": "https://data.example.com/x", "data_key": "x"}),
    "a raster whose server may redirect": source("https://data.example.com/x.tif", "data.Rasterio"),
    "a zarr whose server may redirect": source("https://data.example.com/x.zarr", "data.Zarr"),
    "a zarr whose key loses its end": source("s3://bucket/x.zarrs", "data.Zarr"),
    "a zarr whose key ends in a slash": source("s3://bucket/x.zarr/", "data.Zarr"),
}

COORDINATES: dict[str, Any] = {
    "a million million points": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": 10**12}]},
    "a million million points by step": {"coords": [{"name": "lat", "start": 0.0, "stop": 1.0, "step": 1e-12}]},
    "a step of time": {"coords": [{"name": "time", "start": "0001-01-01", "stop": "9999-12-31", "step": "1,ns"}]},
    "no step": {"coords": [{"name": "lat", "start": 0, "stop": 1, "step": 0}]},
    "a step backwards": {"coords": [{"name": "lat", "start": 0, "stop": 1, "step": -1}]},
    "a size below zero": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": -5}]},
    "a size that is true": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": True}]},
    "a start that is an object": {"coords": [{"name": "lat", "start": {}, "stop": 1, "step": 1}]},
    "values that are objects": {"coords": [{"name": "lat", "values": [{}]}]},
    "values of several kinds": {"coords": [{"name": "lat", "values": [1.0, "2018-01-01", None]}]},
    "times of several zones": {
        "coords": [{"name": "time", "values": ["2018-01-01T00:00:00+01:00", "2018-01-01T00:00:00Z"]}]
    },
    "an unknown property": {"coords": [{"name": "lat", "values": [1], "ctype": "x"}]},
    "another unknown property": {**GRID, "validate_crs": False},
    "a CRS from a file": {**GRID, "crs": "+init=/etc/passwd:1"},
    "a CRS of a model": {**GRID, "crs": "+proj=defmodel +model=/proc/self/environ"},
    "a CRS with a model": {**GRID, "crs": "+proj=longlat +Model = environ"},
    "a CRS of a triangulation": {**GRID, "crs": "+proj=tinshift +source=/proc/self/environ"},
    "a CRS with a path": {**GRID, "crs": "+proj=longlat +other=/proc/self/environ"},
    "a CRS of a grid": {**GRID, "crs": "+proj=longlat +geoidgrids=@/etc/passwd"},
    "a CRS that is a list": {**GRID, "crs": ["EPSG:4326"]},
    "coords that are an object": {"coords": {}},
    "a hundred thousand dimensions": {"coords": [{"name": "lat", "values": [1]}] * 100_000},
    "stacked dimensions in stacked dimensions": {"coords": [[[{"name": "lat", "values": [1]}]]]},
    "no coords": {},
}
WHOLE: dict[str, Any] = {
    "pickle": {"output": {"format": "pickle"}},
    "zarr elsewhere": {"output": {"format": "zarr_part", "source": "s3://other/x"}},
    "a path": {"output": {"format": "netcdf", "path": "/tmp/x"}},
    "no format": {"output": {}},
    "an output that is text": {"output": "netcdf"},
    "a secret setting": {"settings": {"AWS_SECRET_ACCESS_KEY": "x"}},
    "unsafe evaluation by setting": {"settings": {"UNSAFE_EVAL_HASH": "x"}},
    "unsafe evaluation by a hash from elsewhere": {
        "settings": {"UNSAFE_EVAL_HASH": "b3c8e5d0a9a04d1f8d7c7f3a0d5f2f5e"}
    },
    "a cache by setting": {"settings": {"DEFAULT_CACHE": ["disk"]}},
    "a setting of another type": {"settings": {"ENABLE_UNITS": "yes"}},
    "a bucket": {"S3_BUCKET_NAME": "other"},
    "another version": {MARK: WIRE_VERSION + 1},
    "a version that is true": {MARK: True},
    "a pipeline that is a list": {"pipeline": [SIN]},
    "a pipeline that is text": {"pipeline": "x"},
    "coordinates that are a list": {"coordinates": []},
    "settings that are a list": {"settings": []},
}
