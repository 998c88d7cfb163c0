"""Nodes and compositions whose answers are compared: made anew for each use, with the coordinates to evaluate at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import podpac
import podpac.alglib.climatology
import podpac.core.algorithm.generic

LAT, LON = [10.0, 20.0, 30.0, 40.0], [5.0, 15.0, 25.0]
TIMES = [f"2018-01-0{day}" for day in range(1, 8)]


def grid(**dims: Any) -> Any:
    return podpac.Coordinates(list(dims.values()), dims=list(dims))


def array(coordinates: Any, **options: Any) -> Any:
    shape = coordinates.shape + ((len(options["outputs"]),) if "outputs" in options else ())
    values = np.random.default_rng(7).normal(size=shape)
    return podpac.data.Array(source=values, coordinates=coordinates, **options)


SPACE = grid(lat=LAT, lon=LON)
CUBE = grid(lat=LAT, lon=LON, time=TIMES)
UNIFORM = grid(lat=podpac.clinspace(40, 10, 7), lon=podpac.clinspace(5, 25, 9))
TUTORIAL = grid(lat=podpac.clinspace(-90, 90, 180), lon=podpac.clinspace(90, -90, 180), time="2018-01-01")
POINTS = podpac.Coordinates([[[10.0, 20.0, 30.0], [5.0, 15.0, 25.0]], TIMES[:2]], dims=["lat_lon", "time"])
POINT_GRID = podpac.Coordinates([list(np.meshgrid([1.0, 2.0, 3.0], [4.0, 5.0]))], dims=["lat_lon"])
SECONDS = grid(lat=LAT, time=["2018-01-01T00:00:01", "2018-01-01T12:34:56", "2031-12-31T23:59:59"])
MILLISECONDS = grid(lat=LAT, time=["2018-01-01T00:00:01.125", "2018-01-01T00:00:02.001"])
OLD = grid(lat=LAT, time=["0001-01-01", "1969-12-31", "9999-12-31"])
EVERY_DAY = grid(lat=LAT, lon=LON, time=podpac.crange("2018-01-01", "2019-12-31", "1,D"))
WEB = podpac.Coordinates([[0.0, 1e6, 2e6], [0.0, 1e6]], dims=["lat", "lon"], crs="EPSG:3857")


def sin() -> Any:
    return podpac.algorithm.SinCoords()


def doy(reduce_fn: str) -> Any:
    return podpac.algorithm.GroupReduce(source=array(EVERY_DAY), groupby="month", reduce_fn=reduce_fn)


CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "SinCoords on the tutorial's grid": (sin, TUTORIAL),
    "SinCoords, descending": (sin, UNIFORM),
    "SinCoords, another CRS": (sin, WEB),
    "SinCoords with a style": (
        lambda: podpac.algorithm.SinCoords(style=podpac.style.Style(name="wave", units="m")),
        SPACE,
    ),
    "SinCoords with units": (lambda: podpac.algorithm.SinCoords(units="m/s"), SPACE),
    "SinCoords in two dimensions of time": (sin, SECONDS),
    "Arange": (podpac.algorithm.Arange, CUBE),
    "Arange of points": (podpac.algorithm.Arange, POINTS),
    "Arange of a grid of points": (podpac.algorithm.Arange, POINT_GRID),
    "Arange at milliseconds": (podpac.algorithm.Arange, MILLISECONDS),
    "Arange of far dates": (podpac.algorithm.Arange, OLD),
    "CoordData": (lambda: podpac.algorithm.CoordData(coord_name="lat"), CUBE),
    "Array": (lambda: array(SPACE), SPACE),
    "Array with units": (lambda: array(SPACE, units="kelvin"), SPACE),
    "Array with holes": (
        lambda: podpac.data.Array(
            source=[[1.0, float("nan")], [-0.0, 1e-310]], coordinates=grid(lat=[1, 2], lon=[3, 4])
        ),
        grid(lat=[1, 2], lon=[3, 4]),
    ),
    "Array with a value for holes": (lambda: array(SPACE, nan_vals=[0.0], nan_val=-1.0), SPACE),
    "Array at other coordinates": (lambda: array(SPACE).interpolate(), UNIFORM),
    "Array of two outputs": (lambda: array(SPACE, outputs=["A", "Bé"]), SPACE),
    "Array, one of its outputs": (lambda: array(SPACE, outputs=["A", "B"], output="B"), SPACE),
    "Mean of an array": (lambda: podpac.algorithm.Mean(source=array(CUBE), dims=["lat"]), CUBE),
    "Mean of everything": (lambda: podpac.algorithm.Mean(source=array(CUBE)), CUBE),
    **{
        f"{name} of an array": (
            lambda name=name: getattr(podpac.algorithm, name)(source=array(CUBE), dims=["lat", "lon"]),
            CUBE,
        )
        for name in ("Min", "Max", "Sum", "Count", "Median", "Variance", "StandardDeviation", "Skew", "Kurtosis")
    },
    "Percentile": (lambda: podpac.algorithm.Percentile(source=array(CUBE), percentile=90.0, dims=["time"]), CUBE),
    **{f"GroupReduce by {how}": (lambda how=how: doy(how), EVERY_DAY) for how in ("mean", "max", "count", "std")},
    "DayOfYear": (lambda: podpac.algorithm.DayOfYear(source=array(EVERY_DAY), reduce_fn="mean"), EVERY_DAY),
    "ResampleReduce": (
        lambda: podpac.algorithm.ResampleReduce(source=array(EVERY_DAY), resample="MS", reduce_fn="mean"),
        EVERY_DAY,
    ),
    "ResampleReduce that counts": (
        lambda: podpac.algorithm.ResampleReduce(source=array(EVERY_DAY), resample="7D", reduce_fn="count"),
        EVERY_DAY,
    ),
    "Arithmetic of two sources": (
        lambda: podpac.algorithm.Arithmetic(A=sin(), B=array(SPACE), eqn="10 * A + B ** 2"),
        SPACE,
    ),
    "Arithmetic with parameters": (
        lambda: podpac.algorithm.Arithmetic(A=sin(), eqn="A * {x} - {y}", params={"x": 2.5, "y": 1}),
        CUBE,
    ),
    "Arithmetic with functions": (
        lambda: podpac.algorithm.Arithmetic(
            A=sin(), B=array(CUBE), eqn="where((A > 0) & ~(B < 0), sqrt(abs(B)), arctan2(A, B))"
        ),
        CUBE,
    ),
    "Arithmetic of a reduction": (
        lambda: podpac.algorithm.Arithmetic(
            A=array(CUBE), B=podpac.algorithm.Mean(source=array(CUBE), dims=["time"]), eqn="A - B"
        ),
        CUBE,
    ),
    "Mask": (lambda: podpac.algorithm.Mask(source=array(SPACE), mask=array(SPACE), bool_val=0.0, bool_op=">"), SPACE),
    "Combine": (lambda: podpac.core.algorithm.generic.Combine(a=sin(), b=array(SPACE)), SPACE),
    "Convolution with a kernel": (
        lambda: podpac.algorithm.Convolution(source=sin(), kernel=[[1.0, 2.0, 1.0]], kernel_dims=["lat", "lon"]),
        UNIFORM,
    ),
    "Convolution with a window": (
        lambda: podpac.algorithm.Convolution(source=sin(), kernel_type="gaussian, 3, 1", kernel_dims=["lat", "lon"]),
        UNIFORM,
    ),
    "ExpandCoordinates": (
        lambda: podpac.algorithm.Mean(
            source=podpac.algorithm.ExpandCoordinates(source=podpac.algorithm.Arange(), time=["-2,D", "0,D", "1,D"]),
            dims=["time"],
        ),
        CUBE,
    ),
    "SelectCoordinates": (
        lambda: podpac.algorithm.SelectCoordinates(
            source=podpac.algorithm.Arange(), time=["2018-02-01", "2018-02-03", "1,D"]
        ),
        CUBE,
    ),
    "YearSubstituteCoordinates": (
        lambda: podpac.algorithm.YearSubstituteCoordinates(source=podpac.algorithm.Arange(), year="2016"),
        CUBE,
    ),
    "TransformTimeUnits": (
        lambda: podpac.algorithm.TransformTimeUnits(source=podpac.algorithm.Arange(), time_units="dayofyear"),
        CUBE,
    ),
    "Reproject": (
        lambda: podpac.algorithm.Reproject(
            source=sin(),
            interpolation="bilinear",
            coordinates=grid(lat=podpac.clinspace(0, 50, 6), lon=podpac.clinspace(0, 30, 4)),
        ),
        UNIFORM,
    ),
    **{
        f"Interpolate, {method}": (
            lambda method=method: podpac.interpolators.Interpolate(source=array(UNIFORM), interpolation=method),
            grid(lat=podpac.clinspace(12, 38, 5), lon=podpac.clinspace(6, 24, 4)),
        )
        for method in ("nearest", "bilinear", "cubic", "nearest_preview")
    },
    "Interpolate, one method a dimension": (
        lambda: podpac.interpolators.Interpolate(
            source=array(CUBE),
            interpolation=[{"method": "bilinear", "dims": ["lat", "lon"]}, {"method": "nearest", "dims": ["time"]}],
        ),
        grid(lat=[12.0, 22.0], lon=[6.0, 16.0], time=TIMES[:2]),
    ),
    "Interpolate between CRS": (
        lambda: podpac.interpolators.Interpolate(
            source=array(grid(lat=podpac.clinspace(0, 30, 7), lon=podpac.clinspace(0, 30, 7))), interpolation="nearest"
        ),
        WEB,
    ),
    "ReprojectedSource": (lambda: podpac.data.ReprojectedSource(source=sin(), reprojected_coordinates=SPACE), SPACE),
    "OrderedCompositor": (
        lambda: podpac.compositor.OrderedCompositor(sources=[array(SPACE, nan_vals=[0.0]), sin()]),
        SPACE,
    ),
    "TileCompositor": (
        lambda: podpac.compositor.TileCompositor(
            sources=[array(grid(lat=LAT[:2], lon=LON)), array(grid(lat=LAT[2:], lon=LON))]
        ),
        SPACE,
    ),
    "OrderedCompositor of other grids": (
        lambda: podpac.compositor.OrderedCompositor(
            sources=[array(grid(lat=LAT[:2], lon=LON)).interpolate(), array(UNIFORM).interpolate()]
        ),
        grid(lat=[12.0, 18.0, 33.0], lon=[6.0, 16.0]),
    ),
    "OrderedCompositor of several outputs": (
        lambda: podpac.compositor.OrderedCompositor(
            sources=[array(SPACE, outputs=["A", "B"], output="A"), array(SPACE, outputs=["A", "B"], output="B")]
        ),
        SPACE,
    ),
    "Reductions below arithmetic below a selection": (
        lambda: podpac.algorithm.SelectCoordinates(
            source=podpac.algorithm.Arithmetic(
                A=podpac.algorithm.Max(source=array(CUBE), dims=["time"]),
                B=podpac.algorithm.Min(source=array(CUBE), dims=["time"]),
                eqn="(A - B) / 2",
                units="m",
            ),
            lat=[10.0, 30.0, 10.0],
        ),
        CUBE,
    ),
    "A reduction of an interpolation": (
        lambda: podpac.algorithm.Variance(
            source=podpac.interpolators.Interpolate(source=array(SPACE), interpolation="bilinear"), dims=["lat"]
        ),
        grid(lat=podpac.clinspace(12, 38, 9), lon=podpac.clinspace(6, 24, 8)),
    ),
    "Mean along points": (lambda: podpac.algorithm.Mean(source=podpac.algorithm.Arange(), dims=["time"]), POINTS),
    "BetaFitDayOfYear": (
        lambda: podpac.alglib.climatology.BetaFitDayOfYear(
            source=podpac.algorithm.Arithmetic(A=array(EVERY_DAY), eqn="0.5 + 0.1 * A / (1 + abs(A))"),
            window=3,
            percentiles=[0.5],
            scale_float=[0.0, 1.0],
            rescale=False,
        ),
        grid(lat=LAT[:1], lon=LON[:1], time=podpac.crange("2018-01-01", "2018-01-05", "1,D")),
    ),
}

#: Beyond the years of nanoseconds, where PODPAC cannot read its own files either.
FAR = "Arange of far dates"


def generic(code: str, **inputs: Any) -> Any:
    return podpac.algorithm.Generic(code=code, inputs=inputs)


#: What runs code that its definition brings: only where the deployment opts in.
UNSAFE: dict[str, tuple[Callable[[], Any], Any]] = {
    "Generic": (lambda: generic("import numpy as np\noutput = np.hypot(a, b)", a=sin(), b=array(SPACE)), SPACE),
    "Generic below a reduction": (
        lambda: podpac.algorithm.Max(source=generic("output = a * 2", a=array(CUBE)), dims=["time"]),
        CUBE,
    ),
}
