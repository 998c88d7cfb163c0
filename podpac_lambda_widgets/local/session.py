"""The session that a user of the embedded AWS holds."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, NoReturn, Protocol, SupportsIndex

import boto3
import botocore.session
from botocore.config import Config

from podpac_lambda_widgets.secret import Secret


class Stoppable(Protocol):
    """What the session stops."""

    def stop(self) -> None:
        """End it; again is harmless."""


class LocalSession(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """A boto3 session whose clients speak to an embedded AWS.

    It is a context manager, and ends its emulator with :meth:`stop`. The user's own AWS configuration and environment
    play no part in it.

    Attributes
    ----------
    endpoint_url : str
        URL of the emulator, on loopback.
    """

    def __init__(self, emulator: Stoppable, endpoint_url: str, region_name: str, key_id: str, secret: Secret) -> None:
        nothing = (None, None, None, None)
        no_file = (None, None, os.devnull, None)
        isolated = {"profile": nothing, "config_file": no_file, "credentials_file": no_file}
        super().__init__(
            aws_access_key_id=key_id,
            aws_secret_access_key=secret.reveal(),
            region_name=region_name,
            botocore_session=botocore.session.Session(session_vars=isolated),
        )
        self._emulator = emulator
        self.endpoint_url = endpoint_url

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a client as boto3 does; its endpoint is the emulator's unless one is given."""
        kwargs = self._with_endpoint(args, kwargs)
        client = super().client(service_name, *args, **kwargs)
        # The emulator lasts as long as somebody can speak to it.
        client._embedded_aws = self._emulator
        return client

    def resource(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a resource as boto3 does; its endpoint is the emulator's unless one is given."""
        return super().resource(service_name, *args, **self._with_endpoint(args, kwargs))

    def stop(self) -> None:
        """Stop the emulator and remove what it kept on disk. Again is harmless."""
        self._emulator.stop()

    def _with_endpoint(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        # Positional parameters after the service's name: region_name, api_version, use_ssl, verify, endpoint_url, ...
        given = kwargs.get("endpoint_url") or (args[4] if len(args) > 4 else None)
        if given is not None:
            return kwargs
        kwargs = kwargs if len(args) > 4 else {**kwargs, "endpoint_url": self.endpoint_url}
        # A proxy of the user's would be asked for loopback.
        direct = Config(proxies={})
        config = kwargs.get("config")
        return {**kwargs, "config": direct if config is None else direct.merge(config)}

    def __enter__(self) -> LocalSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"LocalSession(region_name={self.region_name!r}, endpoint_url={self.endpoint_url!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a LocalSession holds credentials and a process: it cannot be pickled or copied")
