"""``Lambda``: the node PODPAC users know, over the plan, the engine and AWS.

With podpac installed it is a ``podpac.Node`` and may be a source of other nodes; without, the same traits and methods
on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import traitlets as tl

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.session import connect
from podpac_lambda_widgets.engine.capacity import Way
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.engine.jobs import Job
from podpac_lambda_widgets.engine.results import FileResult, Result
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.model.base import InvalidTraitError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.shown import traits_html
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.node.defaults import SettingsDefaults, setting
from podpac_lambda_widgets.node.installed import NODE_BASES, as_units_array
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.changes import Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.permissions import Purpose
from podpac_lambda_widgets.plan.validation import Validation
from podpac_lambda_widgets.secret import Secret

if TYPE_CHECKING:
    import xarray as xr

    class _Base(SettingsDefaults):
        pass
else:
    _Base = type("_Base", (*NODE_BASES, SettingsDefaults), {})


#: What PODPAC's own node takes, and ours does not.
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_region_name")


class Lambda(_Base):
    """Evaluate a node in an AWS Lambda function.

    The traits are PODPAC's own (``function_name``, ``function_source_dist_zip``, ...), see
    :class:`~podpac_lambda_widgets.model.deployment.Deployment` and
    :class:`~podpac_lambda_widgets.model.source.Source`. Names that are not given come from ``podpac.settings``
    (``FUNCTION_NAME``, ``FUNCTION_ROLE_NAME``, ``S3_BUCKET_NAME``), and so do credentials when no session is given
    (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION_NAME``), else boto3's own sources.

    Parameters
    ----------
    source : podpac.Node, mapping or str, optional
        The pipeline: a node, its definition, or its JSON. Needed to evaluate, not to build.
    session : boto3.Session, optional
        Of :func:`~podpac_lambda_widgets.connect` or :func:`~podpac_lambda_widgets.local_aws`, or your own.
    **traits
        Any trait of the deployment and of the archives' source.

    Examples
    --------
    >>> cloud = Lambda(source=node, function_source_dist_zip="dist/aws/podpac_dist.zip",
    ...                function_source_dependencies_zip="dist/aws/podpac_deps.zip")  # doctest: +SKIP
    >>> cloud.build()  # doctest: +SKIP
    >>> cloud.eval(coordinates).plot()  # doctest: +SKIP
    """

    source = tl.Any(None, allow_none=True).tag(attr=True)
    session = tl.Instance(boto3.Session)

    def __init__(self, **traits: Any) -> None:
        for name in _KEYS:
            if name in traits:
                raise InvalidTraitError(
                    f"A Lambda node keeps no {name}",
                    field=name,
                    why="What is a trait of a node is in every definition of it, and in every notebook that is saved.",
                    next_step="Say session=connect(...), or put it into podpac.settings.",
                )
        super().__init__(**traits)

    @tl.default("session")
    def _session_default(self) -> boto3.Session:
        return connect(
            access_key_id=setting("AWS_ACCESS_KEY_ID") or None,
            secret_access_key=Secret(setting("AWS_SECRET_ACCESS_KEY")),
            region_name=setting("AWS_REGION_NAME") or None,
        )

    def __repr__(self) -> str:
        return f"Lambda(function_name={self.function_name!r})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        # Nothing is asked of AWS: a repr must not wait.
        own = [name for model in (Deployment, Source) for name in model.class_trait_names()]
        return traits_html(self, own, f"Lambda {self.function_name}")

    @cached_property
    def stack(self) -> Stack:
        """The stack of this node: the same things as values and events."""
        return Stack(AwsAccount(self.session), self, self)

    @tl.observe("session")
    def _session_changed(self, change: Any) -> None:
        self.__dict__.pop("stack", None)

    @property
    def outputs(self) -> Any:
        """Names of the source's outputs, or None for a node with one output."""
        return getattr(self.source, "outputs", None)

    def plan(self) -> Plan:
        """What :meth:`build` would do. Reads only."""
        return self.stack.plan()

    def build(
        self,
        listener: Listener = ignore,
        *,
        expected: Plan | None = None,
        rollback: bool = False,
        preflight: bool = True,
    ) -> Plan:
        """Make role, bucket, archives, function and triggers, or mend them. May be run again and again.

        Parameters
        ----------
        listener : callable, optional
            Called with every event.
        expected : Plan, optional
            A plan that you have looked at: nothing else is done.
        rollback : bool
            When it stops on the way, take back what this run has created.
        preflight : bool
            Ask AWS first whether all of it is permitted.
        """
        return self.stack.build(listener, expected=expected, rollback=rollback, preflight=preflight)

    def validate(self, raise_exceptions: bool = False) -> Validation:
        """Whether everything is in AWS as it should be, resource by resource; true when it is.

        Parameters
        ----------
        raise_exceptions : bool
            Raise a DeployError that names what is wrong, instead of returning False.
        """
        return self.stack.validate(raise_exceptions)

    def describe(self) -> Description:
        """What there is in AWS, resource by resource. Reads only."""
        return self.stack.describe()

    def plan_delete(self) -> Plan:
        """What :meth:`delete` would take away. Reads only."""
        return self.stack.plan_delete()

    def delete(self, confirm: bool | str = False, listener: Listener = ignore, *, expected: Plan | None = None) -> Plan:
        """Take away what this package made for the function, and nothing else.

        Parameters
        ----------
        confirm : bool or str
            True; or, where results would be lost or others' objects would be left over, the function's name.
        listener : callable, optional
            Called with every event.
        expected : Plan, optional
            A plan that you have looked at: nothing else is done.
        """
        return self.stack.delete(confirm=confirm, listener=listener, expected=expected)

    def policy_for(self, purpose: Purpose) -> dict[str, Any]:
        """The smallest policy with which the function can be deployed, run or destroyed.

        Parameters
        ----------
        purpose : {"deploy", "run", "destroy"}

        Returns
        -------
        dict
            An IAM policy document, to send to an administrator.
        """
        return self.stack.policy_for(purpose)

    def get_logs(
        self,
        limit: int = 1000,
        start: date | str | None = None,
        end: date | str | None = None,
        request_id: str = "",
    ) -> tuple[LogLine, ...]:
        """The last lines of the function's log, oldest first; times are UTC.

        Parameters
        ----------
        limit : int
            How many lines at the most.
        start, end : datetime, date or str, optional
            Without a time zone they are taken to be UTC; ``end`` is not included.
        request_id : str, optional
            Only the lines of one run (``result.request_id``).
        """
        return self.stack.get_logs(limit=limit, start=start, end=end, request_id=request_id)

    def follow_logs(
        self, start: date | str | None = None, request_id: str = "", cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[LogLine]:
        """Lines of the function's log as they come, until ``cancelled()``; parameters as :meth:`get_logs` has them."""
        return self.stack.follow_logs(start=start, request_id=request_id, cancelled=cancelled)

    def run(
        self, coordinates: Any, listener: Listener = ignore, cancelled: Callable[[], bool] = lambda: False
    ) -> Result:
        """Evaluate the source in the function; the result with times, log and versions."""
        return self.stack.run(self._pipeline(), CoordinatesDefinition.parse(coordinates), listener, cancelled)

    def run_to_file(
        self,
        coordinates: Any,
        output: Mapping[str, object] | str,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> FileResult:
        """Evaluate the source in the function, into a file.

        Parameters
        ----------
        output : mapping or str
            The name of a format (netcdf, json, png, geotiff, zarr), or ``{"format": name, option: value, ...}``; see
            :func:`podpac_lambda_widgets.remote.outputs.read_output`.
        """
        wanted = {"format": output} if isinstance(output, str) else output
        return self.stack.run_to_file(
            self._pipeline(), CoordinatesDefinition.parse(coordinates), wanted, listener, cancelled
        )

    def run_to_zarr(
        self, coordinates: Any, listener: Listener = ignore, cancelled: Callable[[], bool] = lambda: False
    ) -> FileResult:
        """Evaluate the source in the function, into a Zarr array of its bucket; ``result.address`` says where."""
        return self.stack.run_to_zarr(self._pipeline(), CoordinatesDefinition.parse(coordinates), listener, cancelled)

    def submit(self, coordinates: Any, way: Way = "eval", listener: Callable[[Job], None] | None = None) -> Job:
        """Begin to evaluate the source in the function, and go on with something else.

        Parameters
        ----------
        way : {"eval", "async", "S3"}
            A direct call; a call that Lambda keeps until there is a place for it; or an object that is put into the
            bucket, for which the function needs its S3 trigger.
        listener : callable, optional
            Called with the job at every change, on the job's own thread.
        """
        return self.stack.submit(self._pipeline(), CoordinatesDefinition.parse(coordinates), way, listener)

    def resume(self, job: Job) -> Job:
        """Go on with a run that failed when its credentials had expired or the network broke.

        What was sent is not sent again. For credentials that were typed, give the node a new session first:
        ``node.session = connect(...)``.

        Parameters
        ----------
        job : Job
            That :meth:`submit` gave.
        """
        return self.stack.resume(job)

    def get_runs(self, start: date | str | None = None, limit: int = 50) -> tuple[RunRecord, ...]:
        """The function's last runs, newest first, with their times and costs, as its log tells of them.

        Parameters
        ----------
        start : datetime, date or str, optional
            Only those since then; without a time zone it is taken to be UTC.
        limit : int
            How many runs at the most.
        """
        return self.stack.get_runs(start=start, limit=limit)

    def _pipeline(self) -> Pipeline:
        if self.source is None:
            raise InvalidPipelineError(
                "There is no pipeline to evaluate", field="source", next_step="Make it as Lambda(source=node)."
            )
        return Pipeline.parse(self.source)

    def eval(self, coordinates: Any, **kwargs: Any) -> xr.DataArray:
        """Evaluate the source in the function.

        Parameters
        ----------
        coordinates : podpac.Coordinates, mapping or str
            Where and when; without podpac, the definition or its JSON.
        **kwargs
            ``output``, an array to fill, as PODPAC's own nodes pass it.

        Returns
        -------
        podpac.UnitsDataArray or xarray.DataArray
            The very values that ``source.eval(coordinates)`` gives here.
        """
        if unknown := set(kwargs) - {"output", "_selector"}:
            raise TypeError(f"eval() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        array = as_units_array(self.run(coordinates).array)
        output = kwargs.get("output")
        if output is None:
            return array
        output[:] = array
        return output  # type: ignore[no-any-return]  # what PODPAC passed in
