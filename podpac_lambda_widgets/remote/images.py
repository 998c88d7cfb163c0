"""Results as PNG images, in the colours of ``podpac.UnitsDataArray.to_image``."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineFailedError

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

_MAP = ("lat", "lon")


def encode_png(array: xr.DataArray, options: Mapping[str, object] | None = None) -> bytes:
    """Draw a map, north up and west left; what is not a number is transparent.

    Unlike podpac's own ``to_image``, it draws rows or columns of one pixel, puts west left, and draws an array of one
    value opaquely.

    Parameters
    ----------
    array : xarray.DataArray
        Dimensions ``lat`` and ``lon``, and others of size 1. Colours and their range are those of the attribute
        ``layer_style``, if there is one.
    options : mapping, optional
        ``colormap``, the name of one of matplotlib's, and ``vmin`` and ``vmax``, in place of the style's.

    Returns
    -------
    bytes
        PNG, RGBA with 8 bits each.

    Raises
    ------
    InvalidCoordinatesError
        It is not one map.
    PipelineFailedError
        Its style cannot be used, or its values are no numbers.
    """
    import numpy as np
    from PIL import Image

    single = array.isel({dim: 0 for dim in array.dims if dim not in _MAP and array.sizes[dim] == 1}, drop=True)
    if set(single.dims) != set(_MAP):
        raise InvalidCoordinatesError(
            "The result is not one map",
            field="coordinates",
            why=f"its dimensions are {', '.join(f'{dim} ({size})' for dim, size in array.sizes.items())}",
            next_step="Ask for one time and one output, or for netCDF",
        )
    if single.dtype.kind not in "biuf":
        raise PipelineFailedError(
            "The result has no numbers to draw", why=str(single.dtype), next_step="Ask for netCDF"
        )
    upright = single.transpose(*_MAP).sortby("lat", ascending=False).sortby("lon")
    values = np.asarray(upright.values, dtype="f8")
    colormap, low, high = _style(array.attrs.get("layer_style"), values, options or {})
    with np.errstate(all="ignore"):
        pixels = colormap((values - low) / ((high - low) or 1.0), bytes=True)
    image = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(image, "PNG")
    return image.getvalue()


def _style(style: object, values: np.ndarray[Any, Any], options: Mapping[str, object]) -> tuple[Any, float, float]:
    import numpy as np
    from podpac.core.style import Style

    try:
        found = Style.from_json(style) if isinstance(style, str) else style if isinstance(style, Style) else Style()
        if "colormap" in options:
            found = Style(colormap=options["colormap"], clim=found.clim)
        colormap, limits = found.cmap, (*found.clim, None, None)[:2]
    except Exception as error:  # noqa: BLE001 - podpac, traitlets and matplotlib raise any type over a style
        raise PipelineFailedError(
            "The result's style cannot be used", remote_type=type(error).__name__, why=type(error).__name__
        ) from None
    limits = (options.get("vmin", limits[0]), options.get("vmax", limits[1]))
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low, high = (
        float(limit) if isinstance(limit, int | float) else bound
        for limit, bound in zip(limits, (low, high), strict=True)
    )
    return colormap, low, high
