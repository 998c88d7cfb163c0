"""What one caller leaves in a warm process for the next.

Run as ``python probe.py``; prints a JSON report. ``python probe.py open`` does so without the function's own isolation.

Every kind of request is answered once, so that what is imported on first use is there. Then an attacker asks the same
with marks of its own, and a victim asks again. The report has all state of the process that differs afterwards, all
objects that still hold a mark, and all answers of the victim that differ.
"""

from __future__ import annotations

import decimal
import gc
import hashlib
import io
import json
import locale
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import types
import warnings
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.remote import evaluate
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

ENVIRONMENT = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048", "FUNCTION_ALLOWED_BUCKETS": "bucket"}
LAT, LON, TIMES = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [f"2018-01-{day:02}" for day in range(1, 11)]
SPACE: dict[str, Any] = {"coords": [{"name": "lat", "values": LAT}, {"name": "lon", "values": LON}]}
CUBE: dict[str, Any] = {"coords": [*SPACE["coords"], {"name": "time", "values": TIMES}]}
FINE: dict[str, Any] = {
    "coords": [
        {"name": "lat", "start": 0.0, "stop": 3.0, "size": 7},
        {"name": "lon", "start": 0.0, "stop": 2.0, "size": 5},
    ]
}
SIN = {"node": "algorithm.SinCoords"}


def requests(text: str, number: float) -> dict[str, dict[str, Any]]:
    """Requests of all kinds, with a text and a number of the caller's wherever one fits."""

    def after(kind: str, more: dict[str, Any] | None = None, **attrs: Any) -> dict[str, Any]:
        array = {"node": "data.Array", "attrs": {"source": [[[number + n for n in range(10)]] * 3] * 4}}
        array["attrs"]["coordinates"] = CUBE  # type: ignore[index]
        return {text: array, "x": {"node": kind, "inputs": {"source": text}, "attrs": attrs, **(more or {})}}

    def interpolated(method: Any) -> dict[str, Any]:
        node = {"node": "interpolators.Interpolate", "inputs": {"source": text}, "attrs": {"interpolation": method}}
        return {text: plane, "x": node}

    def ask(pipeline: dict[str, Any], coordinates: dict[str, Any] = CUBE, **more: Any) -> dict[str, Any]:
        return {MARK: WIRE_VERSION, "pipeline": pipeline, "coordinates": coordinates, **more}

    plane = {"node": "data.Array", "attrs": {"source": [[number] * 3] * 4, "coordinates": SPACE}}
    unit, crs = f"meter**{number % 7:.3f}", f"+proj=utm +zone={33 + int(number) % 9} +ellps=GRS80 +units=m +no_defs"
    style = {"name": text, "units": text, "clim": [0, number], "enumeration_colors": {"1": "red"}}
    eqn = {"eqn": f"{text} * {{{text}}} + {number}", "params": {text: number}}
    return {
        "an array": ask({text: plane}, SPACE),
        "units": ask(after("algorithm.Mean", units=unit, dims=["lat"])),
        "two units": ask(
            {
                "a": {**SIN, "attrs": {"units": "m"}},
                "b": {**SIN, "attrs": {"units": "km"}},
                "x": {"node": "algorithm.Arithmetic", "inputs": {"a": "a", "b": "b"}, "attrs": {"eqn": "a + b"}},
            }
        ),
        "a style": ask({text: {**SIN, "style": style}}),
        "a style that fails": ask({text: {**SIN, "style": {"colormap": text}}}),
        "settings": ask({text: SIN}, settings={"ENABLE_UNITS": False, "DEFAULT_CRS": "EPSG:3857"}),
        "settings, then a failure": ask(after("algorithm.Mean", dims=[text]), settings={"ENABLE_UNITS": False}),
        "another CRS": ask({text: SIN}, {**SPACE, "crs": crs}),
        "between CRS": ask(interpolated("nearest"), {**FINE, "crs": "EPSG:3857"}),
        "an expression": ask(
            {text: SIN, "x": {"node": "algorithm.Arithmetic", "inputs": {text: text}, "attrs": eqn}}
        ),
        "an expression that fails": ask(
            {
                text: SIN,
                "x": {"node": "algorithm.Arithmetic", "inputs": {text: text}, "attrs": {"eqn": f"{text} & 1.5"}},
            }
        ),
        "a mask in place": ask(
            {
                text: plane,
                "x": {
                    "node": "algorithm.Mask",
                    "inputs": {"source": text, "mask": text},
                    "attrs": {"in_place": True, "masked_val": number, "bool_val": number},
                },
            },
            SPACE,
        ),
        **{
            f"interpolation, {method}": ask(interpolated({"method": method, "params": {"fill_value": number}}), FINE)
            for method in ("nearest", "bilinear", "cubic", "lanczos", "spline_2")
        },
        "groups": ask(after("algorithm.GroupReduce", groupby="month", reduce_fn="mean")),
        "periods": ask(after("algorithm.ResampleReduce", resample="3D", reduce_fn="max")),
        "a kernel": ask(
            {
                text: SIN,
                "x": {
                    "node": "algorithm.Convolution",
                    "inputs": {"source": text},
                    "attrs": {"kernel": [[number, 1.0, 1.0]], "kernel_dims": ["lat", "lon"]},
                },
            },
            FINE,
        ),
        "a fit": ask(
            {
                text: plane,
                "s": {**SIN},
                "x": {
                    "node": "alglib.climatology.BetaFitDayOfYear",
                    "inputs": {"source": "s"},
                    "attrs": {"window": 3, "percentiles": [0.5], "scale_float": [-2.0, 2.0]},
                },
            }
        ),
        "outputs": ask({"x": {"node": "data.Array", "attrs": {"source": [[[number] * 2] * 3] * 4,
        "coordinates": SPACE, "outputs": [text, "b"]}}}, SPACE),
        "an array of another shape": ask({text: {"node": "data.Array", "attrs": {"source": [[number]],
        "coordinates": SPACE}}}, SPACE),
        "a unit there is not": ask({"x": {**SIN, "attrs": {"units": text}}}),
        "refused": ask({"x": {"node": f"os.{text}"}}),
        "refused code": ask({"x": {"node": "algorithm.Generic", "inputs": {}, "attrs": {"code": f"{text} = 1"}}}),
        "PODPAC's own client": {
            "pipeline": {text: SIN}, "coordinates": SPACE, "output": {"format": "netcdf"},
            "settings": {"AWS_SECRET_ACCESS_KEY": text, "ENABLE_UNITS": False, "S3_BUCKET_NAME": text},
        },
        "a deep chain": ask(
            {text: SIN, **{f"n{n}": {"node": "algorithm.Arithmetic", "inputs": {"a": f"n{n - 1}" if n else text},
            "attrs": {"eqn": f"a + {number}"}} for n in range(95)}}, SPACE
        ),
    }  # fmt: skip


def answer(function: Function, event: dict[str, Any]) -> str:
    """The result, or the error, as a digest of what a caller sees of it."""
    try:
        found = function.handle(event)
        body = decode_answer(found).body if MARK in event and isinstance(found, bytes) else found
        return hashlib.sha256(body if isinstance(body, bytes) else repr(body).encode()).hexdigest()
    except PodpacLambdaError as error:
        return json.dumps(error.to_dict(), sort_keys=True)


def plain(value: Any, depth: int = 0) -> Any:
    """Containers of plain values as text, for comparing; anything else by its type."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if depth > 3:
        return type(value).__name__
    if isinstance(value, dict):
        return {plain_key(key): plain(item, depth + 1) for key, item in list(value.items())}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item, depth + 1) for item in list(value)]
        return items if isinstance(value, list | tuple) else sorted(map(repr, items))
    return type(value).__name__


def plain_key(key: Any) -> str:
    return repr(key) if isinstance(key, bool | int | float | str | bytes | tuple) else type(key).__name__


def podpac_state() -> dict[str, Any]:
    """The variables of podpac's modules and classes."""
    found: dict[str, Any] = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in ("podpac", "podpac_lambda_widgets") or not isinstance(
            module, types.ModuleType
        ):
            continue
        for key, value in sorted(vars(module).items()):
            if key.startswith("__"):
                continue
            if isinstance(value, type) and value.__module__ == name:
                for attribute, held in sorted(vars(value).items()):
                    if not attribute.startswith("__") and not callable(held):
                        found[f"{name}.{key}.{attribute}"] = plain(held)
            elif isinstance(value, dict | list | set | tuple | str | int | float):
                found[f"{name}.{key}"] = plain(value)
    return found


def state() -> dict[str, Any]:
    """All state of the process that a request could change."""
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    import podpac
    import requests as http
    import xarray as xr

    root = logging.getLogger()
    temporary = Path(tempfile.gettempdir())
    return {
        "settings": plain(dict(podpac.settings)),
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "path": list(sys.path),
        "finders": [type(finder).__name__ for finder in sys.meta_path],
        "modules": sorted(sys.modules),
        "warnings": [repr(each) for each in warnings.filters] + [repr(warnings.showwarning)],
        "logging": [repr(root.handlers), root.level, logging.root.manager.disable, repr(logging.lastResort)],
        "loggers": {name: getattr(each, "level", None) for name, each in sorted(root.manager.loggerDict.items())},
        "numpy errors": np.geterr(),
        "numpy print": plain(np.get_printoptions()),
        "numpy random": hashlib.sha256(repr(np.random.get_state()).encode()).hexdigest(),
        "random": hashlib.sha256(repr(random.getstate()).encode()).hexdigest(),
        "xarray": plain(dict(xr.get_options())),
        "pandas": {key: repr(pd.get_option(key)) for key in ("mode.copy_on_write", "display.max_rows")},
        "matplotlib": [plain(dict(mpl.rcParams)), sorted(mpl.colormaps)],
        "requests": [sorted(vars(http.Session)), http.Session.send.__qualname__, http.Session.send.__module__],
        "locale": locale.setlocale(locale.LC_ALL),
        "decimal": repr(decimal.getcontext()),
        "zone": time.tzname,
        "recursion": sys.getrecursionlimit(),
        "digits": sys.get_int_max_str_digits(),
        "signals": {
            each.name: repr(signal.getsignal(each)) for each in signal.valid_signals() if hasattr(each, "name")
        },
        "streams": [id(sys.stdout), id(sys.stderr), id(sys.stdin)],
        "hooks": [repr(sys.excepthook), repr(sys.gettrace()), repr(threading.excepthook)],
        "threads": sorted(each.name for each in threading.enumerate()),
        "socket": repr(socket.getdefaulttimeout()),
        "collector": [gc.isenabled(), gc.get_threshold(), len(gc.callbacks)],
        "open files": open_files(),
        "temporary files": sorted(str(file.relative_to(temporary)) for file in temporary.rglob("*")),
        "podpac": podpac_state(),
    }


def open_files() -> list[str]:
    # The folder itself is open while it is read.
    names = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sorted(name for name in names if not name.endswith("/fd"))


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key, ...) != other.get(key, ...)]
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{where}/{key}")]
    return [] if one == other else [f"{where}: {str(one)[:200]} -> {str(other)[:200]}"]


def holders(is_marked: Callable[[Any], bool]) -> list[str]:
    """The objects that still hold something marked."""
    gc.collect()
    found: list[str] = []
    tracked = gc.get_objects()
    for each in tracked:
        if isinstance(each, types.FrameType) or each is tracked or each is found:
            continue
        pending = [each]
        while pending:
            try:
                inner = gc.get_referents(pending.pop())
            except ReferenceError:
                continue
            if any(map(is_marked, inner)):
                found.append(f"{type(each).__name__}: {str(each)[:300]}")
                break
            # The collector does not list containers that hold no other containers.
            pending += [held for held in inner if isinstance(held, dict | tuple | list) and not gc.is_tracked(held)]
    return sorted(found)


def main(*, isolated: bool) -> None:
    import numpy as np

    if not isolated:
        evaluate.isolated = lambda chosen, unsafe_eval: nullcontext()
    function = Function(ENVIRONMENT, print_line=lambda line: None)
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        first = {name: answer(function, event) for name, event in requests("victim", 1.5).items()}
        again = {name: answer(function, event) for name, event in requests("victim", 1.5).items()}
        state()  # it imports, too
        gc.collect()
        before = state()
        text, number = (
            f"mark{random.SystemRandom().randrange(10**12)}",
            77777.25 + random.SystemRandom().randrange(1000),
        )
        attacks = {name: answer(function, event) for name, event in requests(text, number).items()}
        gc.collect()
        after = state()

        def is_marked(value: Any) -> bool:
            if type(value) is str:
                return value is not text and (text in value or f"meter**{number % 7:.3f}" in value)
            if type(value) is float:
                return value is not number and value == number
            return isinstance(value, np.ndarray) and value.dtype == float and bool((value == number).any())

        outcomes = {
            name: "answered" if len(found) == 64 else json.loads(found)["type"] for name, found in attacks.items()
        }
        del attacks
        held = holders(is_marked)
        victim = {name: answer(function, event) for name, event in requests("victim", 1.5).items()}
    report = {
        "outcomes": outcomes,
        "unsteady": sorted(name for name in first if first[name] != again[name]),
        "victim": sorted(name for name in again if again[name] != victim[name]),
        "changed": differences(before, after),
        "held": held,
        "printed": printed.getvalue(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(isolated="open" not in sys.argv)
