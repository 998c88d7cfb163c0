"""What writes a result, by the encoding that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.remote.arrays import pack_array
from podpac_lambda_widgets.remote.geotiff import encode_geotiff
from podpac_lambda_widgets.remote.images import encode_png
from podpac_lambda_widgets.remote.json_arrays import encode_json
from podpac_lambda_widgets.remote.netcdf import encode_array
from podpac_lambda_widgets.remote.outputs import Encoding
from podpac_lambda_widgets.remote.s3 import StackBucket
from podpac_lambda_widgets.remote.zarr_region import write_region

if TYPE_CHECKING:
    import xarray as xr

#: From an array to a body and the name of its format, see :data:`.outputs.MEDIA`.
Encode = Callable[["xr.DataArray"], tuple[bytes, str]]


def choose_encoder(encoding: Encoding, options: Mapping[str, Any], bucket: StackBucket) -> Encode:
    """What writes a result.

    Parameters
    ----------
    encoding : str
    options : mapping
        As :func:`podpac_lambda_widgets.remote.outputs.read_output` lets them pass.
    bucket : StackBucket
        Takes what is written into its place, of which the body only tells.
    """
    if encoding in ("netcdf", "podpac"):
        return partial(encode_array, for_podpac=encoding == "podpac")
    writers: dict[str, Callable[[xr.DataArray], bytes]] = {
        "arrays": pack_array,
        "json": encode_json,
        "png": lambda array: encode_png(array, options),
        "geotiff": lambda array: encode_geotiff(array, options),
        "zarr": lambda array: write_region(array, options, bucket).to_json(),
    }
    return lambda array: (writers[encoding](array), encoding)
