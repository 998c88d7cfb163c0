"""Measures the package and prints one table; each row is a ratio to the reference it names."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.against_podpac import NOTES, compare_with_podpac
from benchmarks.gui import measure_gui
from benchmarks.package import measure_archives, measure_import
from benchmarks.stack import measure_stack
from benchmarks.table import Row, write_table
from podpac_lambda_widgets.local.emulator import local_aws


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
            rows += compare_with_podpac(session, package)
    rows += measure_gui()
    print(write_table(rows))
    print(f"\n{NOTES}")
    # Others who use the processors make work slower, but no sleep longer.
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"Load of this machine over the last 1, 5 and 15 minutes: {loads}, on {os.cpu_count()} processors.")


if __name__ == "__main__":
    main()
