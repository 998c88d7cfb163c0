"""What the function answers equals what ``node.eval`` gives here, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import podpac
import pytest
from comparison import as_text, assert_same
from equality_cases import CASES, FAR, SPACE, TIMES, UNSAFE, array, grid
from source_cases import SOURCES

from podpac_lambda_widgets.errors import PipelineFailedError, PipelineRejectedError
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.podpac_nodes import NODES
from podpac_lambda_widgets.remote.allowlist import find_podpac_node
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request

#: podpac's sources leave their files open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def unsafe_evaluation() -> Iterator[None]:
    """Arithmetic needs it, here as there."""
    podpac.settings.allow_unrestricted_code_execution(True)
    yield
    podpac.settings.allow_unrestricted_code_execution(False)


@pytest.fixture(scope="module")
def function() -> Function:
    return Function({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}, print_line=lambda line: None)


@dataclass(frozen=True)
class ArchivedFunction:
    """The function's code as the archive has it, in a process of its own."""

    process: subprocess.Popen[bytes]

    def handle(self, event: object) -> bytes:
        """What it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(event).encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.read(int.from_bytes(self.process.stdout.read(8), "big"))


@pytest.fixture(scope="module")
def archived(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchivedFunction]:
    code, home = tmp_path_factory.mktemp("code"), tmp_path_factory.mktemp("home")
    with zipfile.ZipFile(package.dist.path) as archive:
        archive.extractall(code)
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("answer_events.py")), str(code)]
    # What OpenBLAS takes the processor for decides about the last bits, here as there.
    environ = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    environ |= {"TMPDIR": str(home), "PATH": ""}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, cwd=home) as process:
        yield ArchivedFunction(process)
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0
    assert list(home.iterdir()) == [], "an ordinary pipeline writes no file"


def ask(function: Function | ArchivedFunction, node: Any, coordinates: Any) -> Any:
    payload = encode_request(Request(json.loads(node.json), json.loads(coordinates.json)))
    answer = decode_answer(function.handle(json.loads(payload)))
    assert answer.body is not None
    return unpack_array(answer.body)


@pytest.mark.parametrize("name", CASES)
def test_the_answer_equals_local_evaluation(function: Function, name: str) -> None:
    make, coordinates = CASES[name]
    assert_same(ask(function, make(), coordinates), make().eval(coordinates))


@pytest.mark.archive
@pytest.mark.parametrize("name", CASES)
def test_the_answer_of_the_archive_equals_local_evaluation(archived: ArchivedFunction, name: str) -> None:
    make, coordinates = CASES[name]
    assert_same(ask(archived, make(), coordinates), make().eval(coordinates))


def nodes_of(node: Any) -> set[str]:
    """The full names of podpac's nodes in a pipeline."""
    parts = (part for part in json.loads(node.json).values() if isinstance(part, dict))
    return {find_podpac_node(part["node"])[0] for part in parts}


def test_every_node_that_is_offered_is_compared() -> None:
    known = {f"{module}.{name}" for module, names in NODES.items() for name in names}
    compared = {name for make, _ in {**CASES, **UNSAFE}.values() for name in nodes_of(make())}
    compared |= {find_podpac_node(case.node)[0] for case in SOURCES.values()}
    assert compared == known
    assert len(CASES) + len(UNSAFE) + len(SOURCES) >= 70


@pytest.mark.parametrize("name", UNSAFE)
def test_code_runs_where_the_deployment_opted_in_and_only_there(function: Function, name: str) -> None:
    make, coordinates = UNSAFE[name]
    with pytest.raises(PipelineRejectedError, match="function_allow_unsafe_eval"):
        ask(function, make(), coordinates)
    opted_in = Function({"FUNCTION_ALLOW_UNSAFE_EVAL": "true"}, print_line=lambda line: None)
    assert_same(ask(opted_in, make(), coordinates), make().eval(coordinates))


@pytest.mark.parametrize("name", [name for name in CASES if name != FAR])
def test_podpacs_own_client_reads_the_same_values(function: Function, name: str) -> None:
    make, coordinates = CASES[name]
    node = make()
    expected = node.eval(coordinates)
    event = {
        "pipeline": json.loads(node.json),
        "coordinates": json.loads(coordinates.json),
        "output": {"format": "netcdf"},
        "settings": {"AWS_SECRET_ACCESS_KEY": "a secret"},
    }
    body = function.handle(event)
    assert type(body) is bytes
    found = podpac.UnitsDataArray.open(body)
    assert found.dims == expected.dims
    assert np.array_equal(found.values, expected.values.astype(float), equal_nan=True)
    for key in expected.coords:
        if "output" not in expected.coords or key != "output":
            assert np.array_equal(found.coords[key].values, expected.coords[key].values), key
    wanted, got = as_text(expected), as_text(found)
    for key in ("crs", "layer_style", "units", "geotransform"):
        assert np.array_equal(got.get(key), wanted.get(key)), key


def test_a_file_of_the_machine_is_never_read(function: Function, tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("lat,lon,data\n1,2,3\n")
    with pytest.raises(Exception, match="not allowed"):
        ask(function, podpac.data.CSV(source=str(file)), SPACE)


def test_an_exception_of_podpac_arrives_with_its_type(function: Function) -> None:
    node = array(SPACE)
    with pytest.raises(PipelineFailedError) as caught:
        ask(function, node, grid(time=TIMES))
    assert caught.value.remote_type == "ValueError"
