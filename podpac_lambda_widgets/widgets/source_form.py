"""Package: the two archives the function is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.widgets.backend import Backend
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, group
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.packaging.archive import Archive, Package
    from podpac_lambda_widgets.packaging.progress import BuildProgress

_FILES = ("function_source_dist_zip", "function_source_dependencies_zip")
_OBJECTS = ("function_source_bucket", "function_source_dist_key", "function_source_dependencies_key")


class SourceForm(Form):
    """Builds the archives, or says where they are.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    backend : Backend
        Builds.
    source : Source
        The model behind the fields.
    directory : Path
        Where the archives are built.
    """

    def __init__(self, worker: Worker, backend: Backend, source: Source, directory: Path) -> None:
        self._backend = backend
        self.source = source
        self.directory = directory
        #: The call that built the archives which the fields name; empty when they come from elsewhere.
        self._build_call: tuple[str, ...] = ()
        #: Gives the Lambda runtime to build for; empty for this machine's own Python.
        self.runtime: Callable[[], str] = lambda: ""
        #: Called when archives were built: they may be others under the same names.
        self.on_built: Callable[[], None] = lambda: None
        super().__init__(
            worker,
            title="Package",
            purpose="The function needs podpac and its libraries, as two archives.",
            icon="box",
            blocks=self._layout(),
        )
        self.bind(source, (*_FILES, *_OBJECTS))
        self.on_action("build_archives", self.build_archives)
        self.on_action("stop", worker.cancel)
        self.set_button("stop", hidden=True, stops=True)
        source.observe(self._source_changed)
        self.stand("ready", "No archives yet")

    def _layout(self) -> list[dict[str, Any]]:
        return [
            {"block": "card"},
            actions(
                action("build_archives", "Build archives", "primary", note="Takes about a minute the first time."),
                action("stop", "Stop building", "quiet", "stop"),
            ),
            {"block": "steps"},
            group("Files on this machine", [describe_field(self.source, name, mono=True) for name in _FILES]),
            {"block": "facts"},
            group(
                "Or objects in a bucket",
                [describe_field(self.source, name, span=4, mono=True) for name in _OBJECTS],
            ),
        ]

    def build_archives(self) -> None:
        """Do what the Build archives button does."""
        self.facts = []
        runtime = self.runtime()
        call = build_code(self.directory, runtime)
        self.start(
            "Building the archives",
            lambda task: self._build(task, runtime),
            lambda package: self._built(package, call),
        )
        self.set_button("stop", hidden=False)

    def _build(self, task: Task, runtime: str) -> Package:
        def listen(progress: BuildProgress) -> None:
            self.worker.post(lambda: self._show_progress(progress))

        return self._backend.build_archives(self.directory, runtime, listen, task.cancelled)

    def _show_progress(self, progress: BuildProgress) -> None:
        for step in self.steps:
            if step["state"] == "working" and step["key"] != progress.step:
                self.set_step(step["text"], "done", key=step["key"])
        finished = progress.done >= progress.total
        share = f"{100 * progress.done // max(progress.total, 1)} %"
        self.set_step(
            progress.message,
            "done" if finished else "working",
            key=progress.step,
            done=progress.done,
            total=progress.total,
            detail="" if finished else share,
        )

    def _built(self, package: Package, call: tuple[str, ...]) -> None:
        with self.source.hold_trait_notifications():
            for name in _OBJECTS:
                setattr(self.source, name, "")
            self.source.function_source_dist_zip = str(package.dist.path)
            self.source.function_source_dependencies_zip = str(package.dependencies.path)
        for name in (*_FILES, *_OBJECTS):
            self._show_held(name)
        self._build_call = call
        self.steps = []
        self.facts = package_facts(package)
        self.stand("done", "Both archives are built and checked")
        self.on_built()

    def write_code(self) -> Code:
        """Building the archives; or looking into those that the fields name."""
        self.check_fields()
        if self._build_call or not any(getattr(self.source, name) for name in (*_FILES, *_OBJECTS)):
            return Code(self.title, self._build_call or build_code(self.directory, self.runtime()))
        self.source.check()
        if self.source.is_bucket:
            return Code(self.title)
        arguments = {f"*{name}": literal(getattr(self.source, name)) for name in _FILES}
        if runtime := self.runtime():
            arguments["runtime"] = literal(runtime)
        return Code(self.title, write_call("plw.inspect_package", arguments, variable="package"))

    def lambda_arguments(self) -> dict[str, str]:
        """The arguments of ``Lambda`` that say where the archives are, as keyword and expression."""
        if self.source.is_bucket:
            return literal_arguments(self.source)
        return dict(zip(_FILES, ("package.dist.path", "package.dependencies.path"), strict=True))

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self.set_button("stop", hidden=True)

    def _source_changed(self, change: Any) -> None:
        if change["name"] not in (*_FILES, *_OBJECTS):
            return
        # What was said of the archives was said of others.
        self.facts, self._build_call = [], ()
        try:
            self.source.check()
        except tl.TraitError:
            self.stand("ready", "No archives yet" if not self.problems else "Correct the marked field.")
        else:
            place = f"bucket {self.source.function_source_bucket}" if self.source.is_bucket else "files on this machine"
            self.stand("done", f"Archives from {place}")


def literal_arguments(source: Source) -> dict[str, str]:
    """The arguments of ``Lambda`` that say where the archives are, as keyword and literal."""
    given = {name: getattr(source, name) for name in (*_FILES, *_OBJECTS)}
    return {name: literal(value) for name, value in given.items() if value}


def build_code(directory: Path, runtime: str) -> tuple[str, ...]:
    """Building the archives into a folder for a runtime, as Python."""
    where = directory.relative_to(Path.cwd()) if directory.is_relative_to(Path.cwd()) else directory
    arguments = {"": literal(str(where))} | ({"runtime": literal(runtime)} if runtime else {})
    return write_call("plw.build_package", arguments, variable="package")


def package_facts(package: Package) -> list[list[Any]]:
    """What there is to know of the archives: term, value, and the share of Lambda's limit."""
    manifest = package.dist.manifest
    facts: list[list[Any]] = []
    if manifest is not None:
        facts.append(["Built for", f"{manifest.runtime}, {manifest.architecture}"])
        facts.append(["podpac", manifest.podpac_version])
    facts.append(["Distribution", _size(package.dist)])
    facts.append(
        [
            "Code, extracted",
            f"{package.dist.unzipped_size / limits.MEGABYTE:,.0f} of {_megabytes(limits.UNZIPPED_CODE_BYTES)}",
            package.dist.unzipped_size / limits.UNZIPPED_CODE_BYTES,
        ]
    )
    facts.append(["Dependencies", _size(package.dependencies)])
    return facts


def _size(archive: Archive) -> str:
    return f"{_megabytes(archive.size)} zipped"


def _megabytes(size: int) -> str:
    return f"{size / limits.MEGABYTE:,.0f} MB"
