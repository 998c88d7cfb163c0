"""The Studio: connect, package, deploy, run and look, as forms on one page."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.engine.capacity import wished_capacity
from podpac_lambda_widgets.errors import InvalidValueError, NoCredentialsError
from podpac_lambda_widgets.limits import AMAZON_LINUX_2_RUNTIMES, RUNTIMES
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.studio.behind import Aws, find_archive_directory
from podpac_lambda_widgets.studio.revival import describe_revival
from podpac_lambda_widgets.widgets.backend import Backend, Connection, StackActions
from podpac_lambda_widgets.widgets.code import Code
from podpac_lambda_widgets.widgets.credentials_form import CredentialsForm
from podpac_lambda_widgets.widgets.deploy_form import DeployForm
from podpac_lambda_widgets.widgets.notebook import read_variables
from podpac_lambda_widgets.widgets.page import Page
from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm
from podpac_lambda_widgets.widgets.result_origin import describe_place
from podpac_lambda_widgets.widgets.result_preparation import Asked, ZarrLink, prepare_result
from podpac_lambda_widgets.widgets.result_view import ResultView
from podpac_lambda_widgets.widgets.source_form import SourceForm
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    import xarray as xr

    from podpac_lambda_widgets.engine.results import Result

#: Runtimes that archives of today's wheels run on.
_AWS_RUNTIMES = tuple(name for name in RUNTIMES if name not in AMAZON_LINUX_2_RUNTIMES)


def _first_wish() -> Deployment:
    """What the Deploy form begins with; ``FUNCTION_RUNTIME`` of the environment may say what to build for."""
    return Deployment(function_runtime=os.environ.get("FUNCTION_RUNTIME", ""))


class Studio(Page):
    """Five forms on one page: Connect, Package, Deploy, Run, Results.

    Every button has a method, so that a notebook without a browser can do the same; :meth:`wait` waits for what was
    begun, and raises its error.

    Parameters
    ----------
    directory : path, optional
        Where the archives are built; the checkout's ``dist/aws``, else ``dist/aws`` below the working directory.
    backend : Backend, optional
        What is behind the forms.

    Examples
    --------
    >>> studio = Studio()                                   # doctest: +SKIP
    >>> studio.credentials.use_embedded_aws(); studio.wait()     # doctest: +SKIP
    >>> studio.source.build_archives(); studio.wait()       # doctest: +SKIP
    >>> studio.deploy.plan(); studio.wait()                 # doctest: +SKIP
    >>> studio.deploy.build(); studio.wait()                # doctest: +SKIP
    >>> studio.pipeline.run(); studio.wait()                # doctest: +SKIP
    >>> studio.result                                       # doctest: +SKIP
    """

    def __init__(self, directory: Path | str | None = None, *, backend: Backend | None = None) -> None:
        self._backend: Backend = backend or Aws()
        worker = Worker()
        self.worker = worker
        self._directory = "" if directory is None else str(directory)
        where = Path(directory) if directory is not None else find_archive_directory(Path.cwd())
        self.credentials = CredentialsForm(worker, self._backend)
        self.source = SourceForm(worker, self._backend, Source(), where)
        self.deploy = DeployForm(worker, _first_wish(), self._stack, lambda: self.credentials.connection)
        self.pipeline = PipelineForm(worker, self._stack, read_variables)
        self.results = ResultView(worker)
        super().__init__(
            [self.credentials, self.source, self.deploy, self.pipeline, self.results],
            title="PODPAC on AWS Lambda",
            lead="From an account to a plotted result, in five steps.",
        )
        self._join()

    @property
    def result(self) -> xr.DataArray | None:
        """The array of the last run."""
        return self.results.result.array if self.results.result else None

    def wait(self, timeout: float | None = None) -> None:
        """Wait for what was begun; see :meth:`Worker.wait`."""
        self.worker.wait(timeout)

    def _join(self) -> None:
        self.credentials.observe(self._follow_connection, names="connection")
        self.source.source.observe(lambda change: self._follow_source())
        self.credentials.permissions.ask_for(self._stack, self.deploy.deployment, self.source.source)
        self.source.runtime = self._runtime
        self.source.wish = lambda: self.deploy.deployment
        self.source.connection = lambda: self.credentials.connection
        self.source.on_built = self._follow_source
        self.deploy.on_change = self._follow_stack
        self.pipeline.provenance = self._provenance
        self.pipeline.wished = lambda: wished_capacity(self.deploy.deployment)
        self.deploy.deployment.observe(lambda change: self.pipeline.follow_capacity())
        self.pipeline.prepare = self._prepare
        self.deploy.source_arguments = self.source.lambda_arguments
        for number, form in enumerate(self.forms):
            form.code_before = functools.partial(self._write_code_before, number)
            form.error_elsewhere = self._show_elsewhere
            form.on_error = self.credentials.follow_error

    def describe_revival(self) -> dict[str, str]:
        """A Studio in the same variable, with the same folder."""
        return describe_revival(read_variables(), self, directory=self._directory)

    def _write_code_before(self, number: int) -> list[Code]:
        return [form.write_code() for form in self.forms[:number]]

    def _follow_connection(self, change: Any) -> None:
        if not _is_same_place(change["old"], change["new"]):
            self.pipeline.run_table.forget()
        self._follow_stack(False)
        self.pipeline.forget_errors()
        # What was done in another account is not done in this one: AWS is asked what there is.
        self.deploy.follow_connection()
        self._say_what_to_deploy()
        if self.source.source.is_bucket:
            self.source.look_into()

    def _follow_source(self) -> None:
        self.deploy.outdate()
        if self.credentials.connection is not None and self.deploy.standing != "working":
            self._say_what_to_deploy()

    def _say_what_to_deploy(self) -> None:
        self.deploy.stand("ready", "Press Plan" if self.source.standing == "done" else "Build the archives first")

    def _follow_stack(self, exists: bool) -> None:
        self.pipeline.follow_stack(exists)

    def _runtime(self) -> str:
        """What to build for: the wish's runtime; else this machine's own Python, if it will do where we are."""
        connection = self.credentials.connection
        own = f"python{sys.version_info.major}.{sys.version_info.minor}"
        wanted = self.deploy.deployment.function_runtime
        if wanted or connection is None or connection.embedded or own in _AWS_RUNTIMES:
            return str(wanted)
        return _AWS_RUNTIMES[0]

    def _stack(self) -> StackActions:
        connection = self.credentials.connection
        if connection is None:
            raise NoCredentialsError(
                "Not connected to AWS", next_step="Press Connect, or Use embedded AWS, in the first step."
            )
        # Copies: what is typed while a build runs is for the next one.
        deployment = Deployment(**self.deploy.deployment.trait_values())
        return self._backend.stack(connection.account, deployment, Source(**self.source.source.trait_values()))

    def _provenance(self) -> Mapping[str, str]:
        return describe_place(self.deploy.deployment.function_name, self.credentials.connection)

    def _prepare(
        self, asked: Asked, result: Result, provenance: Mapping[str, str], link: ZarrLink
    ) -> Callable[[], None]:
        shown = prepare_result(asked.pipeline.output, result, provenance, asked=asked, zarr=link)
        return lambda: self.results.show(shown)

    def _show_elsewhere(self, error: InvalidValueError) -> bool:
        return any(form.show_field_error(error) for form in self.forms)


def _is_same_place(one: Connection | None, other: Connection | None) -> bool:
    if one is None or other is None or one.embedded or other.embedded:
        return False
    return (one.identity.account, one.identity.region) == (other.identity.account, other.identity.region)
