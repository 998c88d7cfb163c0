"""Archives made by hand, handed to the tests that break them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archive_pair import Pair, library, manifest_of, write_zip

from podpac_lambda_widgets.packaging.manifest import Manifest


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two good archives."""
    return Pair(tmp_path)


@pytest.fixture
def make_library() -> Callable[..., bytes]:
    """Makes the smallest ELF file for a machine number."""
    return library


@pytest.fixture
def make_manifest() -> Callable[..., Manifest]:
    """Makes a manifest that fits some files."""
    return manifest_of


@pytest.fixture
def make_zip() -> Callable[..., Path]:
    """Writes a zip of some files."""
    return write_zip
