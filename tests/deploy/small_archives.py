"""Archives that pass inspection and are as small as can be."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from archive_pair import Pair

from podpac_lambda_widgets.model.source import Source


def write_sources(make_folder: Callable[[str], Path], size: int = 0, **manifest: str) -> dict[str, Source]:
    """Two versions, ``one`` and ``two``, which differ in code and in dependencies; each of at least ``size`` bytes."""
    made = {}
    for version in ("one", "two"):
        pair = Pair(make_folder(version))
        pair.dist_changes, pair.dependencies_changes = dict(manifest), dict(manifest)
        pair.dist_files["version.py"] = pair.dependencies_files["version.py"] = version.encode()
        if size:
            noise = random.Random(version).randbytes(size)
            pair.dist_files["noise.bin"] = pair.dependencies_files["noise.bin"] = noise
        pair.write()
        made[version] = Source(function_source_dist_zip=pair.dist, function_source_dependencies_zip=pair.dependencies)
    return made
