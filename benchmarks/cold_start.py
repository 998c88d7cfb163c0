"""How the function starts and runs, beside the old design and the floor, in one run under AWS's own runtime client.

``python -m benchmarks.cold_start [ROUNDS]`` prints one table and whether each target is met. It takes some minutes: the
old design is built from the same locks, and started as often as the others.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from botocore.config import Config

from podpac_lambda_widgets.limits import EPHEMERAL_STORAGE_MB, MEGABYTE, UNZIPPED_CODE_BYTES
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package
from podpac_lambda_widgets.packaging.bytecode import compile_tree
from podpac_lambda_widgets.packaging.install import find_uv, install_pins
from podpac_lambda_widgets.packaging.recipe import find_recipe, select_pins
from podpac_lambda_widgets.packaging.target import choose_target
from podpac_lambda_widgets.packaging.zipping import list_files
from podpac_lambda_widgets.remote.wire import Request, encode_request

_FUNCTIONS = Path(__file__).with_name("functions")
_BUCKET = "bench-cold-start"
_WARM_RUNS, _BARE_RUNS = 30, 30

NOTES = """\
Cold is the REPORT line's Init Duration and Duration together: from the start of the process to the answer. Lambda
fetches and unpacks the function's own code before that, and does not say how long it takes; nor is it counted here, for
none of the three. The old design has all packages of both locks, whole, with bytecode, in an archive in the bucket; the
bucket is on this machine, so that its download takes next to nothing. Its answer is netCDF as podpac writes it. The
floor imports numpy, pandas and xarray from the same files as ours, and answers with nothing. Targets are held to the
least of all runs, because others who use the machine make them longer, and none of them shorter."""


@dataclass
class Design:
    """One way to make the function, and what was measured of it.

    Attributes
    ----------
    code, unzipped : int
        Bytes of the function's own code, as an archive and extracted.
    fetched : int
        Bytes of the archive that the first request fetches.
    cold, init, warm : list of float
        Seconds.
    processor : list of float
        Seconds of processor time until the first answer: others who use the machine make it no longer.
    overheads : list of float
        Seconds of processor time of a warm answer, in the handler, without those of the bare evaluation.
    """

    name: str
    handler: str
    code: int = 0
    unzipped: int = 0
    fetched: int = 0
    init: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)
    memory_mb: int = 0
    bare: float = 0.0
    tmp: int = 0

    def overhead(self) -> float:
        """Seconds of a warm run without the bare evaluation; the least of either."""
        return min(self.warm) - self.bare


def make_code(design: Design, package: Package, directory: Path) -> Path:
    """The function's own code: for the old design its handler alone, else the archive with one more module."""
    path = directory / f"{design.name}.zip"
    if design.name == "old":
        with zipfile.ZipFile(path, "w"):
            pass
    else:
        shutil.copyfile(package.dist.path, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in (f"{design.handler.partition('.')[0]}.py", "measure.py"):
            archive.writestr(zipfile.ZipInfo(name), (_FUNCTIONS / name).read_bytes())
        design.unzipped = sum(entry.file_size for entry in archive.infolist())
    design.code = path.stat().st_size
    return path


def make_old_dependencies(directory: Path) -> Path:
    """All packages of both locks, as they are installed and compiled, in one archive."""
    target, tree = choose_target(), directory / "packages"
    tree.mkdir()
    selection = select_pins(find_recipe(), target)
    install_pins((*selection.core, *selection.extras), tree, target, cancelled=lambda: False, uv=find_uv())
    kept = [path.name for path in tree.iterdir()]
    compile_tree(tree, Path(sys.executable), prefix="/tmp", keep_sources=kept, cancelled=lambda: False)
    path = directory / "dependencies.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, file in list_files(tree):
            archive.write(file, name)
    shutil.rmtree(tree)
    return path


@contextmanager
def deployed(session: LocalSession, designs: list[Design], codes: list[Path], dependencies: Path) -> Iterator[None]:
    """The functions, with a role that may read their bucket; all is gone afterwards."""
    s3, iam, functions = session.client("s3"), session.client("iam"), session.client("lambda")
    s3.create_bucket(Bucket=_BUCKET)
    for path in (*codes, dependencies):
        s3.upload_file(str(path), _BUCKET, path.name)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{_BUCKET}/*"}
    policies = [json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (trust, read)]
    role = iam.create_role(RoleName=_BUCKET, AssumeRolePolicyDocument=policies[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName=_BUCKET, PolicyName="read", PolicyDocument=policies[1])
    for design, code in zip(designs, codes, strict=True):
        functions.create_function(
            FunctionName=design.name, Role=role, Runtime=choose_target().runtime, Handler=design.handler,
            Code={"S3Bucket": _BUCKET, "S3Key": code.name}, MemorySize=2048, Timeout=300,
            EphemeralStorage={"Size": 2048 if design.name == "old" else EPHEMERAL_STORAGE_MB[0]},
        )  # fmt: skip
        functions.get_waiter("function_active_v2").wait(FunctionName=design.name)
    yield
    for design in designs:
        functions.delete_function(FunctionName=design.name)
    iam.delete_role_policy(RoleName=_BUCKET, PolicyName="read")
    iam.delete_role(RoleName=_BUCKET)
    session.resource("s3").Bucket(_BUCKET).objects.delete()
    s3.delete_bucket(Bucket=_BUCKET)


class Runner:
    """Calls the functions and reads their REPORT lines."""

    def __init__(self, session: LocalSession, dependencies: str) -> None:
        # An SDK that waits no longer than a minute asks again, and finds the function warm.
        patient = Config(read_timeout=300, retries={"total_max_attempts": 1})
        self._functions = session.client("lambda", config=patient)
        self._dependencies = dependencies
        request = Request(dict(EXAMPLES[0].pipeline.definition), dict(tutorial_coordinates().definition))
        self._payload = encode_request(request)

    def run_round(self, design: Design, number: int) -> None:
        """A cold run in an environment of its own, then warm ones."""
        variables = {"BUCKET": _BUCKET, "KEY": self._dependencies, "ROUND": str(number)}
        self._functions.update_function_configuration(FunctionName=design.name, Environment={"Variables": variables})
        self._functions.get_waiter("function_updated_v2").wait(FunctionName=design.name)
        init, duration, _ = self._call(design, self._payload)
        design.init.append(init)
        design.cold.append(init + duration)
        design.warm += [self._call(design, self._payload)[1] for _ in range(_WARM_RUNS)]
        asked = json.dumps({**json.loads(self._payload), "measure": _BARE_RUNS}).encode()
        _, _, answer = self._call(design, asked)
        found = json.loads(answer)
        design.processor.append(found["cold_processor"])
        design.bare = min(found["bare"], design.bare or found["bare"])
        design.overheads.append(found["warm_processor"] - found["bare_processor"])
        design.tmp = max(design.tmp, found["tmp"])

    def _call(self, design: Design, payload: bytes) -> tuple[float, float, bytes]:
        """Seconds of the init phase and of the run, and the answer."""
        answer = self._functions.invoke(FunctionName=design.name, Payload=payload, LogType="Tail")
        body, log = answer["Payload"].read(), base64.b64decode(answer["LogResult"]).decode()
        if "FunctionError" in answer:
            raise RuntimeError(f"{design.name}: {body.decode()}\n{log}")
        init, duration = (re.search(rf"\t{name}: ([\d.]+) ms", log) for name in ("Init Duration", "Duration"))
        memory = re.search(r"Max Memory Used: (\d+) MB", log)
        assert duration is not None
        assert memory is not None
        design.memory_mb = max(design.memory_mb, int(memory[1]))
        return (float(init[1]) / 1e3 if init else 0.0, float(duration[1]) / 1e3, body)


def write_table(ours: Design, old: Design, floor: Design) -> str:
    """All figures as a Markdown table."""
    rows = [
        ("init phase, s", lambda design: f"{statistics.median(design.init):.2f}"),
        ("cold: init and first answer, s", lambda design: f"{statistics.median(design.cold):.2f}"),
        ("... least and most, s", lambda design: f"{min(design.cold):.2f} to {max(design.cold):.2f}"),
        ("... processor time, s", lambda design: f"{statistics.median(design.processor):.2f}"),
        ("warm, ms", lambda design: f"{statistics.median(design.warm) * 1e3:.1f}"),
        ("... least, ms", lambda design: f"{min(design.warm) * 1e3:.1f}"),
        ("bare evaluation, ms", lambda design: f"{design.bare * 1e3:.1f}" if design.bare else "-"),
        ("peak memory, MB", lambda design: f"{design.memory_mb}"),
        ("function's own code, MB", lambda design: f"{design.code / 1e6:.1f}"),
        ("... extracted, MB", lambda design: f"{design.unzipped / 1e6:.1f}"),
        ("fetched by the first request, MB", lambda design: f"{design.fetched / 1e6:.1f}"),
        ("in /tmp afterwards, MB", lambda design: f"{design.tmp / 1e6:.1f}"),
    ]
    lines = ["| what | ours | old design | floor |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {what} | {write(ours)} | {write(old)} | {write(floor)} |" for what, write in rows]
    return "\n".join(lines)


def write_targets(ours: Design, old: Design, floor: Design) -> str:
    """What was to be reached, and whether it was."""
    cold = {design.name: min(design.cold) for design in (ours, old, floor)}
    processor = {design.name: min(design.processor) for design in (ours, old, floor)}
    needed = -(-(old.tmp + old.unzipped) // MEGABYTE)
    targets: list[tuple[str, float, float, str]] = [
        ("cold, of the old design's", cold["ours"] / cold["old"], 1 / 8, ".3f"),
        ("cold, of the floor's", cold["ours"] / cold["floor"], 2.5, ".2f"),
        ("processor time, of the old design's", processor["ours"] / processor["old"], 1 / 8, ".3f"),
        ("processor time, of the floor's", processor["ours"] / processor["floor"], 2.5, ".2f"),
        ("warm over the bare evaluation, ms", ours.overhead() * 1e3, 10, ".1f"),
        ("... processor time, ms", min(ours.overheads) * 1e3, 10, ".1f"),
        ("peak memory, of the old design's", ours.memory_mb / old.memory_mb, 0.5, ".2f"),
        ("bytes in /tmp", ours.tmp, 0, ",.0f"),
        ("code extracted, bytes", ours.unzipped, UNZIPPED_CODE_BYTES, ",.0f"),
    ]
    lines = ["| target | found | at most | |", "| --- | ---: | ---: | --- |"]
    for what, found, most, form in targets:
        lines.append(f"| {what} | {found:{form}} | {most:{form}} | {'met' if found <= most else 'NOT met'} |")
    lines.append(
        f"\nOurs fits Lambda's defaults: {EPHEMERAL_STORAGE_MB[0]} MB of ephemeral storage, none used. The old design "
        f"needs it raised to {needed:,} MB."
    )
    return "\n".join(lines)


def main(rounds: int = 5) -> None:
    """Measure and print."""
    ours, old, floor = designs = [Design(name, f"{name}.handler") for name in ("ours", "old", "floor")]
    package = build_package(find_recipe().directory)
    with tempfile.TemporaryDirectory(prefix="podpac-bench-") as scratch, local_aws() as session:
        dependencies = make_old_dependencies(Path(scratch))
        old.fetched = dependencies.stat().st_size
        codes = [make_code(design, package, Path(scratch)) for design in designs]
        with deployed(session, designs, codes, dependencies):
            runner = Runner(session, dependencies.name)
            for number in range(rounds):
                for design in designs:
                    runner.run_round(design, number)
    print(write_table(ours, old, floor))
    print(f"\n{write_targets(ours, old, floor)}\n\n{NOTES}")
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"Median of {rounds} rounds, {time.strftime('%Y-%m-%d')}; load {loads} on {os.cpu_count()} processors.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
