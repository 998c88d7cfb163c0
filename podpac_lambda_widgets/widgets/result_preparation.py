"""A result, made ready to be shown: measured and described, where nobody waits for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podpac_lambda_widgets.widgets.result_origin import describe_origin, origin_attrs
from podpac_lambda_widgets.widgets.texts import data_size

if TYPE_CHECKING:
    import xarray as xr

    from podpac_lambda_widgets.engine.capacity import Way
    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.errors import PodpacLambdaError
    from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
    from podpac_lambda_widgets.model.pipeline import Pipeline
    from podpac_lambda_widgets.plots.slices import Slices


@dataclass(frozen=True)
class Asked:
    """What a run was asked for.

    Parameters
    ----------
    pipeline, coordinates, way
        As for :meth:`podpac_lambda_widgets.engine.invoking.Invoking.submit`.
    """

    pipeline: Pipeline
    coordinates: CoordinatesDefinition
    way: Way


@dataclass(eq=False)
class ZarrLink:
    """A result as Zarr in the bucket.

    Parameters
    ----------
    address : str
        Where it lies, ``s3://bucket/key``; empty as long as it does not.
    write : callable, optional
        Has it written there, and tells the address or the error; None where there is no function that could.
    """

    address: str = ""
    write: Callable[[Callable[[str, PodpacLambdaError | None], None]], object] | None = None


@dataclass(frozen=True)
class Shown:
    """A result, made ready to be shown.

    Parameters
    ----------
    result : Result or None
        The result itself; None for an array that no function has made.
    array : xarray.DataArray
        Its array, named, with where it comes from among its attributes.
    slices : Slices or None
        The array as it can be drawn; None where it cannot.
    sentence : str
        Why it cannot be drawn; else empty.
    alt : str
        The picture in words.
    facts : list of (term, value)
        Its numbers.
    origin : mapping of str to str
        Where it comes from.
    name : str
        What the file is called, without its ending.
    zarr : ZarrLink
    asked : Asked or None
        Of which run it is the result, where that is known.
    """

    result: Result | None
    array: xr.DataArray
    slices: Slices | None
    sentence: str
    alt: str
    facts: list[list[str]]
    origin: Mapping[str, str]
    name: str
    zarr: ZarrLink = field(default_factory=ZarrLink)
    asked: Asked | None = None
    arrived: datetime = field(default_factory=lambda: datetime.now(UTC))


def prepare_result(
    name: str,
    result: Result,
    provenance: Mapping[str, str],
    *,
    asked: Asked | None = None,
    zarr: ZarrLink | None = None,
) -> Shown:
    """Measure and describe a result. May take a second: not for the kernel's main thread.

    Parameters
    ----------
    name : str
        What the result is called where the array has no name.
    result : Result
        What came back.
    provenance : mapping of str to str
        Term and value of where it was run.
    asked : Asked, optional
        Of which run it is the result.
    zarr : ZarrLink, optional
        Where it lies in the bucket as Zarr, or what writes it there.
    """
    now = datetime.now(UTC)
    origin = describe_origin(result, provenance, asked.pipeline.json if asked else "", now)
    shown = prepare_array(name, result.array.assign_attrs(origin_attrs(origin)))
    return replace(shown, result=result, origin=origin, zarr=zarr or ZarrLink(result.zarr), asked=asked, arrived=now)


def prepare_array(name: str, array: xr.DataArray) -> Shown:
    """Measure and describe an array, wherever it comes from. May take a second."""
    from podpac_lambda_widgets import plots
    from podpac_lambda_widgets.plots.slices import Slices

    array = array if array.name else array.rename(name)
    sentence = plots.undrawable(array)
    slices = None if sentence else Slices(array)
    if slices is not None:
        # Measured here, where nobody waits for it.
        _ = slices.statistics, slices.classes, slices.has_infinite
    facts = [*plots.describe(array), ["Size", data_size(array.nbytes)]]
    return Shown(None, array, slices, sentence, plots.describe_in_words(array), facts, {}, _file_name(str(array.name)))


def _file_name(name: str) -> str:
    """A name without what some system does not take in a file's name."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "result"
