"""Each form by itself, as a notebook has it: without arguments, or with what it is to work on.

A form that needs AWS takes a session, a Connect form, or nothing: it then gets in as boto3 does, in the background.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from podpac_lambda_widgets.engine.capacity import wished_capacity
from podpac_lambda_widgets.errors import NoCredentialsError, ResultError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.studio.behind import Aws, find_archive_directory
from podpac_lambda_widgets.studio.entrance import Entrance
from podpac_lambda_widgets.studio.revival import describe_revival
from podpac_lambda_widgets.widgets import credentials_form, deploy_form, pipeline_form, result_view, source_form
from podpac_lambda_widgets.widgets.notebook import read_variables
from podpac_lambda_widgets.widgets.result_origin import describe_place
from podpac_lambda_widgets.widgets.result_preparation import Asked, Shown, ZarrLink, prepare_array, prepare_result
from podpac_lambda_widgets.widgets.stack_light import describe_light
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    import boto3
    import xarray as xr

    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.widgets.backend import StackActions


class CredentialsForm(credentials_form.CredentialsForm):
    """Gets into AWS, or starts an AWS of this machine's own.

    Examples
    --------
    >>> who = CredentialsForm()
    >>> who.use_embedded_aws(); who.wait()  # doctest: +SKIP
    >>> Lambda(session=who.session)  # doctest: +SKIP
    """

    def __init__(self) -> None:
        backend = Aws()
        super().__init__(Worker(), backend)

        def stack() -> StackActions:
            assert self.connection is not None
            return backend.stack(self.connection.account, Deployment(), None)

        self.permissions.stack = stack

    def describe_revival(self) -> dict[str, str]:
        """A form of this kind in the same variable."""
        return describe_revival(read_variables(), self)

    @property
    def session(self) -> boto3.Session:
        """The session, once connected.

        Raises
        ------
        NoCredentialsError
            Nobody has connected yet.
        """
        if self.connection is None:
            raise NoCredentialsError("Not connected to AWS", next_step="Press Connect, or Use embedded AWS.")
        return getattr(self.connection.account, "session")  # noqa: B009 - the port has none, AwsAccount does


class SourceForm(source_form.SourceForm):
    """Builds the archives, or says where they are.

    Parameters
    ----------
    directory : path, optional
        Where the archives are built; the checkout's ``dist/aws``, else ``dist/aws`` below the working directory.
    source : Source or Lambda, optional
        Its traits are behind the fields.

    Examples
    --------
    >>> archives = SourceForm()
    >>> archives.build_archives(); archives.wait()  # doctest: +SKIP
    >>> Lambda(**archives.source.trait_values())  # doctest: +SKIP
    """

    def __init__(self, directory: Path | str | None = None, source: Source | None = None) -> None:
        self._given = {"directory": directory, "source": source}
        where = Path(directory) if directory is not None else find_archive_directory(Path.cwd())
        super().__init__(Worker(), Aws(), Source() if source is None else source, where)

    def describe_revival(self) -> dict[str, str]:
        """A form of this kind in the same variable, with the same folder and model."""
        return describe_revival(read_variables(), self, **self._given)


class DeployForm(deploy_form.DeployForm):
    """Plans, builds and deletes the function and what belongs to it.

    Parameters
    ----------
    deployment : Deployment or Lambda, optional
        Its traits are behind the fields. A ``Lambda`` brings its archives and its session with it.
    source : Source, SourceForm or Lambda, optional
        Where the archives are; else those of ``dist/aws``, where there are some.
    session : boto3.Session or CredentialsForm, optional
        The way into AWS; else boto3's own.

    Examples
    --------
    >>> DeployForm(session=who, source=archives)  # doctest: +SKIP
    >>> DeployForm(Lambda(function_memory=4096))  # doctest: +SKIP
    """

    def __init__(
        self,
        deployment: Deployment | None = None,
        source: Source | SourceForm | None = None,
        session: boto3.Session | CredentialsForm | None = None,
    ) -> None:
        self._given = {"deployment": deployment, "source": source, "session": session}
        wish = Deployment() if deployment is None else deployment
        entrance = Entrance(session, wish)
        archives = source.source if isinstance(source, SourceForm) else source
        if archives is None:
            archives = wish if isinstance(wish, Source) else find_archives()
        super().__init__(entrance.worker, wish, lambda: entrance.stack(wish, archives), lambda: entrance.connection)
        archives.observe(lambda change: self.outdate(), names=list(Source.class_trait_names()))
        if isinstance(session, CredentialsForm):
            session.permissions.ask_for(self._stack, wish, archives)
        if isinstance(source, SourceForm):
            self.source_arguments = source.lambda_arguments
            self.code_before = lambda: [entrance.write_code(), source.write_code()]
        else:
            self.source_arguments = lambda: source_form.literal_arguments(archives)
            self.code_before = lambda: [entrance.write_code()]
        entrance.open_for(self, self._entered)

    def describe_revival(self) -> dict[str, str]:
        """A form of this kind in the same variable, with what it was made with, where variables hold that."""
        return describe_revival(read_variables(), self, **self._given)

    def _entered(self) -> None:
        self.follow_connection()
        self.stand("ready", "Press Plan")


class PipelineForm(pipeline_form.PipelineForm):
    """Runs a pipeline in a function that is built.

    Parameters
    ----------
    deployment : Deployment or Lambda, optional
        Whose function; else the one of that name that a deployment has without being told another.
    session : boto3.Session or CredentialsForm, optional
        The way into AWS; else boto3's own.
    results : ResultView, optional
        Shows what comes back.

    Examples
    --------
    >>> PipelineForm(Lambda(function_name="soil-moisture"))  # doctest: +SKIP
    """

    def __init__(
        self,
        deployment: Deployment | None = None,
        session: boto3.Session | CredentialsForm | None = None,
        results: ResultView | None = None,
    ) -> None:
        self._given = {"deployment": deployment, "session": session, "results": results}
        wish = Deployment() if deployment is None else deployment
        entrance = Entrance(session, wish)
        self._result: Result | None = None
        self._results = results
        self._stack: Callable[[], StackActions] = lambda: entrance.stack(wish, None)
        super().__init__(entrance.worker, self._stack, read_variables)
        self.prepare = self._prepare
        self.provenance = lambda: describe_place(wish.function_name, entrance.connection)
        self.wished = lambda: wished_capacity(wish)
        wish.observe(lambda change: self.follow_capacity())
        self.code_before = lambda: [entrance.write_code(), entrance.write_node(wish)]
        self.follow_capacity()
        entrance.open_for(self, self._entered)

    def describe_revival(self) -> dict[str, str]:
        """A form of this kind in the same variable, with what it was made with, where variables hold that."""
        return describe_revival(read_variables(), self, **self._given)

    def _entered(self) -> None:
        self.run_table.forget()
        stack = self._stack()
        self.start(
            "Ask AWS what there is",
            lambda task: describe_light(stack.describe())[1],
            # Where it may not be looked at, it may be run all the same.
            lambda exists: self.follow_stack(exists is not False),
            quiet=True,
        )

    def _prepare(
        self, asked: Asked, result: Result, provenance: Mapping[str, str], link: ZarrLink
    ) -> Callable[[], None]:
        shown = (
            prepare_result(asked.pipeline.output, result, provenance, asked=asked, zarr=link) if self._results else None
        )

        def show() -> None:
            self._result = result
            if self._results is not None and shown is not None:
                self._results.show(shown)

        return show

    @property
    def result(self) -> xr.DataArray:
        """The array of the last run.

        Raises
        ------
        ResultError
            Nothing was run yet.
        """
        if self._result is None:
            raise ResultError("There is no result yet", next_step="Run a pipeline first.")
        return self._result.array


class ResultView(result_view.ResultView):
    """Shows a result, and saves it as a file.

    Parameters
    ----------
    result : Result or DataArray, optional
        What ``Lambda.run`` or ``Lambda.eval`` returns, or any array.
    name : str
        What it is called where the array has no name.

    Examples
    --------
    >>> ResultView(cloud.run(coordinates))  # doctest: +SKIP
    """

    def __init__(self, result: Result | xr.DataArray | None = None, name: str = "result") -> None:
        self._given = {"result": result, "name": "" if name == "result" else name}
        super().__init__(Worker())
        if result is not None:
            self.start("Looking at the result", lambda task: _prepare(name, result), self.show, quiet=True)

    def describe_revival(self) -> dict[str, str]:
        """A form of this kind in the same variable, with the same result, where a variable holds that."""
        return describe_revival(read_variables(), self, **self._given)


def _prepare(name: str, result: Result | xr.DataArray) -> Shown:
    from podpac_lambda_widgets.engine.results import Result

    return prepare_result(name, result, {}) if isinstance(result, Result) else prepare_array(name, result)


def find_archives() -> Source:
    """The archives of ``dist/aws``, where both are there."""
    folder = find_archive_directory(Path.cwd())
    dist, dependencies = folder / "podpac_dist.zip", folder / "podpac_deps.zip"
    if dist.is_file() and dependencies.is_file():
        return Source(function_source_dist_zip=dist, function_source_dependencies_zip=dependencies)
    return Source()
