"""When AWS denies something: the policy that would permit it, to send to an administrator."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from podpac_lambda_widgets.errors import AccessDeniedError, PodpacLambdaError
from podpac_lambda_widgets.widgets.cards import is_caused_by, policy_to_ask_for
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.permissions import Purpose
    from podpac_lambda_widgets.widgets.backend import StackActions

T = TypeVar("T")


class PolicyAtHand:
    """Fetches the policy where something is denied, and adds it to the card that says so.

    Parameters
    ----------
    worker : Worker
        The policy is kept on its owner's thread.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        #: The policy as text; empty when nothing was denied.
        self.text = ""

    def permitted(self, stack: StackActions, purpose: Purpose, work: Callable[[], T]) -> T:
        """Do the work, on the worker's thread; where AWS denies it, have the policy at hand that would permit it."""
        try:
            return work()
        except PodpacLambdaError as error:
            if is_caused_by(error, AccessDeniedError):
                # The denial is what is to be shown, with or without the policy.
                with contextlib.suppress(PodpacLambdaError):
                    policy = json.dumps(stack.policy_for(purpose), indent=2)
                    self._worker.post(lambda: self._keep(policy))
            raise

    def _keep(self, policy: str) -> None:
        self.text = policy

    def forget(self) -> None:
        """Begin anew."""
        self.text = ""

    def add_to(self, card: dict[str, Any], error: PodpacLambdaError) -> dict[str, Any]:
        """The card, with the policy where the error is a denial and there is one."""
        if self.text and card and is_caused_by(error, AccessDeniedError):
            return {**card, **policy_to_ask_for(self.text)}
        return card
