"""What PODPAC's sources may reach while a checked request is evaluated.

The guard decides what a definition names. What is found there may name more: a server redirects, a file refers to other
files, an array is compressed by code. That is refused here, where it happens.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from podpac_lambda_widgets.remote.allowlist import PODPAC, may_ask_web
from podpac_lambda_widgets.remote.hdf5 import contained_files
from podpac_lambda_widgets.remote.locations import check_location
from podpac_lambda_widgets.remote.rasters import contained_rasters

#: numcodecs' codecs that make bytes into numbers or text. Of the others, ``pickle`` runs what is in the array.
ZARR_CODECS = frozenset({
    "adler32", "astype", "base64", "bitround", "blosc", "bz2", "categorize", "crc32", "delta", "fixedscaleoffset",
    "fletcher32", "gzip", "jenkins_lookup3", "lz4", "lzma", "packbits", "quantize", "shuffle", "vlen-bytes",
    "vlen-utf8", "zlib", "zstd",
})  # fmt: skip


@contextmanager
def limited_sources(pipeline: Mapping[str, Any], allowed_hosts: Collection[str]) -> Iterator[None]:
    """Hold the sources of a checked pipeline to what is allowed, and to what is there now.

    Those of podpac's classes and of what is derived from them. Their libraries are imported when a source is opened.

    Parameters
    ----------
    pipeline : mapping
    allowed_hosts : collection of str
        Hosts that may be asked, redirects included.
    """
    nodes = [node for node in pipeline.values() if isinstance(node, Mapping)]
    if any(map(_is_in_a_bucket, nodes)):
        _forget_listings()
    # Importing requests takes longer than most evaluations, and most nodes have no way to ask.
    may_ask = any(may_ask_web(node.get("plugin", PODPAC), node["node"]) for node in nodes)
    web = _limited_requests(allowed_hosts) if may_ask else nullcontext()
    with contained_rasters(), contained_files(), _contained_arrays(), web:
        yield


def _is_in_a_bucket(node: Mapping[str, Any]) -> bool:
    return str(node.get("attrs", {}).get("source", "")).startswith("s3://")


@contextmanager
def _contained_arrays() -> Iterator[None]:
    """Let podpac's ``Zarr`` decode values only."""
    source: Any = importlib.import_module("podpac.core.data.zarr_source").Zarr
    find_store = source._get_store

    def find_store_of_values(self: Any) -> Any:
        _keep_codecs()
        return find_store(self)

    source._get_store = find_store_of_values
    try:
        yield
    finally:
        source._get_store = find_store


@cache
def _keep_codecs() -> None:
    """Take all codecs but ``ZARR_CODECS`` from numcodecs, for the life of the process."""
    registry: Any = importlib.import_module("numcodecs.registry")
    # Others that installed packages announce, and that numcodecs loads when an array names one.
    registry.entries.clear()
    for name in registry.codec_registry.keys() - ZARR_CODECS:
        del registry.codec_registry[name]


def _forget_listings() -> None:
    """Let s3fs ask what is in a folder each time: an object may have come since the last request."""
    try:
        config: Any = importlib.import_module("fsspec.config")
    except ImportError:
        # Left out of the archives, and s3fs with it: what needs it says so.
        return
    config.conf.setdefault("s3", {})["use_listings_cache"] = False


@contextmanager
def _limited_requests(allowed_hosts: Collection[str]) -> Iterator[None]:
    session: Any = importlib.import_module("requests").Session
    send = session.send

    def send_if_allowed(self: Any, request: Any, **options: Any) -> Any:
        # requests comes here again for each redirect.
        check_location(request.url, (), allowed_hosts, "an address that the source led to")
        return send(self, request, **options)

    session.send = send_if_allowed
    try:
        yield
    finally:
        session.send = send
