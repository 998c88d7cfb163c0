"""Requests that must never reach podpac, made at random: an allowed request in which one forbidden thing is planted.

Each is malicious by construction: the function that made it put in what the guard promises to refuse, at a place where
podpac would come across it.
"""

from __future__ import annotations

import copy
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

from definitions import COORDINATES, PIPELINES, VALUES, WHOLE

from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

Json = dict[str, Any]

MODULES = (
    "os", "subprocess", "builtins", "importlib", "ctypes", "socket", "shutil", "pickle", "marshal", "sys", "pty",
    "code",
    "posix", "tempfile", "urllib.request", "http.client", "asyncio", "multiprocessing", "runpy", "webbrowser",
    "numpy", "pandas", "xarray", "boto3", "botocore.session", "podpac.core.settings", "podpac.core.managers.aws",
    "podpac.core.utils", "podpac_lambda_widgets.remote.guard", "traitlets", "logging.config",
)  # fmt: skip
NAMES = (
    "system", "Popen", "exec", "eval", "import_module", "CDLL", "socket", "rmtree", "loads", "load", "spawn",
    "run_path",
    "open", "__import__", "call", "check_output", "urlopen", "Process", "settings", "Session", "Lambda", "read_pickle",
    "memmap", "fileConfig", "listen",
)  # fmt: skip
PROPERTIES = (
    "lookup_attrs", "style_class", "__class__", "__init__", "__reduce__", "base_ref", "definition", "cache", "exec",
    "module", "path", "import", "handler", "Node", "NODE", "Plugin", "lookup_source",
)  # fmt: skip
ATTRIBUTES = (
    "property_cache_type", "property_cache_ctrl", "cache_output", "force_eval", "_output", "__class__", "__dict__",
    "style", "style_class", "base_ref", "cache_type", "cache_uid", "multithreading", "auto_outputs", "dtype", "s3",
    "aws_access_key_id", "aws_secret_access_key", "aws_client_kwargs", "config_kwargs", "filename", "session",
    "_definition_guard", "eval", "init", "_trait_values",
)  # fmt: skip
SETTINGS = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "UNSAFE_EVAL_HASH", "DEFAULT_CACHE", "ENABLE_CACHE", "S3_BUCKET_NAME",
    "DISK_CACHE_DIR", "ROOT_PATH", "MULTITHREADING", "N_THREADS", "DEBUG", "FUNCTION_NAME", "AWS_REGION_NAME",
    "AUTOSAVE_SETTINGS", "PODPAC_VERSION",
)  # fmt: skip
#: Texts that are no expression of numbers, inputs, operators and numexpr's functions.
EXPRESSIONS = (
    "__import__('{word}')", "{word}", "{word}()", "A.{word}", "A.__{word}__", "A['{word}']", "A[0]", "'{word}'",
    "f'{{A}}{word}'", "lambda: {word}", "lambda {word}: A", "[{word} for {word} in A]", "({word} := 1)",
    "A if {word} else A", "A and {word}", "not {word}", "A < {word} < A", "{word} in A", "A is {word}",
    "open('{word}')",
    "eval('{word}')", "exec('{word}')", "{word}(A)", "abs(A, {word})", "abs({word}=A)", "abs(*{word})", "abs(**{word})",
    "sum({word})", "A @ {word}", "A // {word}", "A << {word}", "A; {word}", "A\n{word}", "yield {word}", "await {word}",
    "{word}: A", "({word},)", "{{{word}}}", "A ** (9 ** 9) + {word}", "9 ** 9 ** 9 ** {word}", "().__{word}__",
    "(1).{word}", "''.join({word})", "print({word})", "A = {word}", "del {word}", "...{word}", "\u00c4 + {word}",
    "A + {word} #", "0x{word}g", "'%s' % {word}", "`{word}`", "A\x00{word}", "A ? {word}",
)  # fmt: skip
ALLOWED_EXPRESSIONS = ("A", "2 * A + 1", "sqrt(abs(A))", "where(A > 0, A, -A)", "A ** 2 / 3.5", "(A > 0) & (A < 1)")
REDUCTIONS = ("Mean", "Max", "Min", "Sum", "Count", "Median", "Variance", "StandardDeviation", "Skew", "Kurtosis")
SINCOORDS = ("algorithm.SinCoords", "core.algorithm.utility.SinCoords", "algorithm.Arange")
CRS_FILES = (
    "+proj=longlat +nadgrids={path}", "+init={path}:1", "+proj=defmodel +model={path}",
    "+proj=longlat +geoidgrids={path}",
    "+proj=tinshift +file={path}", "+proj=pipeline +step +proj=vgridshift +grids={path}", "+proj=longlat +x={path}",
    "{path}", "file://{path}", "+proj=horner +catalog={path}",
)  # fmt: skip
#: Made larger than any limit, or not to be put beside a harmless node.
UNFIT = {"no node", "nothing", "ten thousand nodes", "a text of ten megabytes"}


class Generator:
    """Makes requests from a seed.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.plants: tuple[Callable[[], Json], ...] = (
            self.foreign_node, self.foreign_plugin, self.changed_name, self.property, self.attribute, self.value,
            self.expression, self.parameter, self.reference, self.input_name, self.source, self.crs, self.style,
            self.points, self.coordinates, self.output, self.setting, self.event_key, self.growth, self.handwritten,
        )  # fmt: skip

    def requests(self, count: int) -> Iterator[tuple[str, Json]]:
        """Each with the name of what was planted."""
        for _ in range(count):
            plant = self.random.choice(self.plants)
            yield plant.__name__, plant()

    # What is allowed.

    def word(self) -> str:
        letters = self.random.choices(string.ascii_lowercase, k=self.random.randint(3, 9))
        return "".join(letters) + str(self.random.randrange(1000))

    def path(self) -> str:
        folder = self.random.choice(("/proc/self/", "/etc/", "/var/task/", "/tmp/", "../", "~/", "/dev/"))
        return folder + self.random.choice(("environ", "passwd", "mem", "maps", "x", "handler.py")) + self.word()

    def grid(self) -> Json:
        size = self.random.randint(1, 9)
        lat = {"name": "lat", "values": [float(n) for n in range(size)]}
        lon = {"name": "lon", "start": 0.0, "stop": 10.0, "size": self.random.randint(2, 50)}
        time = {"name": "time", "values": ["2018-01-01", "2018-01-02"]}
        return {"coords": self.random.choice(([lat, lon, time], [time, lat, lon], [lon, lat, time]))}

    def harmless(self) -> tuple[Json, str]:
        """A few allowed nodes, and the name of the last."""
        name = self.word()
        nodes: Json = {name: {"node": self.random.choice(SINCOORDS)}}
        for _ in range(self.random.randint(0, 3)):
            last, name = name, self.word() + "x"
            if self.random.random() < 0.5:
                reduction = self.random.choice(REDUCTIONS)
                nodes[name] = {"node": f"algorithm.{reduction}", "inputs": {"source": last}, "attrs": {"dims": ["lat"]}}
            else:
                eqn = self.random.choice(ALLOWED_EXPRESSIONS)
                nodes[name] = {"node": "algorithm.Arithmetic", "inputs": {"A": last}, "attrs": {"eqn": eqn}}
        return nodes, name

    def event(self, pipeline: Json | None = None, **more: Any) -> Json:
        nodes = self.harmless()[0] if pipeline is None else pipeline
        return {MARK: WIRE_VERSION, "pipeline": nodes, "coordinates": self.grid(), **more}

    def beside(self, node: Any, *, source: bool = False) -> Json:
        """A request with one more node, which may have the last of the harmless ones as its source."""
        nodes, last = self.harmless()
        if source:
            node = {**node, "inputs": {"source": last, **node.get("inputs", {})}}
        nodes[self.word() + "y"] = node
        if self.random.random() < 0.3:
            nodes["podpac_version"] = "4.0.1"
        return self.event(nodes)

    # What is planted.

    def foreign_node(self) -> Json:
        path = self.random.choice((f"{self.random.choice(MODULES)}.{self.random.choice(NAMES)}", f"core.{self.word()}"))
        return self.beside({"node": path, "attrs": {self.word(): self.word()}})

    def foreign_plugin(self) -> Json:
        plugin = self.random.choice((*MODULES, f"podpac.{self.word()}", f".{self.word()}", self.word(), 7, ["os"], ""))
        return self.beside({"node": self.random.choice((*NAMES, *SINCOORDS)), "plugin": plugin})

    def changed_name(self) -> Json:
        name, part = self.random.choice(SINCOORDS), self.word()
        changes = (
            name.swapcase(), f"{name}.{part}", f"{part}.{name}", name + " ", " " + name, name.replace(".", "..", 1),
            name + "\u200b", name.replace("o", "\u043e"), f"{name}.__class__", f"{name}\x00{part}", f"{name}/{part}",
            name[:-1] + part, f"{name}()", f"{name}\n",
        )  # fmt: skip
        return self.beside({"node": self.random.choice(changes)})

    def property(self) -> Json:
        key = self.random.choice((*PROPERTIES, self.word()))
        value = self.random.choice((self.word(), {"units": f"A.{self.word()}"}, [self.word()], {}, None, 1))
        return self.beside({"node": self.random.choice(SINCOORDS), key: value})

    def attribute(self) -> Json:
        key = self.random.choice((*ATTRIBUTES, self.word()))
        value = self.random.choice((self.word(), True, None, ["disk"], {"a": self.word()}, 5))
        return self.beside({"node": self.random.choice(SINCOORDS), "attrs": {key: value}})

    def value(self) -> Json:
        """An attribute of the node, of a kind or a size that it is not."""
        word, number = self.word(), self.random.randrange(10**6, 10**9)
        path, attrs = self.random.choice((
            ("algorithm.Mean", {"units": f"__import__('{word}')"}),
            ("algorithm.Mean", {"units": f"m ** {number}"}),
            ("algorithm.Mean", {"units": [word]}),
            ("algorithm.Mean", {"units": f"m ** 2 ** {self.random.randint(2, 9)}"}),
            ("algorithm.Mean", {"output": {word: number}}),
            ("algorithm.Mean", {"output": word * 500}),
            ("algorithm.Mean", {"outputs": word}),
            ("algorithm.Mean", {"outputs": [word] * 1001}),
            ("algorithm.Mean", {"output": f"{word}\x1b[2J"}),
            ("algorithm.Percentile", {"percentile": word}),
            ("algorithm.GroupReduce", {"groupby": "month", "reduce_fn": word}),
            ("algorithm.GroupReduce", {"groupby": "month", "reduce_fn": f"__{word}__"}),
            ("algorithm.GroupReduce", {"groupby": "month", "reduce_fn": "mean", "custom_reduce_fn": word}),
            ("algorithm.ResampleReduce", {"resample": f"{number}ns", "reduce_fn": "mean"}),
            ("algorithm.ResampleReduce", {"resample": word, "reduce_fn": "mean"}),
            ("algorithm.Convolution", {"kernel_type": f"{word}, 5", "kernel_dims": ["lat"]}),
            ("algorithm.Convolution", {"kernel_type": f"gaussian, {number % 10**6 + 1001}, 1", "kernel_dims": ["lat"]}),
            ("algorithm.Convolution", {"kernel": [[word]], "kernel_dims": ["lat", "lon"]}),
            ("interpolators.Interpolate", {"interpolation": word}),
            ("interpolators.Interpolate", {"interpolation": {"method": "nearest", word: word}}),
            ("interpolators.Interpolate", {"interpolation": [{"method": f"os.{word}"}]}),
            ("algorithm.Reproject", {"coordinates": word, "interpolation": "nearest"}),
            ("algorithm.SelectCoordinates", {"lat": [word]}),
            ("algorithm.SelectCoordinates", {"lat": [0, number, 1e-6]}),
            ("algorithm.ExpandCoordinates", {"time": [f"-{number},Y", f"{number},Y", "1,s"]}),
            ("algorithm.ExpandCoordinates", {"bounds_only": word}),
            ("data.Array", {"source": word}),
            ("data.Array", {"source": [[word]]}),
            ("data.Array", {"source": [1.0], "coordinates": {"coords": [], word: word}}),
            ("data.Array", {"source": [1.0], "boundary": word}),
            ("data.Array", {"source": [1.0], "boundary": {"lat": word * 500}}),
            ("algorithm.Mask", {"masked_val": word}),
            ("algorithm.Mask", {"in_place": word}),
            ("algorithm.Mean", {"source": {"node": f"os.{word}"}}),
        ))  # fmt: skip
        return self.beside({"node": path, "attrs": attrs}, source=path not in ("data.Array",) and "source" not in attrs)

    def arithmetic(self, eqn: Any, **attrs: Any) -> Json:
        nodes, last = self.harmless()
        nodes[self.word() + "y"] = {
            "node": self.random.choice(("algorithm.Arithmetic", "core.algorithm.generic.Arithmetic")),
            "inputs": {"A": last},
            "attrs": {"eqn": eqn, **attrs},
        }
        return self.event(nodes)

    def expression(self) -> Json:
        bad = self.random.choice(EXPRESSIONS).format(word=self.word())
        good = self.random.choice(ALLOWED_EXPRESSIONS)
        return self.arithmetic(self.random.choice((bad, f"{good} + {bad}", f"sqrt({bad})", f"({bad}) * ({good})")))

    def parameter(self) -> Json:
        word = self.word()
        eqn, params = self.random.choice((
            ("A + {a.__class__}", {"a": word}), ("A + {a[0]}", {"a": word}), ("A + {a!r}", {"a": word}),
            ("A + {a:>99999999}", {"a": 1}), ("A + {0}", {"a": word}), (f"A + {{{word}}}", {"a": 1}),
            ("A + {a}", {"a": f"__import__('{word}')"}), ("A + {a}", {"a": word}), ("A + {a}", {"a": [word]}),
            ("A + {a}", {"a": {word: 1}}), ("A + {a}", [word]), ("A + {a", {"a": word}), ("A }", {"a": word}),
            ("{a}" * 99, {"a": "A + " * 500 + word}), ("A + {a}", {"a": None}), ("A + {a}", {"a": True}),
        ))  # fmt: skip
        return self.arithmetic(eqn, params=params)

    def reference(self) -> Json:
        word = self.word() + "z"
        bad = self.random.choice((word, f"{word}.{self.word()}", None, 5, [word], {word: word}, "podpac_version", ""))
        path = self.random.choice((f"algorithm.{self.random.choice(REDUCTIONS)}", "compositor.OrderedCompositor"))
        key = "sources" if path.startswith("compositor") else "source"
        return self.beside({"node": path, "inputs": {key: bad}})

    def input_name(self) -> Json:
        nodes, last = self.harmless()
        path, key = self.random.choice((
            (self.random.choice(SINCOORDS), self.word()), ("algorithm.Mean", self.word()), ("algorithm.Mean", "units"),
            ("algorithm.Combine", "a"), ("core.algorithm.generic.Combine", f"__{self.word()}__"), ("algorithm.Mean",
            ""),
            ("core.algorithm.generic.Combine", f"{self.word()}.x"), ("core.algorithm.generic.Combine", "outputs"),
            ("core.algorithm.generic.Combine", f"_{self.word()}"), ("core.algorithm.generic.Combine", "a b"),
        ))  # fmt: skip
        return self.event({**nodes, self.word() + "y": {"node": path, "inputs": {key: last}}})

    def source(self) -> Json:
        word = self.word()
        value = self.random.choice((
            self.path(), f"file://{self.path()}", f"s3://{word}-elsewhere/{word}", f"s3://bucket/../{word}",
            f"s3://bucket/{word}/%2e%2e/x", f"https://{word}.example.org/x", f"http://data.example.com/{word}",
            f"https://data.example.com@{word}.com/", f"https://{word}:{word}@data.example.com/",
            "https://[::1]/" + word,
            f"https://127.0.0.{self.random.randrange(256)}/{word}", f"https://169.254.169.254/{word}",
            f"https://10.{self.random.randrange(256)}.0.1/{word}",
            f"https://data.example.com:{1024 + len(word)}/{word}",
            f"ftp://data.example.com/{word}", f"/vsicurl/https://{word}.com/", f"zip+s3://bucket/{word}",
            f"data:,{word}",
            f"s3://bucket/{word}\n", f"https://2130706433/{word}", f"https://{word}.internal/", word, {word: 1}, [word],
            self.random.choice(VALUES),
        ))  # fmt: skip
        path = self.random.choice((
            "data.CSV", "data.Rasterio", "data.Zarr", "data.Dataset", "data.H5PY", "core.data.csv_source.CSV",
        ))  # fmt: skip
        return self.beside({"node": path, "attrs": {"source": value}})

    def crs(self) -> Json:
        crs = self.random.choice(CRS_FILES).format(path=self.path())
        if self.random.random() < 0.5:
            event = self.event()
            event["coordinates"]["crs"] = crs
            return event
        return self.beside(
            {"node": "data.Array", "attrs": {"source": [1.0], "coordinates": {**self.grid(), "crs": crs}}}
        )

    def style(self) -> Json:
        word = self.word()
        style = self.random.choice((
            {word: word}, {"name": [word]}, {"name": word * 200}, {"clim": word}, {"clim": [1, 2, 3]}, {"colormap": 5},
            {"enumeration_colors": {word: "red"}}, {"enumeration_colors": {"99999999": word}}, [word], word, 5,
            {"enumeration_legend": {"1": [word]}}, {"default_enumeration_color": {word: 1}}, {"name": f"{word}\x00"},
            {"units": {word: word}}, {"__class__": word}, {"cmap": word},
        ))  # fmt: skip
        return self.beside({"node": self.random.choice(SINCOORDS), "style": style})

    def points(self) -> Json:
        many = self.random.randrange(10**9, 10**15)
        dim = self.random.choice(({"size": many}, {"step": 1.0 / many}, {"step": 0}, {"step": -1}, {"size": -many}))
        coords = {"coords": [{"name": "lat", "start": 0.0, "stop": 1.0, **dim}]}
        if self.random.random() < 0.5:
            return {**self.event(), "coordinates": coords}
        return self.beside({"node": "data.Array", "attrs": {"source": [1.0], "coordinates": coords}})

    def coordinates(self) -> Json:
        word, event = self.word(), self.event()
        coords = event["coordinates"]["coords"]
        self.random.choice((
            lambda: event["coordinates"].update({word: word}), lambda: coords[0].update({word: word}),
            lambda: coords.append(word), lambda: coords.append({"name": word}), lambda: coords.extend(coords * 9),
            lambda: coords.append({"name": "alt", "values": {word: 1}}), lambda: event.update(coordinates=[word]),
            lambda: coords.append({"name": "alt", "values": [{word: 1}]}), lambda: event.update(coordinates=word),
            lambda: coords.append({"name": "alt", "start": word, "stop": 1, "step": 1}),
            lambda: coords.append([[{"name": "alt", "values": [1]}]]), lambda: event["coordinates"].pop("coords"),
        ))()  # fmt: skip
        return event

    def output(self) -> Json:
        word = self.word()
        return self.event(output=self.random.choice((
            {"format": f"{word}_pickle"}, {"format": self.path()}, {"format": [word]}, {"format": None}, {},
            {"format": "netcdf", word: word}, {"format": "netcdf", "path": self.path()}, word, [word],
        )))  # fmt: skip

    def setting(self) -> Json:
        key = self.random.choice((*SETTINGS, self.word()))
        value = self.random.choice((self.word(), True, [self.word()], 5))
        return self.event(settings=self.random.choice((
            {key: value}, {"ENABLE_UNITS": self.word()}, {"DEFAULT_CRS": self.random.randrange(9999)}, [key], key,
            {"DEFAULT_CRS": self.random.choice(CRS_FILES).format(path=self.path())},
        )))  # fmt: skip

    def event_key(self) -> Json:
        return self.event(**{self.random.choice((self.word(), *SETTINGS)): self.word()})

    def growth(self) -> Json:
        """Too much to compute, though each node is allowed and little is asked."""
        nodes, last = self.harmless()
        size = self.random.randint(20, 90)
        kind = self.random.randrange(4)
        if kind == 0:
            for number in range(size):
                name = f"d{number}"
                inputs = {"A": last, self.word(): last}
                nodes[name] = {"node": "algorithm.Arithmetic", "inputs": inputs, "attrs": {"eqn": "A"}}
                last = name
        elif kind == 1:
            for number in range(5):
                name = f"d{number}"
                attrs = {"lat": [-size, size, 0.01]}
                nodes[name] = {"node": "algorithm.ExpandCoordinates", "inputs": {"source": last}, "attrs": attrs}
                last = name
        elif kind == 2:
            for dim in ("lat", "lon"):
                for number in range(size):
                    attrs = {dim: [number, number + 1, 1 / 997]}
                    nodes[f"{dim}{number}"] = {
                        "node": "algorithm.SelectCoordinates",
                        "inputs": {"source": last},
                        "attrs": attrs,
                    }
            sources = [f"{dim}{number}" for dim in ("lat", "lon") for number in range(size)]
            nodes["d"] = {"node": "compositor.OrderedCompositor", "inputs": {"sources": sources}}
        else:
            nodes.update({f"d{self.word()}": {"node": "algorithm.SinCoords"} for _ in range(520)})
        return self.event(nodes)

    def handwritten(self) -> Json:
        """One that was written by hand, among other nodes and at other coordinates."""
        kind = self.random.randrange(10)
        if kind == 0:
            return {**self.event(), "coordinates": copy.deepcopy(COORDINATES[self.random.choice(list(COORDINATES))])}
        if kind == 1:
            return {**self.event(), **copy.deepcopy(WHOLE[self.random.choice(list(WHOLE))])}
        pipeline = PIPELINES[self.random.choice([name for name in PIPELINES if name not in UNFIT])]
        nodes, _ = self.harmless()
        return self.event({**nodes, **copy.deepcopy(pipeline)})
