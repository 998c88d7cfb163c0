"""Package: the two archives the function is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.model.base import StrictHasTraits
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.widgets import source_view
from podpac_lambda_widgets.widgets.backend import Backend, Connection
from podpac_lambda_widgets.widgets.cards import error_card, explain
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, group
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.packaging.archive import Examination, Package
    from podpac_lambda_widgets.packaging.finding import FoundArchive
    from podpac_lambda_widgets.packaging.progress import BuildProgress

_FILES = ("function_source_dist_zip", "function_source_dependencies_zip")
_OBJECTS = ("function_source_bucket", "function_source_dist_key", "function_source_dependencies_key")


class Found(StrictHasTraits):
    """A folder that has both archives."""

    found = tl.Unicode("", help="Folders below this notebook. Or type the paths of both files.").tag(
        label="Archives found here"
    )


class SourceForm(Form):
    """Builds the archives, or says where they are.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    backend : Backend
        Builds, finds and looks into archives.
    source : Source
        The model behind the fields.
    directory : Path
        Where the archives are built.
    """

    def __init__(self, worker: Worker, backend: Backend, source: Source, directory: Path) -> None:
        self._backend = backend
        self.source = source
        self.directory = directory
        self.found = Found()
        self._pairs: dict[str, tuple[FoundArchive, FoundArchive]] = {}
        #: The call that built the archives which the fields name; empty when they come from elsewhere.
        self._build_call: tuple[str, ...] = ()
        #: Tells the archives that are looked into from those that were named before.
        self._looked = 0
        self._just_built = False
        #: Gives the Lambda runtime to build for; empty for this machine's own Python.
        self.runtime: Callable[[], str] = lambda: ""
        #: Gives the function that the archives are for, and the way into AWS, where there are such.
        self.wish: Callable[[], Deployment | None] = lambda: None
        self.connection: Callable[[], Connection | None] = lambda: None
        #: Called when archives were built: they may be others under the same names.
        self.on_built: Callable[[], None] = lambda: None
        super().__init__(
            worker,
            title="Package",
            purpose="The function needs podpac and its libraries, as two archives.",
            icon="box",
            blocks=source_layout(source, self.found),
        )
        self.bind(source, (*_FILES, *_OBJECTS))
        self.bind(self.found, self.found.trait_names())
        self.set_choices("found", source_view.pair_choices({}))
        self.on_action("build_archives", self.build_archives)
        self.on_action("stop", worker.cancel)
        self.set_button("stop", hidden=True, stops=True)
        source.observe(self._source_changed)
        self.found.observe(self._pair_chosen, names="found")
        self.stand("ready", "No archives yet")
        self.look_for_archives()

    # What is there

    def look_for_archives(self) -> None:
        """Look in the background for archives below the working folder, and where they are built, and offer them."""
        here, built = Path.cwd(), self.directory

        def look(task: Task) -> list[FoundArchive]:
            found = list(self._backend.find_archives(here))
            if not built.resolve().is_relative_to(here):
                found += [replace(each, path=built / each.path) for each in self._backend.find_archives(built)]
            return found

        self.start("Look for archives", look, self._offer, quiet=True)

    def _offer(self, found: Sequence[FoundArchive]) -> None:
        self._pairs = source_view.find_pairs(found)
        self.set_choices("found", source_view.pair_choices(self._pairs))
        for name in _FILES:
            self.set_choices(name, source_view.file_choices(found))

    def _pair_chosen(self, change: Any) -> None:
        pair = self._pairs.get(change["new"])
        if pair is not None:
            self._name_files(*(each.path for each in pair))

    def _name_files(self, dist: Path, dependencies: Path) -> None:
        with self.source.hold_trait_notifications():
            for name in _OBJECTS:
                setattr(self.source, name, "")
            self.source.function_source_dist_zip = str(dist)
            self.source.function_source_dependencies_zip = str(dependencies)
        for name in (*_FILES, *_OBJECTS):
            self._show_held(name)

    # Building

    def build_archives(self) -> None:
        """Do what the Build archives button does."""
        runtime = self.runtime()
        call = build_code(self.directory, runtime)
        self.start(
            "Building the archives",
            lambda task: self._build(task, runtime),
            lambda package: self._built(package, call),
        )
        self.facts, self.table, self.log = [], {}, []
        self._began = time.monotonic()
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
        if not self.log or not self.log[-1].endswith(f"  {progress.message}"):
            self.log = [*self.log, f"{time.monotonic() - self._began:6.1f} s  {progress.message}"]

    def _built(self, package: Package, call: tuple[str, ...]) -> None:
        # What was just built was looked into by who built it.
        self._just_built = True
        self._name_files(package.dist.path, package.dependencies.path)
        self._just_built = False
        self._build_call = call
        self.steps = []
        self.facts = source_view.package_facts(package, self._storage())
        self.stand("done", "Both archives are built and checked")
        self.on_built()
        self.look_for_archives()

    def _storage(self) -> int:
        wish = self.wish()
        return int((Deployment() if wish is None else wish).function_ephemeral_storage)

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self.set_button("stop", hidden=True)

    # Archives from elsewhere

    def _source_changed(self, change: Any) -> None:
        if change["name"] not in (*_FILES, *_OBJECTS):
            return
        # What was said of the archives was said of others.
        self.facts, self.table, self._build_call = [], {}, ()
        if self.found.found and self.found.found != str(Path(self.source.function_source_dist_zip).parent):
            self.found.found = ""
        self._looked += 1
        try:
            self.source.check()
        except tl.TraitError:
            self.stand("ready", "No archives yet" if not self.problems else "Correct the marked field.")
        else:
            place = f"bucket {self.source.function_source_bucket}" if self.source.is_bucket else "files on this machine"
            self.stand("done", f"Archives from {place}")
            if not self._just_built:
                self.look_into()

    def look_into(self) -> None:
        """Look in the background into the archives that are named, and say what they are and what is to be mended."""
        looked, source, wish, connection = self._looked, copy_of(self.source), self.wish(), self.connection()

        def look(task: Task) -> Examination | list[list[Any]] | PodpacLambdaError:
            try:
                if source.is_bucket:
                    return self._backend.measure_objects(connection, source) if connection else []
                return self._backend.examine_archives(source, wish)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the archives is shown, not raised
                return explain(error, "Looking into the archives")

        self.start("Look into the archives", look, lambda seen: self._looked_into(looked, seen), quiet=True)

    def _looked_into(self, looked: int, seen: Examination | list[list[Any]] | PodpacLambdaError) -> None:
        # Others may have been named meanwhile, or those may have been built anew.
        if looked != self._looked or self.standing == "working":
            return
        if isinstance(seen, PodpacLambdaError):
            self.card = error_card(seen)
            self.stand("failed", "These archives cannot be used")
            return
        self.card = {}
        if isinstance(seen, list):
            self.facts = seen
            return
        self.facts = source_view.package_facts(seen.package, self._storage())
        self.table = source_view.problems_table(seen.problems)
        if seen.problems:
            self.stand("failed", "These archives cannot be used")

    # The same by code

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

    def lambda_arguments(self) -> Mapping[str, str]:
        """The arguments of ``Lambda`` that say where the archives are, as keyword and expression."""
        if self.source.is_bucket:
            return literal_arguments(self.source)
        return dict(zip(_FILES, ("package.dist.path", "package.dependencies.path"), strict=True))


def source_layout(source: Source, found: Found) -> list[dict[str, Any]]:
    """The blocks of the Package form."""
    return [
        {"block": "card"},
        actions(
            action("build_archives", "Build archives", "primary", note="Takes about a minute the first time."),
            action("stop", "Stop building", "quiet", "stop"),
        ),
        {"block": "steps"},
        {"block": "facts"},
        {"block": "table"},
        {"block": "log", "label": "Log of the build"},
        group(
            "Or files on this machine",
            [
                describe_field(found, "found", kind="select", span=12),
                *(describe_field(source, name, mono=True) for name in _FILES),
            ],
        ),
        group("Or objects in a bucket", [describe_field(source, name, span=4, mono=True) for name in _OBJECTS]),
    ]


def copy_of(source: Source) -> Source:
    """The same places, as they are now."""
    return Source(**{name: getattr(source, name) for name in (*_FILES, *_OBJECTS)})


def literal_arguments(source: Source) -> Mapping[str, str]:
    """The arguments of ``Lambda`` that say where the archives are, as keyword and literal."""
    given = {name: getattr(source, name) for name in (*_FILES, *_OBJECTS)}
    return {name: literal(value) for name, value in given.items() if value}


def build_code(directory: Path, runtime: str) -> tuple[str, ...]:
    """Building the archives into a folder for a runtime, as Python."""
    where = directory.relative_to(Path.cwd()) if directory.is_relative_to(Path.cwd()) else directory
    arguments = {"": literal(str(where))} | ({"runtime": literal(runtime)} if runtime else {})
    return write_call("plw.build_package", arguments, variable="package")
