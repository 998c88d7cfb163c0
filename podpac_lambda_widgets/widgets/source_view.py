"""Archives as the Package form shows them: what they are, how much of each limit they take, what has to be mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets import limits

if TYPE_CHECKING:
    from podpac_lambda_widgets.errors import ArchiveError
    from podpac_lambda_widgets.packaging.archive import Package
    from podpac_lambda_widgets.packaging.finding import FoundArchive
    from podpac_lambda_widgets.widgets.fields import Choice


def package_facts(package: Package, storage: int = limits.EPHEMERAL_STORAGE_MB[0]) -> list[list[Any]]:
    """What there is to know of the archives: term, value, and for a bar the share of Lambda's limit.

    Parameters
    ----------
    package : Package
    storage : int
        The function's ``/tmp``, MB.
    """
    dist, dependencies = package.dist, package.dependencies
    facts: list[list[Any]] = []
    if dist.manifest is not None:
        facts.append(["Built for", f"{dist.manifest.runtime}, {dist.manifest.architecture}"])
        facts.append(["podpac", dist.manifest.podpac_version])
        ours, theirs = len(dist.manifest.provides), len(dist.manifest.dependencies_provides)
        facts.append(["Packages", f"{ours} in the code, {theirs} on demand"])
    else:
        facts.append(["Built by", "something else: only its files can be checked"])
    way = "sent in the call itself" if dist.fits_direct_upload else "goes through the bucket"
    facts.append(["Distribution", f"{_megabytes(dist.size)} zipped, {way}"])
    facts.append(["Dependencies", f"{_megabytes(dependencies.size)} zipped"])
    facts.append(_share("Code, extracted", dist.unzipped_size, limits.UNZIPPED_CODE_BYTES))
    needed = dependencies.size + dependencies.unzipped_size
    facts.append(_share("Dependencies in storage", needed, storage * limits.MEGABYTE))
    return facts


def _share(term: str, size: int, limit: int) -> list[Any]:
    over = ": too large" if size > limit else ""
    return [term, f"{size / limits.MEGABYTE:,.0f} of {_megabytes(limit)}{over}", size / limit]


def _megabytes(size: int) -> str:
    return f"{size / limits.MEGABYTE:,.0f} MB"


def problems_table(problems: Sequence[ArchiveError]) -> dict[str, Any]:
    """What stands in the way of using the archives, each with its cure; empty when nothing does."""
    if not problems:
        return {}
    count = len(problems)
    return {
        "caption": f"{count} thing{'s' if count > 1 else ''} to mend before Lambda can use them",
        "columns": ["", "Archive", "Problem", "What to do"],
        "rows": [
            {
                "tone": "refuse",
                "cells": [
                    "! mend",
                    Path(each.resource).name,
                    [text for text in (each.what, each.why) if text],
                    each.next_step,
                ],
            }
            for each in problems
        ],
    }


def find_pairs(found: Iterable[FoundArchive]) -> dict[str, tuple[FoundArchive, FoundArchive]]:
    """The folders that have both archives under their own names, with the two."""
    by_path = {each.path: each for each in found}
    return {
        str(path.parent): (each, by_path[path.with_name("podpac_deps.zip")])
        for path, each in by_path.items()
        if path.name == "podpac_dist.zip" and path.with_name("podpac_deps.zip") in by_path
    }


def pair_choices(pairs: dict[str, tuple[FoundArchive, FoundArchive]]) -> list[Choice]:
    """The pairs, as (folder, what a person reads)."""
    told = [
        (folder, f"{folder} · {' + '.join(_megabytes(each.size) for each in pair)}") for folder, pair in pairs.items()
    ]
    first = "Choose a folder with both archives" if told else "No folder below this notebook has both archives"
    return [("", first), *told]


def file_choices(found: Iterable[FoundArchive]) -> list[Choice]:
    """The zip files, as (path, what a person reads)."""
    return [(str(each.path), f"{each.path} · {_megabytes(each.size)}") for each in found]
