"""Send malicious requests to the function in a process of its own, with an audit hook that sees all that Python does.

Run as ``python watched.py COUNT SEED``: COUNT generated requests after those written by hand. Prints a JSON report.
"""

from __future__ import annotations

import encodings.ascii
import encodings.unicode_escape  # noqa: F401 - Python imports these when an error first shows strange text
import json
import sys
import time
from collections import Counter
from typing import Any

from definitions import ASKED, COORDINATES, PIPELINES, SIN, WHOLE
from generation import Generator

from podpac_lambda_widgets.errors import InvalidValueError, PipelineRejectedError, PodpacLambdaError
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "FUNCTION_ALLOWED_BUCKETS": "bucket",
    "FUNCTION_ALLOWED_HOSTS": "data.example.com",
}


class Watch:
    """Notes the audit events of the time in which it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: Counter[tuple[str, str]] = Counter()
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        # ast.parse is compile() with a flag that makes a tree and no code; it names its source so.
        if self.on and not (event == "compile" and arguments[1] == "<unknown>"):
            self.seen[event, repr(arguments)[:100]] += 1


def handwritten() -> dict[str, Any]:
    base = {MARK: WIRE_VERSION, "pipeline": {"A": SIN}, "coordinates": ASKED}
    depth: list[Any] = []
    for _ in range(100_000):
        depth = [depth]
    return {
        **{f"pipeline: {name}": {**base, "pipeline": pipeline} for name, pipeline in PIPELINES.items()},
        **{f"coordinates: {name}": {**base, "coordinates": grid} for name, grid in COORDINATES.items()},
        **{f"event: {name}": {**base, **more} for name, more in WHOLE.items()},
        "pipeline: a depth of a hundred thousand": {**base, "pipeline": {"x": depth}},
    }


def outcome(function: Function, event: Any, watch: Watch) -> str:
    """What is wrong with the answer; nothing, when it is a typed error that says what."""
    watch.on = True
    try:
        decode_answer(function.handle(event))
    except (InvalidValueError, PipelineRejectedError) as error:
        return "" if error.what and len(str(error)) <= 2000 else "a poor message"
    except PodpacLambdaError as error:
        return f"{type(error).__name__}: {error}"[:200]
    finally:
        watch.on = False
    return "accepted"


def main(count: int, seed: int) -> None:
    lines: list[str] = []
    function = Function(ENVIRONMENT, print_line=lines.append)
    watch, wrong = Watch(), {}
    written = handwritten()
    for name, event in written.items():
        if found := outcome(function, event, watch):
            wrong[name] = found
        # PODPAC's own client sends no mark; of its settings the function takes only what is harmless.
        if not name.startswith("event: ") and (found := outcome(function, _without_mark(event), watch)):
            wrong[f"{name}, of PODPAC's client"] = found
    kinds: Counter[str] = Counter()
    different, seconds, slowest = set(), 0.0, 0.0
    for kind, event in Generator(seed).requests(count):
        kinds[kind] += 1
        different.add(hash(json.dumps(event, sort_keys=True, default=repr)))
        # Of the processor, for others use it too.
        began = time.process_time()
        found = outcome(function, event, watch)
        took = time.process_time() - began
        seconds, slowest = seconds + took, max(slowest, took)
        if found:
            wrong[json.dumps([kind, event])[:1000]] = found
    report = {
        "written": len(written), "generated": count, "different": len(different), "kinds": kinds, "wrong": wrong,
        "seen": [[*event, number] for event, number in watch.seen.most_common(20)],
        "loaded": sorted({"podpac", "numpy", "boto3", "xarray"} & set(sys.modules)),
        "lines": len(lines), "logged": sorted({key for line in lines for key in json.loads(line)}),
        "outcomes": sorted({json.loads(line)["outcome"] for line in lines}),
        "seconds": seconds, "slowest": slowest,
    }  # fmt: skip
    print(json.dumps(report))


def _without_mark(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != MARK}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
