"""One function, built once from the real archives on the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.packaging.archive import Package


@pytest.fixture(scope="session")
def archives(package: Package, podpac: Any) -> dict[str, str]:
    """The first documented form: archives on this machine."""
    return {
        "function_source_dist_zip": str(package.dist.path),
        "function_source_dependencies_zip": str(package.dependencies.path),
    }


@pytest.fixture(scope="session")
def cloud(aws: LocalSession, archives: dict[str, str], podpac: Any) -> Iterator[Any]:
    """A built Lambda without a source; its tests bring their own."""
    from podpac_lambda_widgets import Lambda

    function = Lambda(session=aws, function_name="node-tests", **archives)
    function.build()
    yield function
    function.delete(confirm=function.function_name)  # some of its tests leave results in the bucket


@pytest.fixture(scope="session")
def grid(podpac: Any) -> Any:
    """PODPAC's tutorial grid."""
    dims = [podpac.clinspace(-90, 90, 180), podpac.clinspace(90, -90, 180), "2018-01-01"]
    return podpac.Coordinates(dims, ["lat", "lon", "time"])
