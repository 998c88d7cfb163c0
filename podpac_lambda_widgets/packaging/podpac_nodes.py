"""Which of podpac's own nodes a function offers: the content of ``remote/allowlist.json``.

``tests/remote/generate_allowlist.py`` writes the file, and a test fails when it is not what the installed podpac gives.
"""

from __future__ import annotations

import importlib
from typing import Any

from podpac_lambda_widgets.packaging.node_descriptions import describe_node

#: Modules whose nodes are offered.
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
    "core.data.dataset_source": ["Dataset"],
    "core.data.h5py_source": ["H5PY"],
    "core.data.rasterio_source": ["Rasterio"],
    "core.data.reprojection": ["ReprojectedSource"],
    "core.data.zarr_source": ["Zarr"],
    "core.interpolation.interpolation": ["Interpolate"],
}
_BASE = "It is what others are derived from, and computes nothing."
_KEEPS = "It keeps results for the next caller."
_STARTS = "It starts processes, calls AWS or writes files."
_ANSWERS = "The server's answer says where the next request goes, which nobody can hold."
#: podpac's other node classes, each with the reason.
LEFT_OUT = {
    **dict.fromkeys(
        (
            "core.algorithm.algorithm.Algorithm", "core.algorithm.algorithm.BaseAlgorithm",
            "core.algorithm.algorithm.UnaryAlgorithm", "core.algorithm.coord_select.ModifyCoordinates",
            "core.algorithm.generic.GenericInputs", "core.algorithm.stats.DayOfYearWindow",
            "core.algorithm.stats.Reduce", "core.algorithm.stats.ReduceOrthogonal",
            "core.cache.cache_interface.CacheNode", "core.compositor.compositor.BaseCompositor",
            "core.data.datasource.DataSource", "core.data.file_source.BaseFileSource", "core.node.Node",
        ),
        _BASE,
    ),
    "core.cache.hash_cache.HashCache": _KEEPS,
    "core.cache.zarr_cache.ZarrCache": _KEEPS,
    "core.data.ogc.WCS": _ANSWERS,
    "core.data.pydap_source.PyDAP": _ANSWERS,
    "core.data.ogr.OGR": "It opens files of the machine only.",
    "core.data.zarr_memory_source.ZarrMemory": "It reads an array that is in memory; a definition has none.",
    **dict.fromkeys(
        (
            "core.managers.aws.Lambda", "core.managers.multi_process.Process", "core.managers.parallel.Parallel",
            "core.managers.parallel.ParallelAsync", "core.managers.parallel.ParallelAsyncOutputZarr",
            "core.managers.parallel.ParallelOutputZarr",
        ),
        _STARTS,
    ),
}  # fmt: skip
#: The public modules that offer the same nodes under shorter names.
PUBLIC = ("algorithm", "compositor", "data", "interpolators")


def describe_podpac_nodes() -> dict[str, Any]:
    """The allowlist for the installed podpac.

    Raises
    ------
    ValueError
        If no rule fits an attribute: a new podpac needs somebody to decide.
    """
    import podpac

    nodes: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for module_name, names in NODES.items():
        module = importlib.import_module(f"podpac.{module_name}")
        for name in names:
            node = getattr(module, name)
            described = describe_node(node)
            if described.left_out:
                raise ValueError(f"podpac.{module_name}.{name}: no rule for {', '.join(described.left_out)}")
            path = f"{module_name}.{name}"
            nodes[path] = described.to_dict()
            for public in PUBLIC:
                if getattr(importlib.import_module(f"podpac.{public}"), name, None) is node:
                    aliases[f"{public}.{name}"] = path
    return {"podpac": podpac.__version__, "nodes": nodes, "aliases": dict(sorted(aliases.items()))}
