"""Write ``podpac_lambda_widgets/remote/allowlist.json`` from the node classes of the installed podpac.

Run it after moving to another podpac, and review the difference: ``python tests/remote/generate_allowlist.py``.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "podpac_lambda_widgets" / "remote" / "allowlist.json"

#: Modules whose concrete nodes are offered. Left out: ``core.managers`` (they start processes, call AWS or write
#: files), the caches (they keep results for the next caller, and read pickles), ``core.data.ogr`` and
#: ``core.data.h5py_source`` (they open local files only), ``core.data.dataset_source`` (it opens HDF5, and an HDF5 file
#: can name external storage, virtual sources and external links, /proc/self/environ too, which HDF5's library opens by
#: itself), ``core.data.ogc`` and ``core.data.pydap_source`` (the server's answer says where the next request goes), and
#: what has no use by itself (abstract bases, ``ZarrMemory``).
NODES = {
    "alglib.climatology": ["BetaFitDayOfYear"],
    "core.algorithm.coord_select": [
        "ExpandCoordinates",
        "SelectCoordinates",
        "TransformTimeUnits",
        "YearSubstituteCoordinates",
    ],
    "core.algorithm.generic": ["Arithmetic", "Combine", "Generic", "Mask"],
    "core.algorithm.reprojection": ["Reproject"],
    "core.algorithm.signal": ["Convolution"],
    "core.algorithm.stats": [
        "Count",
        "DayOfYear",
        "GroupReduce",
        "Kurtosis",
        "Max",
        "Mean",
        "Median",
        "Min",
        "Percentile",
        "ResampleReduce",
        "Skew",
        "StandardDeviation",
        "Sum",
        "Variance",
    ],
    "core.algorithm.utility": ["Arange", "CoordData", "SinCoords"],
    "core.compositor.ordered_compositor": ["OrderedCompositor"],
    "core.compositor.tile_compositor": ["TileCompositor"],
    "core.data.array_source": ["Array"],
    "core.data.csv_source": ["CSV"],
    "core.data.rasterio_source": ["Rasterio"],
    "core.data.reprojection": ["ReprojectedSource"],
    "core.data.zarr_source": ["Zarr"],
    "core.interpolation.interpolation": ["Interpolate"],
}
#: The public modules that offer the same nodes under shorter names.
PUBLIC = ("algorithm", "compositor", "data", "interpolators")
#: These run code.
UNSAFE = {"core.algorithm.generic.Generic"}
#: Attributes that a definition may name but not set: a function.
NOTHING = {"custom_reduce_fn"}
#: How a source is checked: GDAL and aiohttp follow redirects that nobody can hold, and Zarr takes letters from its own.
LOCATIONS = {"CSV": "location", "Rasterio": "bucket_location", "Zarr": "zarr_location"}
#: What an attribute means, where its trait type does not say.
MEANINGS = {
    "crs": "crs",
    "eqn": "expression",
    "params": "parameters",
    "kernel_type": "kernel_type",
    "interpolation": "interpolation",
    "source_interpolation": "interpolation",
    "units": "units",
    "code": "code",
    "nan_val": "value",
    "header": "value",
    "reduce_fn": "reduce_fn",
    "resample": "frequency",
}
KINDS = {
    "ArrayTrait": "array",
    "Bool": "bool",
    "CInt": "int",
    "CaselessStrEnum": "text",
    "Dict": "dict",
    "DimsTrait": "value",
    "Enum": "value",
    "Float": "float",
    "Int": "int",
    "List": "list",
    "NodeTrait": "node",
    "Unicode": "text",
    "Union": "value",
}


def _kind(name: str, trait: Any, node: Any, *, source: bool) -> str:
    import podpac

    if name == "source" and source and type(trait).__name__ == "Unicode":
        return LOCATIONS[node.__name__]
    if name in NOTHING:
        return "nothing"
    if name in MEANINGS:
        return MEANINGS[name]
    if name in ("lat", "lon", "alt", "time") and "coord_select" in node.__module__:
        return "selection"
    if type(trait).__name__ == "Instance":
        if trait.klass is podpac.Coordinates:
            return "coordinates"
        if trait.klass is podpac.Node:
            return "node"
        raise ValueError(f"{node.__name__}.{name}: no rule for {trait.klass}")
    if type(trait).__name__ == "Union" and name == "coordinates":
        return "coordinates_or_node"
    if name in ("sources", "inputs"):
        return "nodes"
    return KINDS[type(trait).__name__]


def generate() -> dict[str, Any]:
    """The allowlist for the installed podpac."""
    import podpac

    nodes: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for module_name, names in NODES.items():
        module = importlib.import_module(f"podpac.{module_name}")
        for name in names:
            node = getattr(module, name)
            traits = {key: trait for key, trait in node.class_traits().items() if trait.metadata.get("attr")}
            path = f"{module_name}.{name}"
            described: dict[str, Any] = {
                "attrs": {
                    key: _kind(key, trait, node, source=module_name.startswith("core.data"))
                    for key, trait in sorted(traits.items())
                }
            }
            if issubclass(node, podpac.core.algorithm.generic.GenericInputs):
                described["free_inputs"] = True
            if path in UNSAFE:
                described["unsafe"] = True
            nodes[path] = described
            for public in PUBLIC:
                if getattr(importlib.import_module(f"podpac.{public}"), name, None) is node:
                    aliases[f"{public}.{name}"] = path
    return {"podpac": podpac.__version__, "nodes": nodes, "aliases": dict(sorted(aliases.items()))}


def as_text() -> str:
    """The file's text."""
    return json.dumps(generate(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text())
    print(FILE)
