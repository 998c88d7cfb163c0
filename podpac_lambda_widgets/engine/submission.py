"""A run as it was asked for. It can be gone on with: what was sent is not sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.engine.capacity import Way
from podpac_lambda_widgets.engine.claims import Place, Sent
from podpac_lambda_widgets.engine.deliveries import pipeline_file, send_pipeline, trigger_pipeline
from podpac_lambda_widgets.engine.events import Listener
from podpac_lambda_widgets.engine.history import find_request
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.errors import InvalidValueError, PodpacLambdaError, ResultError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.remote.wire import Request

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.invoking import Invoking


@dataclass(frozen=True)
class Submission:
    """What was asked, by which connection, and how far it has come; called, it goes on from there.

    Parameters
    ----------
    by : Invoking
        The function, and the account by which it is called.
    pipeline, coordinates, way
        As for :meth:`podpac_lambda_widgets.engine.invoking.Invoking.submit`.
    sent : Sent
    """

    by: Invoking = field(repr=False)
    pipeline: Pipeline
    coordinates: CoordinatesDefinition
    way: Way
    sent: Sent = field(default_factory=Sent)

    @property
    def left_off(self) -> bool:
        """Whether it was sent, and is still to be answered or fetched."""
        return self.sent.is_out

    def __call__(self, listener: Listener, cancelled: Callable[[], bool]) -> Result:
        """Send it unless it was sent, and bring the array here.

        Raises
        ------
        PodpacLambdaError
            A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
        """
        request = Request(pipeline=self.pipeline.definition, coordinates=self.coordinates.definition)
        try:
            with self.by.calling(request) as told:
                self._check_same(told["place"])
                result = self._run(request, {**told, "listener": listener, "cancelled": cancelled, "sent": self.sent})
        except ResultError:
            # It would be as bad the next time: fetched again or looked at again.
            self.sent.begin_anew()
            raise
        except PodpacLambdaError as error:
            if self.left_off:
                error.next_step = f"{error.next_step} Then go on with this run: it is not sent again.".strip()
            raise
        return replace(self.by.complete(result), read_log=lambda: self.read_log(result.request_id))

    def read_log(self, request_id: str) -> tuple[LogLine, ...]:
        """The lines of this run in the function's log: by its request, else by the name under which it was sent.

        By which request S3 started the function, and which one a gateway made of a call, is only in the log.
        """
        lines = self.by.get_logs(request_id=request_id) if request_id else ()
        name = self.sent.last_name
        if lines or not name:
            return lines
        found = find_request(self.by.get_logs(request_id=pipeline_file(name) if self.way == "S3" else name))
        return self.by.get_logs(request_id=found) if found else ()

    def _check_same(self, place: Place) -> None:
        if self.left_off and self.sent.place != place:
            raise InvalidValueError(
                "The run was sent to another function",
                field="function_name",
                why=f"Its files are in the bucket {self.sent.place.bucket if self.sent.place else ''}.",
                next_step="Connect to the account of that function.",
            )
        self.sent.place = place

    def _run(self, request: Request, told: dict[str, Any]) -> Result:
        if self.way == "eval":
            return run_pipeline(self.by.account, request=request, **told)
        if self.way == "async":
            return send_pipeline(self.by.account, request=request, **told)
        if not told["place"].input:
            raise InvalidValueError(
                "The function has no S3 trigger",
                field="way",
                next_step='Build it with function_triggers=["eval", "S3"].',
            )
        told.pop("function_name")
        return trigger_pipeline(self.by.account, request, **told)
