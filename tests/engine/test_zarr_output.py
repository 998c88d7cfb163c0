"""What a request for a whole result as one Zarr array names."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.engine.zarr_output import CHUNK_VALUES, chunk_sizes, zarr_output
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.remote.outputs import read_output

SIZES = st.dictionaries(st.sampled_from(["lat", "lon", "time", "alt"]), st.integers(1, 300_000), min_size=1)


@given(SIZES)
def test_chunks_are_small_and_no_smaller_than_they_must_be(sizes: dict[str, int]) -> None:
    chunks = chunk_sizes(sizes)
    assert chunks.keys() == sizes.keys()
    assert all(1 <= chunks[name] <= size for name, size in sizes.items())
    values = math.prod(chunks.values())
    assert values <= CHUNK_VALUES
    assert chunks == sizes or values > CHUNK_VALUES / 4


def test_the_function_takes_what_is_asked_and_every_request_has_its_own_name() -> None:
    grids = [CoordinatesDefinition.grid((-90.0, 90.0, size), (-180.0, 180.0, size)) for size in (5, 3000)]
    awkward = Pipeline.parse({"a node / of 'mine' " * 9: {"node": "core.algorithm.utility.SinCoords"}})
    pipelines = [*(example.pipeline for example in EXAMPLES), awkward]
    outputs = [zarr_output(pipeline, grid) for pipeline in pipelines for grid in grids]
    assert [read_output(output).encoding for output in outputs] == ["zarr"] * len(outputs)
    assert len({output["store"] for output in outputs}) == len(outputs)
    assert zarr_output(pipelines[0], grids[0]) == outputs[0]
