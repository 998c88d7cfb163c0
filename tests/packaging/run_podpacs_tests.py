"""Run in a process of its own: the tests that podpac's wheel carries, without a network.

Usage: ``python -S run_podpacs_tests.py PODPAC FOLDER...``; PODPAC is the package to test, the folders make the path.
Prints one JSON object: the outcome of each test by its name, with the type of what it raised.
"""

import json
import os
import socket
import sys

package, *folders = sys.argv[1:]
sys.path[:0] = folders

import pytest  # noqa: E402


def refuse(*_args: object, **_options: object) -> None:
    raise OSError("there is no network")


socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse  # type: ignore[assignment, method-assign]


class Outcomes:
    """Notes how each test ended."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
        report = yield
        raised = f" {call.excinfo.typename}" if call.excinfo else ""
        if report.when == "call" or not report.passed:
            self.found[item.nodeid] = f"{report.outcome}{raised}"
        return report


outcomes = Outcomes()
answer = os.dup(1)
os.dup2(2, 1)  # What pytest and the tests print.
options = ["--rootdir", package, "-c", os.devnull, "--confcutdir", package, "-p", "no:cacheprovider", "-W", "ignore",
           "-q", "--tb=no"]  # fmt: skip
pytest.main([*options, package], plugins=[outcomes])
os.write(answer, json.dumps(outcomes.found).encode())
