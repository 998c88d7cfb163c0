"""One stack on the embedded AWS: build, run, delete."""

from __future__ import annotations

from benchmarks.table import Row, median
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package

SINCOORDS = EXAMPLES[0].pipeline


def measure_stack(session: LocalSession, package: Package) -> list[Row]:
    """build(), a build that finds nothing to do, cold and warm runs, delete()."""
    source = Source(
        function_source_dist_zip=str(package.dist.path), function_source_dependencies_zip=str(package.dependencies.path)
    )
    stack = Stack(AwsAccount(session), Deployment(function_name="bench"), source)
    build = median(stack.build, 1)
    rebuild = median(stack.build, 3)
    cold = median(lambda: stack.run(SINCOORDS, tutorial_coordinates()), 1)
    warm = median(lambda: stack.run(SINCOORDS, tutorial_coordinates()), 20)
    inside = stack.run(SINCOORDS, tutorial_coordinates()).timings["evaluate"]
    delete = median(lambda: stack.delete(confirm=True), 1)
    return [
        Row("build(), nothing to do", rebuild, "build()", build),
        Row("delete()", delete, "build()", build),
        Row("first run (cold)", cold, "build()", build),
        Row("next runs (warm)", warm, "first run (cold)", cold),
        Row("next runs (warm)", warm, "evaluate inside the function", inside),
    ]
