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
    """Replace `old` by `new`, exactly `count` times, in one file."""

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
        found = text.count(patch.old)
        if found != patch.count:
            raise BuildError(
                f"The change {patch.name!r} does not fit this podpac.",
                resource=patch.file,
                why=f"Its text is there {found} times, not {patch.count}. What it is for: {patch.reason}",
                next_step="Lock podpac 4.0.1, or adapt podpac_lambda_widgets/packaging/patches.py.",
            )
        path.unlink()
        path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
