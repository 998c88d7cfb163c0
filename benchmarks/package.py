"""Importing the package, and the two archives."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Row, median
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package


def _python(code: str) -> Callable[[], object]:
    """A fresh interpreter that runs some code."""
    return lambda: subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True)


def measure_import() -> list[Row]:
    """Import time of the package, against a bare interpreter and against podpac."""
    bare = median(_python("pass"))
    ours = median(_python("import podpac_lambda_widgets"))
    form = median(_python("import podpac_lambda_widgets; podpac_lambda_widgets.Studio"), 3)
    podpac = median(_python("import podpac"), 3)
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
