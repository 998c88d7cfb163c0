"""Which of podpac's own nodes a function offers: the content of ``remote/allowlist.json``.

``tests/remote/generate_allowlist.py`` writes the file, and a test fails when it is not what the installed podpac gives.
"""

from __future__ import annotations

import importlib
from typing import Any

from podpac_lambda_widgets.packaging.node_descriptions import describe_node

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
