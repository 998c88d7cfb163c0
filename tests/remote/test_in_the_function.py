"""The real archives, with nodes and a handler of a developer's own, called through the real runtime client.

One function for all: every node of podpac's is compared here once more, and sources read objects of the stack's bucket.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import podpac
import pytest
from comparison import assert_same
from equality_cases import CASES, SPACE, UNSAFE, sin
from source_cases import AT, SOURCES, TRICKS

from podpac_lambda_widgets import Lambda
from podpac_lambda_widgets.errors import PipelineFailedError, PipelineRejectedError, PodpacLambdaError
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package

#: podpac's sources leave their files open.
_FILES = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
pytestmark = [pytest.mark.local_aws, pytest.mark.archive, _FILES]

BUCKET = "data-of-the-stack"
HANDLER = '''"""Answers one kind of event itself and leaves the others to the function."""

import own_words
from podpac_lambda_widgets.remote.triggers import make_function

_function = make_function()


def answer(event, context):
    if "hello" in event:
        return {"said": own_words.greet(event["hello"]), "milliseconds left": context.get_remaining_time_in_millis()}
    return _function.handle(event, context)
'''
WORDS = "def greet(name):\n    return f'Good morning, {name}'\n"
NODES = '''"""Nodes of one's own: an algorithm, a source, and one that takes both."""

import numpy as np
import podpac
import traitlets as tl
from podpac.core.algorithm.generic import Arithmetic
from podpac.core.data.datasource import DataSource


class Flood(podpac.algorithm.Algorithm):
    """Where water stands higher than a threshold."""

    source = podpac.utils.NodeTrait().tag(attr=True, required=True)
    threshold = tl.Float(0.0).tag(attr=True)
    scale = tl.List(tl.Float(), [1.0, 2.0]).tag(attr=True)

    def algorithm(self, inputs, coordinates):
        output = inputs["source"].copy()
        output[:] = np.where(output > self.threshold, output * self.scale[1], self.scale[0])
        return output


class Slope(DataSource):
    """A plane that rises to the north."""

    rise = tl.Float(1.0).tag(attr=True)

    def get_coordinates(self):
        return podpac.Coordinates([podpac.clinspace(40, 10, 4), podpac.clinspace(5, 25, 3)], ["lat", "lon"])

    def get_data(self, coordinates, coordinates_index):
        output = self.create_output_array(coordinates)
        output[:] = self.rise * coordinates["lat"].coordinates[:, None]
        return output


class Formula(Arithmetic):
    """Arithmetic with a formula of its own."""

    eqn = tl.Unicode("A * 2 + {offset}").tag(attr=True)
    params = tl.Dict({"offset": 1}).tag(attr=True)
'''


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module of nodes, imported here as its developer does."""
    path = tmp_path_factory.mktemp("nodes") / "nodes_of_mine.py"
    path.write_text(NODES)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the sources."""
    folder = tmp_path_factory.mktemp("data")
    for case in (*SOURCES.values(), *(case for case, _ in TRICKS.values())):
        if not (folder / case.file).exists():
            case.write(folder / case.file)
    return folder


@pytest.fixture(scope="module")
def function(
    aws: LocalSession, package: Package, own: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lambda]:
    """The function, deployed as a developer does it, with the files in its bucket."""
    recipe = tmp_path_factory.mktemp("recipe") / "aws"
    shutil.copytree(package.dist.path.parent, recipe, ignore=shutil.ignore_patterns("*.zip"))
    (recipe / "own_handler.py").write_text(HANDLER)
    (recipe / "own_words.py").write_text(WORDS)
    built = build_package(tmp_path_factory.mktemp("built"), recipe=recipe, plugins=[own.__file__])
    function = Lambda(
        session=aws, function_name="own-nodes", function_handler="own_handler.answer", function_s3_bucket=BUCKET,
        function_allowed_buckets=[BUCKET], function_allow_unsafe_eval=True,
        function_source_dist_zip=str(built.dist.path),
        function_source_dependencies_zip=str(built.dependencies.path),
        # OpenBLAS rounds as the processor computes fastest; where somebody has chosen how, it is the same there.
        function_env_variables={name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")},
    )  # fmt: skip
    function.build()
    s3 = aws.client("s3")
    for path in folder.rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), BUCKET, f"data/{path.relative_to(folder).as_posix()}")
    podpac.settings.allow_unrestricted_code_execution(True)
    yield function
    podpac.settings.allow_unrestricted_code_execution(False)
    for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="data/")["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    function.delete(confirm=function.function_name)


def ask(function: Lambda, pipeline: Any, coordinates: Any) -> Any:
    return function.stack.run(Pipeline.parse(pipeline), CoordinatesDefinition.parse(coordinates)).array


@pytest.mark.parametrize("name", [*CASES, *UNSAFE])
def test_podpacs_nodes_give_the_same_there_as_here(function: Lambda, name: str) -> None:
    make, coordinates = {**CASES, **UNSAFE}[name]
    assert_same(ask(function, make(), coordinates), make().eval(coordinates))


@pytest.mark.parametrize("name", SOURCES)
def test_an_object_of_the_stacks_bucket_gives_what_the_file_gives_here(
    function: Lambda, folder: Path, name: str
) -> None:
    case = SOURCES[name]
    found = ask(function, case.pipeline(f"s3://{BUCKET}/data"), case.coordinates)
    assert_same(found, case.make(folder).eval(case.coordinates))


@pytest.mark.parametrize("name", TRICKS)
def test_a_file_that_leads_to_another_is_a_typed_error(function: Lambda, name: str) -> None:
    case, why = TRICKS[name]
    with pytest.raises((PipelineRejectedError, PipelineFailedError)) as caught:
        ask(function, case.pipeline(f"s3://{BUCKET}/data"), AT)
    assert why in str(caught.value)
    assert "AWS_" not in str(caught.value)


@pytest.mark.parametrize("source", ["/proc/self/environ", "file:///proc/self/environ", "s3://of-others/soil.nc"])
@pytest.mark.parametrize("node", ["data.CSV", "data.Dataset", "data.H5PY", "data.Rasterio", "data.Zarr"])
def test_what_is_not_in_an_allowed_bucket_is_refused(function: Lambda, node: str, source: str) -> None:
    with pytest.raises(PipelineRejectedError, match="data source is not allowed"):
        ask(function, {"x": {"node": node, "attrs": {"source": source, "data_key": "data"}}}, AT)


def test_an_own_node_gives_the_same_there_as_here(function: Lambda, own: Any) -> None:
    nodes = (
        own.Flood(source=sin(), threshold=0.1, scale=[0.5, 3.0], units="m"),
        own.Slope(rise=2.5),
        own.Formula(A=own.Slope(), params={"offset": 7}),
        podpac.algorithm.Mean(source=own.Flood(source=own.Slope()), dims=["lat"]),
    )
    for node in nodes:
        assert_same(ask(function, node, SPACE), node.eval(SPACE))


@pytest.mark.parametrize(
    ("node", "attrs"),
    [
        ("Flood", {"threshold": "__import__('os')"}), ("Flood", {"scale": {"a": 1}}), ("Flood", {"other": 1}),
        ("Formula", {"eqn": "().__class__"}), ("Other", {}), ("np.load", {}), ("Arithmetic", {"eqn": "1"}),
    ],
)  # fmt: skip
def test_the_function_allows_own_nodes_what_they_are_described_to_take(
    function: Lambda, node: str, attrs: dict[str, Any]
) -> None:
    inputs = {"source": "A"} if node == "Flood" else {}
    pipeline = {
        "A": {"node": "algorithm.SinCoords"},
        "x": {"plugin": "nodes_of_mine", "node": node, "inputs": inputs, "attrs": attrs},
    }
    with pytest.raises(PodpacLambdaError) as caught:
        ask(function, pipeline, SPACE)
    assert type(caught.value).__name__ in ("PipelineRejectedError", "InvalidPipelineError", "InvalidValueError")


def test_an_own_handler_answers_events_of_its_own(function: Lambda, aws: LocalSession) -> None:
    event = json.dumps({"hello": "Ada"})
    answer = aws.client("lambda").invoke(FunctionName=function.function_name, Payload=event)
    said = json.load(answer["Payload"])
    assert "FunctionError" not in answer
    assert said["said"] == "Good morning, Ada"
    assert said["milliseconds left"] > 0
