"""Run in a process of its own with only the function's code on the path: what an ordinary pipeline does.

Usage: ``python -I -S evaluate_core.py CODE RUNTIME [DEPENDENCIES]``. Prints one JSON object.
"""

import importlib
import json
import sys
from pathlib import Path

code, runtime, *rest = sys.argv[1:]
sys.path[:0] = [code, runtime]
manifest = json.loads(Path(code, "podpac_lambda_manifest.json").read_bytes())


class Recorder:
    """Notes which packages of the dependencies archive an import would have fetched."""

    def __init__(self) -> None:
        self.asked = []

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in manifest["dependencies_provides"]:
            self.asked.append(name)


recorder = Recorder()
sys.meta_path.append(recorder)

import handler  # noqa: E402, F401 - the function's entry point must import

started = sorted(sys.modules)
import numpy as np  # noqa: E402
import podpac  # noqa: E402
import xarray  # noqa: E402
from podpac import Coordinates, clinspace  # noqa: E402

podpac.settings.allow_unrestricted_code_execution(True)
grid = Coordinates([clinspace(-90, 90, 180), clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"])
source_grid = Coordinates([clinspace(0, 10, 11), clinspace(0, 10, 11)], ["lat", "lon"])
points = Coordinates([clinspace(0.5, 9.5, 10), clinspace(0.5, 9.5, 10)], ["lat", "lon"])
uneven = Coordinates([[0.5, 2.0, 7.25], [1.5, 2.5, 9.0]], ["lat", "lon"])
ramp = np.add.outer(np.arange(11.0), np.arange(11.0))
array = podpac.data.Array(source=ramp, coordinates=source_grid)
sine = podpac.algorithm.SinCoords()


def interpolate(method, coordinates):
    return podpac.interpolators.Interpolate(source=array, interpolation=method).eval(coordinates)


results = {
    "SinCoords": sine.eval(grid),
    "Array": array.eval(source_grid),
    "Arithmetic": podpac.algorithm.Arithmetic(eqn="a*2 + b", a=array, b=array).eval(source_grid),
    "Mean": podpac.algorithm.Mean(source=array, dims=["lat"]).eval(source_grid),
    "bilinear": interpolate("bilinear", uneven),
    "nearest": interpolate("nearest", uneven),
    "bilinear uniform": interpolate("bilinear", points),
    "nearest uniform": interpolate("nearest", points),
    "Reproject": podpac.algorithm.Reproject(
        source=array, coordinates=source_grid, reproject_interpolation="bilinear"
    ).eval(points),
    "compositor": podpac.compositor.OrderedCompositor(sources=[array, array]).eval(source_grid),
}
definition = json.loads(sine.json)
again = podpac.Node.from_definition(definition).eval(grid)
netcdf = bytes(results["SinCoords"].to_dataset(name="data").drop_attrs().to_netcdf(engine="scipy"))
decoded = xarray.load_dataset(__import__("io").BytesIO(netcdf), engine="scipy")["data"]

report = {
    "imported at the start": started,
    "shapes": {name: list(result.shape) for name, result in results.items()},
    "finite": {name: bool(np.isfinite(result.data).all()) for name, result in results.items()},
    "sum": {name: float(np.nansum(result.data)) for name, result in results.items()},
    "repeatable": bool((again.data == results["SinCoords"].data).all()),
    "netcdf": bool((decoded.data == results["SinCoords"].data).all()) and netcdf[:3] == b"CDF",
    "geotransform": list(grid.drop("time").geotransform),
    "extras_asked_for": sorted(set(recorder.asked)),
    "engines after": sorted(xarray.backends.list_engines()),
}
if rest:
    sys.path.append(rest[0])
    importlib.invalidate_caches()
    report["extras"] = {}
    for name in manifest["dependencies_provides"]:
        try:
            importlib.import_module(name)
            report["extras"][name] = "ok"
        except Exception as error:
            report["extras"][name] = f"{type(error).__name__}: {error}"
json.dump(report, sys.stdout)
