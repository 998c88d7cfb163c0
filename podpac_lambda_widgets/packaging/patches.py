"""Changes to podpac's own files in the archive.

With them an ordinary pipeline does not import the extras, and none reads another bucket than it names. None changes
what podpac computes. Each holds the exact text it expects, so that another podpac cannot be changed by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.errors import BuildError


@dataclass(frozen=True)
class Patch:
    """Replace `old` by `new`, exactly `count` times, in one file; write an empty or missing one when `count` is 0."""

    name: str
    file: str
    old: str
    new: str
    count: int
    reason: str


PATCHES = (
    Patch(
        "affine: the module",
        "podpac/core/coordinates/coordinates.py",
        'rasterio = lazy_module("rasterio")\n',
        'affine = lazy_module("affine")\n',
        1,
        "Only Affine is used of rasterio, and rasterio.transform.Affine is affine.Affine.",
    ),
    Patch(
        "affine: its use",
        "podpac/core/coordinates/coordinates.py",
        "rasterio.transform.Affine",
        "affine.Affine",
        2,
        "The geotransform of uniform coordinates then needs no GDAL.",
    ),
    Patch(
        "registry of units: a module of its own",
        "podpac/core/registry.py",
        "",
        """from pint import UnitRegistry

ureg = UnitRegistry()
""",
        0,
        "Reading pint's definitions takes longer than an evaluation; only nodes with units need them.",
    ),
    Patch(
        "registry of units: its use",
        "podpac/core/units.py",
        """from pint import UnitRegistry

ureg = UnitRegistry()
""",
        """from podpac.core.registry import UnitRegistry, ureg
""",
        1,
        "So that the import can be deferred; see imports.py.",
    ),
    Patch(
        "data: a module of the package",
        "podpac/core/data/__init__.py",
        "",
        """import podpac.core.data.pydap_source as pydap_source
""",
        0,
        "Once its import is deferred, the package has this name only if it imports it itself.",
    ),
    Patch(
        "managers: a module of the package",
        "podpac/core/managers/__init__.py",
        "",
        """import podpac.core.managers.aws as aws
""",
        0,
        "The same for this name.",
    ),
    Patch(
        "parallel nodes: the errors of botocore",
        "podpac/core/managers/parallel.py",
        "    import botocore\n",
        "    import botocore.exceptions\n",
        1,
        "PODPAC's Lambda, which is imported before it, brings this module with boto3; deferred, it no longer does.",
    ),
    Patch(
        "scipy interpolator: the module",
        "podpac/core/interpolation/scipy_interpolator.py",
        """try:
    import scipy
    from scipy.interpolate import griddata, RectBivariateSpline, RegularGridInterpolator
    from scipy.spatial import KDTree
except ImportError:
    scipy = None
""",
        """import scipy
from scipy.interpolate import griddata, RectBivariateSpline, RegularGridInterpolator
from scipy.spatial import KDTree
""",
        1,
        "scipy is there; what is tried cannot be deferred.",
    ),
    Patch(
        "zarr cache: the module",
        "podpac/core/cache/zarr_cache.py",
        "import zarr\n",
        'from lazy_import import lazy_module\n\nzarr = lazy_module("zarr")\n',
        1,
        "podpac imports this file at start; zarr is needed when such a cache is made.",
    ),
    Patch(
        "zarr cache: the traits",
        "podpac/core/cache/zarr_cache.py",
        "tl.Instance(zarr.hierarchy.Group)",
        'tl.Instance("zarr.hierarchy.Group")',
        2,
        "traitlets resolves a class given by name when the trait is first used.",
    ),
    Patch(
        "rasterio interpolator: the module",
        "podpac/core/interpolation/rasterio_interpolator.py",
        """try:
    import rasterio
    from rasterio import transform
    from rasterio.warp import reproject, Resampling
except ImportError:
    rasterio = None
""",
        """from lazy_import import lazy_module

rasterio = lazy_module("rasterio")
""",
        1,
        "podpac imports this file at start; GDAL is needed when it interpolates.",
    ),
    Patch(
        "rasterio interpolator: its use",
        "podpac/core/interpolation/rasterio_interpolator.py",
        "        with rasterio.Env():\n",
        """        from rasterio import transform
        from rasterio.warp import reproject, Resampling

        with rasterio.Env():
""",
        1,
        "The names the patch above no longer imports.",
    ),
    Patch(
        "zarr source: the bucket",
        "podpac/core/data/zarr_source.py",
        "self.source.strip(_S3_PREFIX)",
        "self.source.removeprefix(_S3_PREFIX)",
        1,
        "strip takes the letters s, 3, : and / from both ends, so that s3://soil-data/x reads the bucket oil-data.",
    ),
    Patch(
        "lazy modules have a specification",
        "lazy_import/__init__.py",
        "                mod = sys.modules[modname] = _LazyModule(modname)\n",
        """                mod = sys.modules[modname] = _LazyModule(modname)
                from importlib.machinery import ModuleSpec

                ModuleType.__setattr__(mod, "__spec__", ModuleSpec(modname, None))
""",
        1,
        "xarray asks importlib.util.find_spec for zarr, which fails on a module without a specification.",
    ),
)


def apply_patches(directory: Path, patches: tuple[Patch, ...] = PATCHES) -> None:
    """Apply `patches` to the tree in `directory`; files are replaced, never changed in place.

    Raises
    ------
    BuildError
        If a file is missing or does not hold the expected text the expected number of times.
    """
    for patch in patches:
        path = directory / patch.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = text.count(patch.old) if patch.count else len(text)
        if found != patch.count:
            raise BuildError(
                f"The change {patch.name!r} does not fit this podpac.",
                resource=patch.file,
                why=f"Its text is there {found} times, not {patch.count}. What it is for: {patch.reason}",
                next_step="Lock podpac 4.0.1, or adapt podpac_lambda_widgets/packaging/patches.py.",
            )
        path.unlink(missing_ok=True)
        path.write_text(text.replace(patch.old, patch.new) if patch.count else patch.new, encoding="utf-8")
