"""boto3's clients for one session, made when they are needed."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from podpac_lambda_widgets.aws.patience import Patience
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import CONNECT_TIMEOUT, READ_TIMEOUT
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import InvalidValueError

_USER_AGENT = "podpac-lambda-widgets"


class Clients:
    """Gives clients by the service's name; safe to use from several threads.

    Parameters
    ----------
    session : boto3.Session
    clock : Clock
        Tells for how long AWS has been busy.
    """

    def __init__(self, session: boto3.Session, clock: Clock) -> None:
        self._session = session
        self._patience = Patience(clock)
        self._made: dict[tuple[str, float, int], Any] = {}
        # boto3 sessions are not safe to use from several threads; the clients they make are.
        self._lock = threading.Lock()

    def __call__(self, service: str, read_timeout: float = READ_TIMEOUT, attempts: int = 5) -> Any:
        """A client that waits ``read_timeout`` seconds for an answer and tries ``attempts`` times."""
        with self._lock:
            key = (service, read_timeout, attempts)
            if key not in self._made:
                config = Config(
                    read_timeout=read_timeout,
                    connect_timeout=CONNECT_TIMEOUT,
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    tcp_keepalive=True,
                    user_agent_extra=_USER_AGENT,
                )
                client = self._open(service, config)
                if attempts > 1:
                    client.meta.events.register_first("needs-retry", self._patience)
                self._made[key] = client
            return self._made[key]

    def _open(self, service: str, config: Config) -> Any:
        with asking(f"Opening {service}"):
            try:
                return self._session.client(service, config=config)
            except ValueError as error:
                if "endpoint" not in str(error).lower():
                    raise
                raise InvalidValueError(
                    "The endpoint is not an address",
                    field="AWS_ENDPOINT_URL",
                    why=str(error),
                    next_step="Correct it in the environment or in the profile, such as https://host:port.",
                ) from None
