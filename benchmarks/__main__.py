"""Measures the package and prints one table; each row is a ratio to the reference it names.

Absolute times are of this machine at this moment and only there to be divided by each other.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package

SINCOORDS = EXAMPLES[0].pipeline


@dataclass(frozen=True)
class Row:
    """One measurement and what it is held against; ``unit`` is s or MB."""

    what: str
    value: float
    reference: str
    of_reference: float
    unit: str = "s"

    def __str__(self) -> str:
        ratio = self.value / self.of_reference if self.of_reference else float("nan")
        value = f"{self.value:.3f} {self.unit}" if self.value < 10 else f"{self.value:.1f} {self.unit}"
        return f"| {self.what:<44} | {value:>10} | {ratio:>9.3f} | {self.reference:<48} |"


def median(call: Callable[[], object], repeats: int = 5) -> float:
    """Median time of a call, seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def python(code: str) -> Callable[[], object]:
    """A fresh interpreter that runs some code."""
    return lambda: subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True)


def measure_import() -> list[Row]:
    """Import time of the package, against a bare interpreter and against podpac."""
    bare = median(python("pass"))
    ours = median(python("import podpac_lambda_widgets"))
    form = median(python("import podpac_lambda_widgets; podpac_lambda_widgets.Studio"), 3)
    podpac = median(python("import podpac"), 3)
    return [
        Row("import podpac_lambda_widgets", ours, "python -c pass", bare),
        Row("... and its Studio", form, "import podpac", podpac),
    ]


def measure_archives(directory: Path) -> tuple[list[Row], Package]:
    """Time and sizes of the two archives, against Lambda's limits and a copy of the same files."""
    began = time.perf_counter()
    package = build_package(directory, force=True)
    built = time.perf_counter() - began
    again = median(lambda: build_package(directory), 3)
    dist, dependencies = package.dist, package.dependencies
    rows = [
        Row("build archives, again", again, "build archives, from nothing", built),
        Row("build archives, from nothing", built, "Lambda's 900 s", 900),
        Row("podpac_dist.zip", dist.size / 1e6, "Lambda's 50 MB for a direct upload", 52.4288, "MB"),
        Row("podpac_dist.zip, extracted", dist.unzipped_size / 1e6, "Lambda's 250 MB", 262.144, "MB"),
        Row("podpac_deps.zip", dependencies.size / 1e6, "podpac_dist.zip", dist.size / 1e6, "MB"),
        Row("podpac_deps.zip, extracted", dependencies.unzipped_size / 1e6, "/tmp of 512 MB", 536.87, "MB"),
    ]
    return rows, package


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


def main() -> None:
    """Measure everything and print the table."""
    rows = measure_import()
    with tempfile.TemporaryDirectory(prefix="podpac-bench-") as directory:
        archive_rows, package = measure_archives(Path(directory))
        rows += archive_rows
        start = time.perf_counter()
        with local_aws() as session:
            started = time.perf_counter() - start
            rows.append(Row("start the embedded AWS", started, "import podpac_lambda_widgets", rows[0].value))
            rows += measure_stack(session, package)
    print(f"| {'what':<44} | {'here':>10} | {'ratio':>9} | {'to':<48} |")
    print(f"| {'-' * 44} | {'-' * 9}: | {'-' * 8}: | {'-' * 48} |")
    print("\n".join(map(str, rows)))


if __name__ == "__main__":
    main()
