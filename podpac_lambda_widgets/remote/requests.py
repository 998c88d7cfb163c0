"""Requests of either client: ours, and PODPAC's own ``podpac.managers.aws.Lambda``."""

from __future__ import annotations

from collections.abc import Mapping

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.outputs import Encoding, encoding_of
from podpac_lambda_widgets.remote.plain import check_plain, parse_json, require_mapping
from podpac_lambda_widgets.remote.wire import Request, decode_request, is_ours

_KEYS = {"pipeline", "output", "coordinates", "settings"}


def read_json(text: str | bytes) -> object:
    """Parse the JSON of either client; PODPAC's has NaN.

    Raises
    ------
    InvalidPipelineError
        See :func:`podpac_lambda_widgets.remote.plain.parse_json`.
    """
    try:
        return parse_json(text, finite=False)
    except InvalidPipelineError:
        raise
    except ValueError:
        # Python's own limit on the digits of an integer.
        raise InvalidPipelineError("An integer is too large", why="it has thousands of digits") from None


def read_request(document: object) -> tuple[Request, Encoding]:
    """Read a request of our own client or of PODPAC's, and how it wants its result.

    Raises
    ------
    PipelineRejectedError
        It is neither.
    InvalidPipelineError
        Not plain JSON data.
    """
    found = require_mapping(document, "The request")
    request = decode_request(found) if is_ours(found) else read_legacy_request(found)
    encoding = encoding_of(request.output)
    return request, "podpac" if encoding == "netcdf" and not is_ours(found) else encoding


def read_legacy_request(event: Mapping[str, object]) -> Request:
    """Read a request of PODPAC's client, whose settings hold the caller's secrets.

    Raises
    ------
    PipelineRejectedError
        It is something else.
    InvalidPipelineError
        Not plain JSON data.
    """
    if not {"pipeline", "coordinates"} <= event.keys() or event.keys() - _KEYS:
        raise PipelineRejectedError(
            "The event is not a request", why="it is neither of this package's client nor of podpac.managers.aws.Lambda"
        )
    check_plain(event["pipeline"], "pipeline", finite=False)
    check_plain(event["coordinates"], "coordinates")
    output = require_mapping(event.get("output") or {}, "The output")
    settings = require_mapping(event.get("settings") or {}, "The settings")
    return Request(
        pipeline=require_mapping(event["pipeline"], "The pipeline"),
        coordinates=require_mapping(event["coordinates"], "The coordinates definition"),
        output={"format": output.get("format", "netcdf")},
        settings=guard.harmless(settings),
    )
