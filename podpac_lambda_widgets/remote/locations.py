"""Where data may come from: buckets and hosts the operator named, nothing else.

PODPAC opens whatever a definition names, local files included, and in Lambda ``/proc/self/environ`` holds the
role's credentials.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from podpac_lambda_widgets.errors import PipelineRejectedError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z][a-z0-9-]{1,62}", re.ASCII)
_SAFE = re.compile(r"[A-Za-z0-9/_.,:;=+@()!*'&%? -]*", re.ASCII)
#: Names that lead to the machine itself or to its cloud's metadata.
_LOCAL_NAMES = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")


def check_location(value: object, buckets: Collection[str], hosts: Collection[str], where: str) -> None:
    """Check the source of a node that reads files.

    Parameters
    ----------
    value : object
        ``s3://bucket/key`` or ``https://host/path``.
    buckets, hosts : collection of str
        Exact names that are allowed.
    where : str
        The place in the definition, for the error.

    Raises
    ------
    PipelineRejectedError
    """
    if not isinstance(value, str) or not value:
        _refuse(where, "it is not text")
    if not _SAFE.fullmatch(value):
        _refuse(where, "it has characters that no address needs")
    if value.startswith("s3://"):
        _check_s3(value, buckets, where)
    elif value.startswith("https://"):
        _check_https(value, hosts, where)
    else:
        _refuse(where, "only s3:// and https:// are read; local files are not")


def check_bucket_location(value: object, buckets: Collection[str], where: str) -> None:
    """Check the source of a node whose library follows redirects that cannot be held: ``s3://bucket/key`` only.

    Raises
    ------
    PipelineRejectedError
    """
    if isinstance(value, str) and value.startswith("https://"):
        _refuse(where, "this node reads s3:// only, because its library follows a redirect to any host")
    check_location(value, buckets, (), where)


def check_zarr_location(value: object, buckets: Collection[str], where: str) -> None:
    """Check the source of ``Zarr``, which podpac 4.0.1 opens at ``source.strip("s3://")``.

    That takes the letters ``s3:/`` from both ends: of ``s3://soil/x`` it reads the bucket ``oil``.

    Raises
    ------
    PipelineRejectedError
    """
    check_bucket_location(value, buckets, where)
    if isinstance(value, str) and value.strip("s3://") != value.removeprefix("s3://"):  # noqa: B005 - what podpac does
        _refuse(
            where,
            f"podpac would read {value.strip('s3:/')[:100]} instead: it takes the characters s, 3 and / from the ends",
            next_step="Put the data where the bucket begins, and the key ends, with another character",
        )


def _check_s3(value: str, buckets: Collection[str], where: str) -> None:
    bucket, _, key = value.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket) or bucket not in buckets:
        _refuse(where, f"the bucket {bucket[:63]} is not one of {_listed(buckets)}", "FUNCTION_ALLOWED_BUCKETS")
    if not key or any(part in (".", "..") for part in unquote(key).split("/")) or "?" in key or "%" in key:
        _refuse(where, "the key has a part that is not a plain name")


def _check_https(value: str, hosts: Collection[str], where: str) -> None:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        _refuse(where, "it is not a URL")
    host = parts.hostname or ""
    if "@" in parts.netloc or port not in (None, 443):
        _refuse(where, "a URL with a user name, a password or a port of its own")
    if _is_address(host) or not _HOST.fullmatch(host) or host.endswith(_LOCAL_NAMES) or host not in hosts:
        _refuse(where, f"the host {host[:63]} is not one of {_listed(hosts)}", "FUNCTION_ALLOWED_HOSTS")
    if any(part == ".." for part in unquote(parts.path).split("/")):
        _refuse(where, "the path has a part that is not a plain name")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # 127.1, 0x7f000001, 017700000001: what the C library also takes for an address.
        return all(re.fullmatch(r"0[xX][0-9a-fA-F]*|[0-9]*", part) for part in host.split("."))
    return True


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "those allowed (there are none)"


def _refuse(
    where: str, why: str, variable: str = "", next_step: str = "Put the data into an allowed bucket"
) -> NoReturn:
    step = f"Add it to {variable} and build again" if variable else next_step
    raise PipelineRejectedError("The data source is not allowed", resource=where, why=why, next_step=step)
