"""Definitions that must never reach podpac: refused with a typed error while an audit hook watches the process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

SIN = {"node": "core.algorithm.utility.SinCoords"}
GRID: dict[str, Any] = {"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]}
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
    "a raster of the machine": source("/etc/passwd", "data.Rasterio"),
    "a zarr of the machine": source("/tmp", "data.Zarr"),
    "a map server inside": node("data.WCS", attrs={"source": "https://10.0.0.1/wcs", "layer": "x"}),
    "a map server that is allowed": node("data.WCS", attrs={"source": "https://data.example.com/wcs", "layer": "x"}),
    "an OPeNDAP server": node("data.PyDAP", attrs={"source": "https://data.example.com/x", "data_key": "x"}),
    "an HDF5 file, which may name other files": node("data.Dataset", attrs={"source": "s3://bucket/x.nc"}),
    "an HDF5 file by h5py": node("data.H5PY", attrs={"source": "s3://bucket/x.h5"}),
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
    "a cache by setting": {"settings": {"DEFAULT_CACHE": ["disk"]}},
    "a setting of another type": {"settings": {"ENABLE_UNITS": "yes"}},
    "a bucket": {"S3_BUCKET_NAME": "other"},
    "another version": {MARK: 2},
    "a version that is true": {MARK: True},
    "a pipeline that is a list": {"pipeline": [SIN]},
    "a pipeline that is text": {"pipeline": "x"},
    "coordinates that are a list": {"coordinates": []},
    "settings that are a list": {"settings": []},
}

# Legacy events are those without the mark.
_WATCHED = """
import json, sys
import podpac_lambda_widgets.remote.triggers as triggers
from podpac_lambda_widgets.remote.wire import decode_answer
from podpac_lambda_widgets.errors import PodpacLambdaError, InvalidValueError, PipelineRejectedError
import encodings.unicode_escape, encodings.ascii
events = json.load(sys.stdin)
depth = []
for _ in range(100_000): depth = [depth]
events["a depth of a hundred thousand"] = {**next(iter(events.values())), "pipeline": {"x": depth}}
lines = []
function = triggers.Function({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048", "FUNCTION_ALLOWED_BUCKETS": "bucket",
    "FUNCTION_ALLOWED_HOSTS": "data.example.com"}, print_line=lines.append)
seen, watching = [], False
def watch(name, args):
    # ast.parse is compile() with a flag that makes a tree and no code.
    if watching and not (name == "compile" and args[1] == "<unknown>"): seen.append((name, repr(args)[:100]))
sys.addaudithook(watch)
wrong = {}
for name, event in events.items():
    for legacy in (False, True):
        if legacy and name.startswith("event"):
            continue
        if legacy:
            event = {key: value for key, value in event.items() if key != "podpac_lambda_widgets"}
        watching = True
        try:
            answer = function.handle(event)
            decode_answer(answer)
            outcome = "accepted"
        except (InvalidValueError, PipelineRejectedError) as error:
            outcome = ""
            if not error.what or len(str(error)) > 2000: outcome = "a poor message"
        except PodpacLambdaError as error:
            outcome = f"{type(error).__name__}: {error}"
        watching = False
        if outcome: wrong[name] = outcome
loaded = sorted({"podpac", "numpy", "boto3", "xarray"} & set(sys.modules))
seen = sorted(set(map(tuple, seen)))
print(json.dumps({"loaded": loaded, "wrong": wrong, "seen": seen, "lines": lines, "count": len(events)}))
"""


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    base = {MARK: WIRE_VERSION, "pipeline": {"A": SIN}, "coordinates": GRID}
    events = {
        **{f"pipeline: {name}": {**base, "pipeline": pipeline} for name, pipeline in PIPELINES.items()},
        **{f"coordinates: {name}": {**base, "coordinates": grid} for name, grid in COORDINATES.items()},
        **{f"event: {name}": {**base, **more} for name, more in WHOLE.items()},
    }
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED], input=json.dumps(events), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["count"] == len(events) + 1 > 200
    return found


def test_every_malicious_definition_is_refused_with_a_typed_error(report: dict[str, Any]) -> None:
    assert report["wrong"] == {}


def test_refusing_imports_nothing_runs_nothing_and_opens_nothing(report: dict[str, Any]) -> None:
    assert report["seen"] == []
    assert report["loaded"] == []


def test_the_log_has_one_line_a_request_and_nothing_of_the_request(report: dict[str, Any]) -> None:
    for line in report["lines"]:
        entry = json.loads(line)
        assert set(entry) <= {"request_id", "outcome", "points", "timings", "seconds"}
        assert entry["outcome"] != "ok"
