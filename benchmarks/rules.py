"""What each rule of the build saves: bytes by what is left out, processor time by what is imported on first use.

``python -m benchmarks.rules [REPEATS]`` prints the tables of docs/archives.md. A rule that saves less than a hundredth
is not worth its line.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from podpac_lambda_widgets.packaging.build import build_package
from podpac_lambda_widgets.packaging.bytecode import compile_tree
from podpac_lambda_widgets.packaging.imports import DEFERRED, defer_imports
from podpac_lambda_widgets.packaging.install import find_uv, install_pins
from podpac_lambda_widgets.packaging.patches import apply_patches
from podpac_lambda_widgets.packaging.prune import RULES, prune_tree
from podpac_lambda_widgets.packaging.recipe import Pin, find_recipe, select_pins
from podpac_lambda_widgets.packaging.target import choose_target

_START = """
import resource, sys, time
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
began = time.process_time()
import handler
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(sys.modules))
"""
#: Why what lies behind the segments of a library is dropped; see packaging/elf.py.
_TAIL = "Symbols and section headers lie behind what a loader reads."
#: Modules that are patched to have what is deferred; at the start they would import in circles.
_ASK_FOR = {
    "podpac/core/managers/__init__.py": {"podpac.core.managers.aws"},
    "podpac/core/data/__init__.py": {"podpac.core.data.pydap_source"},
}
#: What the patches change, and what comes with it.
_PATCHED = ("podpac", "lazy-import")


def measure_sizes(directory: Path) -> str:
    """Megabytes that each rule leaves out of either archive, as a Markdown table."""
    selection = select_pins(find_recipe(), choose_target())
    found = {}
    for name, pins in (("code", selection.core), ("dependencies", selection.extras)):
        tree = directory / name
        install(pins, tree)
        size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file())
        found[name] = (size, prune_tree(tree).saved)
    reasons = {rule.name: rule.reason for rule in RULES}
    lines = [
        "| left out | of the code, MB | | of the dependencies, MB | | why |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for rule in found["code"][1]:
        cells = (f"{saved[rule] / 1e6:.1f} | {saved[rule] / size:.1%}" for size, saved in found.values())
        lines.append(f"| {rule} | {' | '.join(cells)} | {reasons.get(rule, _TAIL)} |")
    cells = (f"{sum(saved.values()) / 1e6:.1f} of {size / 1e6:.1f} | {sum(saved.values()) / size:.1%}"
             for size, saved in found.values())  # fmt: skip
    return "\n".join([*lines, f"| all | {' | '.join(cells)} | |"])


def install(pins: tuple[Pin, ...], tree: Path) -> None:
    """Install some pins for this machine."""
    tree.mkdir()
    install_pins(pins, tree, choose_target(), cancelled=lambda: False, uv=find_uv())


def measure_starts(directory: Path, repeats: int) -> str:
    """Processor time and memory of the function's start, without each deferral in turn, as a Markdown table."""
    trees = make_trees(directory)
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in trees}
    for _ in range(repeats):
        for name, tree in trees.items():
            found[name].append(start(tree))
    least = {name: tuple(min(values) for values in zip(*runs, strict=True)) for name, runs in found.items()}
    seconds, memory, modules = least[""]
    lines = ["| imported at the start after all | s more | | MB more | modules more | who needs it |",
             "| --- | ---: | ---: | ---: | ---: | --- |"]  # fmt: skip
    for name, (slower, larger, more) in least.items():
        if name:
            gain = slower - seconds
            lines.append(
                f"| {name} | {gain:.3f} | {gain / seconds:.0%} | {larger - memory:.0f} | {more - modules:.0f} "
                f"| {DEFERRED.get(name, '')} |"
            )
    lines.append(f"\nWith all deferred the start takes {seconds:.3f} s of processor time and {memory:.0f} MB, for "
                 f"{modules:.0f} modules.")  # fmt: skip
    return "\n".join(lines)


def make_trees(directory: Path) -> dict[str, Path]:
    """The function's code with all imports deferred (""), with all but each, and with none ("all of them")."""
    with zipfile.ZipFile(build_package(find_recipe().directory).dist.path) as archive:
        archive.extractall(directory / "built")
    pins = select_pins(find_recipe(), choose_target()).core
    install(tuple(pin for pin in pins if pin.name in _PATCHED), directory / "patched")
    apply_patches(directory / "patched")
    wanted = {"": tuple(DEFERRED), **{name: tuple(DEFERRED.keys() - {name}) for name in DEFERRED}, "all of them": ()}
    trees = {}
    for number, (name, deferred) in enumerate(wanted.items()):
        tree = directory / f"tree{number}"
        subprocess.run(["cp", "-r", str(directory / "patched"), str(tree)], check=True)
        for module, names in _ASK_FOR.items():
            if not names <= set(deferred):
                (tree / module).write_text("")
        defer_imports(tree, deferred)
        compile_tree(tree, Path(sys.executable), prefix="", keep_sources=("podpac",), cancelled=lambda: False)
        for path in (directory / "built").iterdir():
            if not (tree / path.name).exists():
                (tree / path.name).symlink_to(path)
        trees[name] = tree
    return trees


def start(tree: Path) -> tuple[float, float, int]:
    """Seconds of processor time, megabytes and modules of a start in a process of its own."""
    boto3 = find_spec("boto3")
    assert boto3 is not None
    assert boto3.origin is not None
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _START, str(tree), str(Path(boto3.origin).parent.parent)],
        capture_output=True, text=True, check=True, env={"LAMBDA_TASK_ROOT": str(tree), "PATH": ""},
    )  # fmt: skip
    seconds, memory, modules = answer.stdout.split()
    return float(seconds), float(memory), int(modules)


def main(repeats: int = 9) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="podpac-bench-") as directory:
        sizes, starts = Path(directory) / "sizes", Path(directory) / "starts"
        sizes.mkdir()
        starts.mkdir()
        print(measure_sizes(sizes))
        print(f"\n{measure_starts(starts, repeats)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
