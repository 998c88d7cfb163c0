"""Main program of the sweep's process: reads operations, a line of JSON each, and tells what came of them.

A process of its own, because the embedded AWS is inside it, and because it forks.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.waiter
from boto3.s3.transfer import TransferConfig
from botocore import useragent

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.aws import objects
from podpac_lambda_widgets.aws import session as sessions
from podpac_lambda_widgets.engine.inspected import CACHE_VARIABLE
from podpac_lambda_widgets.model.source import Source

_HERE = Path(__file__).parent
# Where the modules beside this one are found, and not the installed ones of their names.
sys.path[:0] = [str(_HERE), str(_HERE.parent / "packaging")]

from inner_aws import InnerAws  # noqa: E402
from small_archives import write_sources  # noqa: E402
from sweep import Bench, Operation, Wish, in_fork  # noqa: E402
from wire import Observer, Wire, WiredSession  # noqa: E402
from world import ForeignWorld, read_inventory  # noqa: E402

#: The smallest part that S3 takes.
_PART = 5 * limits.MEGABYTE


class Places:
    """Where archives can be: small or large files, or objects in somebody's bucket."""

    def __init__(self, directory: Path, observer: Observer) -> None:
        self.directory = directory
        self._observer = observer
        # A runtime that SnapStart takes.
        self._made = {
            "files": write_sources(self._folder("files")),
            "snapshot": write_sources(self._folder("snapshot"), python="3.12", runtime="python3.12"),
        }

    def _folder(self, place: str) -> Any:
        def make(name: str) -> Path:
            path = self.directory / place / name
            path.mkdir(parents=True, exist_ok=True)
            return path

        return make

    def sources(self, place: str) -> dict[str, Source]:
        """Two versions of the archives; what has to be set up for them is set up."""
        if place == "stored":
            return self._store()
        if place == "large":
            # What is too large for the call itself goes to the bucket in parts: with bounds that are as small.
            objects._TRANSFER = TransferConfig(_PART, multipart_chunksize=_PART, use_threads=False)
            limits.DIRECT_ARCHIVE_BYTES = _PART
            return write_sources(self._folder("large"), 6 * limits.MEGABYTE)
        return self._made[place]

    def _store(self) -> dict[str, Source]:
        s3, name, made = self._observer.client("s3"), "archives-of-somebody", {}
        s3.create_bucket(Bucket=name)
        for version, source in self._made["files"].items():
            keys = {part: f"{version}/podpac_{part}.zip" for part in ("dist", "deps")}
            s3.upload_file(source.function_source_dist_zip, name, keys["dist"])
            s3.upload_file(source.function_source_dependencies_zip, name, keys["deps"])
            made[version] = Source(
                function_source_bucket=name,
                function_source_dist_key=keys["dist"],
                function_source_dependencies_key=keys["deps"],
            )
        return made


def sweep(bench: Bench, places: Places, asked: dict[str, Any]) -> dict[str, Any]:
    """Do one operation with its cuts, in an account that nobody else will see."""
    os.environ[CACHE_VARIABLE] = tempfile.mkdtemp(dir=places.directory)
    sources = places.sources(asked["place"])
    bench.look()
    first = Wish(asked["first"], sources["one"])
    operation = {
        "build": Operation("build", first),
        "destroy": Operation("destroy", first, first),
        "update": Operation("update", Wish(asked["then"], sources["two"]), first),
    }[asked["operation"]]
    return asdict(bench.sweep(operation, asked["size"]))


@contextmanager
def own_directory(**where: Any) -> Iterator[str]:
    """A folder that goes with the process that made it: a fork that leaves the block is not the one that goes on."""
    path, maker = tempfile.mkdtemp(**where), os.getpid()
    try:
        yield path
    finally:
        if os.getpid() == maker:
            shutil.rmtree(path)


def main() -> None:
    """Serve until the input ends."""
    logging.disable()
    # Nobody waits: what takes its time here is told to by the wire.
    botocore.waiter.time = SimpleNamespace(sleep=lambda seconds: None)
    sessions.regions = cache(sessions.regions)
    # The same words for every request: a tenth of its time.
    useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)
    tempfile.TemporaryDirectory = own_directory  # type: ignore[assignment,misc]  # archives are fetched into one
    # A fork has one thread.
    objects._TRANSFER = TransferConfig(use_threads=False)
    with tempfile.TemporaryDirectory(prefix="podpac-sweep-") as directory:
        aws, wire = InnerAws(Path(directory)), Wire()
        session, observer = WiredSession(aws, wire), Observer(aws)
        session.events.register_last("before-send", aws.send)
        ForeignWorld(observer, "sweep").plant()
        places = Places(Path(directory), observer)
        bench = Bench(aws, session, wire, observer, read_inventory(observer))
        for line in sys.stdin:
            asked = json.loads(line)
            told = in_fork(lambda asked=asked: json.dumps(sweep(bench, places, asked)), alarm=0)
            print(json.dumps({"told": told}), flush=True)


if __name__ == "__main__":
    main()
