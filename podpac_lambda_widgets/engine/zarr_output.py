"""A whole result as one Zarr array of the function's bucket: what its request names."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.remote.budget import dimension_sizes

#: Values in a chunk, at the most: 8 MB of float64, which is fetched in a second and is no trifle for S3 either.
CHUNK_VALUES = 2**20
#: Of the hexadecimal digits of a SHA-256; and of the output's name, so that both are within a store's 64 characters.
_DIGITS, _LETTERS = 16, 40


def zarr_output(pipeline: Pipeline, coordinates: CoordinatesDefinition) -> dict[str, Any]:
    """The output of a request whose result is to be written as one array.

    The same pipeline at the same coordinates has the same name: it is written over by itself, and by nothing else.

    Returns
    -------
    dict
        See :func:`podpac_lambda_widgets.remote.outputs.read_output`.
    """
    asked = json.dumps([pipeline.definition, coordinates.definition], sort_keys=True)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", pipeline.output)[:_LETTERS]
    return {
        "format": "zarr",
        "store": f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:_DIGITS]}",
        "grid": coordinates.definition,
        "chunks": chunk_sizes(dimension_sizes(coordinates.definition)),
    }


def chunk_sizes(sizes: dict[str, int]) -> dict[str, int]:
    """Chunks of at most ``CHUNK_VALUES`` values, by halving whatever dimension is longest in them."""
    chunks = {name: max(1, size) for name, size in sizes.items()}
    while math.prod(chunks.values()) > CHUNK_VALUES:
        longest = max(chunks, key=lambda name: chunks[name])
        chunks[longest] = -(-chunks[longest] // 2)
    return chunks
