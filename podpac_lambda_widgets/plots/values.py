"""The values of an array: as numbers that can be drawn, as statistics, and in words."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

#: What xarray takes for robust limits: percentiles.
ROBUST = (2.0, 98.0)
#: Kinds of value that can be drawn: truth, integers, floats, complex numbers, times.
_NUMERIC = "biufcmM"
#: Percentiles of more values than this are those of so many, taken evenly: 0.1 % is more than an eye sees.
_SAMPLE = 2_000_000
_CHUNK = 1_000_000


@dataclass(frozen=True)
class Statistics:
    """What is known of the values that are there, in the array's units; complex ones by their magnitude.

    Times are milliseconds since 1970, spans of time seconds. ``low`` and ``high`` are the 2nd and the 98th percentile.
    """

    count: int
    missing: int
    minimum: float
    maximum: float
    mean: float
    deviation: float
    median: float
    low: float
    high: float


def numbers_of(raw: Any) -> Any:
    """Values as floats that can be drawn, NaN where there is none.

    Parameters
    ----------
    raw : numpy.ndarray
        Truth, integers, floats, complex numbers (their magnitude is taken), times (milliseconds since 1970) or spans of
        time (seconds).
    """
    kind = raw.dtype.kind
    if kind == "c":
        raw = np.abs(raw)
    elif kind == "M":
        raw = np.where(np.isnat(raw), np.nan, (raw - np.datetime64(0, "ms")) / np.timedelta64(1, "ms"))
    elif kind == "m":
        raw = np.where(np.isnat(raw), np.nan, raw / np.timedelta64(1, "s"))
    numbers = raw if raw.dtype in (np.float32, np.float64) else raw.astype(float)
    return numbers if np.isfinite(numbers).all() else np.where(np.isfinite(numbers), numbers, np.nan)


def measure(array: xr.DataArray) -> Statistics | None:
    """Statistics of an array; None where it has no number at all."""
    if array.dtype.kind not in _NUMERIC or not array.size:
        return None
    numbers = numbers_of(np.asarray(array.values)).ravel()
    count, mean, squares = 0, 0.0, 0.0
    low, high = np.inf, -np.inf
    for start in range(0, numbers.size, _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        chunk = chunk[np.isfinite(chunk)].astype(float)
        if not chunk.size:
            continue
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
        # Chan, Golub, LeVeque (1979): means and squares of parts, joined without loss of digits.
        with np.errstate(over="ignore", invalid="ignore"):
            own = float(chunk.mean())
            step, total = own - mean, count + chunk.size
            squares += (
                float(((chunk - own) ** 2).sum()) + step**2 * count * chunk.size / total
                if count
                else float(((chunk - own) ** 2).sum())
            )
            mean += step * chunk.size / total
        count = total
    if not count:
        return None
    sample = numbers[:: max(1, numbers.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    with np.errstate(over="ignore", invalid="ignore"):
        robust_low, median, robust_high = np.percentile(
            sample if sample.size else [low, high], [ROBUST[0], 50, ROBUST[1]]
        )
    return Statistics(
        count=count,
        missing=numbers.size - count,
        minimum=low,
        maximum=high,
        mean=mean,
        deviation=float(np.sqrt(squares / count)),
        median=float(median),
        low=float(robust_low),
        high=float(robust_high),
    )


def spread(low: float, high: float) -> tuple[float, float]:
    """Limits of colours: the two values, or a little around them where they are one."""
    if low < high:
        return low, high
    margin = abs(low) * 0.05 or 0.5
    return low - margin, low + margin


def undrawable(array: xr.DataArray) -> str:
    """Why an array has nothing that could be drawn, as a sentence; empty when it has."""
    if array.size == 0:
        empty = ", ".join(str(name) for name, size in array.sizes.items() if size == 0)
        return f"The result has no values: {empty} has no points."
    if array.dtype.kind not in _NUMERIC:
        return f"The result holds {array.dtype} values, which are no numbers."
    if not _any_number(array):
        return "Every value of the result is missing (NaN). Is there data at these coordinates?"
    return ""


def title_of(array: xr.DataArray) -> str:
    """The array's name and where its dimensions of size one stand."""
    fixed = [
        f"{name} = {text_of(array[name].values[0])}"
        for name, size in array.sizes.items()
        if size == 1 and name in array.coords
    ]
    name = str(array.name) if array.name is not None else ""
    return textwrap.shorten(" · ".join([name, *fixed] if name else fixed), 90, placeholder=" …")


def units_of(array: xr.DataArray) -> str:
    """The array's units as text, empty where it has none."""
    return str(array.attrs.get("units") or ("s" if array.dtype.kind == "m" else ""))


def value_label(array: xr.DataArray) -> str:
    """What the values are, with their units."""
    name = str(array.attrs.get("long_name") or array.name or "value")
    if array.dtype.kind == "c":
        name = f"|{name}|"
    units = units_of(array)
    return textwrap.shorten(f"{name} ({units})" if units else name, 60, placeholder=" …")


def describe(array: xr.DataArray) -> list[list[str]]:
    """Term and value of what there is to know: shape, units, statistics."""
    facts = [["Shape", " × ".join(f"{size:,} {name}" for name, size in array.sizes.items()) or "one value"]]
    facts.append(["Units", units_of(array) or "none"])
    found = measure(array)
    kind = array.dtype.kind
    if found and kind == "M":
        facts += [["First", _time_text(found.minimum)], ["Last", _time_text(found.maximum)]]
    elif found:
        named = {
            "Minimum": found.minimum,
            "Mean": found.mean,
            "Median": found.median,
            "Maximum": found.maximum,
            "Standard deviation": found.deviation,
        }
        of = " of |value|" if kind == "c" else ""
        facts += [[term + of, text_of(value)] for term, value in named.items()]
    missing = found.missing if found else array.size
    if missing and kind in "fcmM":
        facts.append(["Missing values", f"{missing:,} of {array.size:,}"])
    return facts


def describe_in_words(array: xr.DataArray) -> str:
    """The plot in a sentence, for those who do not see it."""
    sentence = undrawable(array)
    if sentence:
        return sentence
    found = measure(array)
    dims = [dim for dim, size in array.sizes.items() if size > 1]
    kind = ("Single value", "Line plot", "Map")[min(len(dims), 2)]
    over = f" over {_enumerate(dims)}" if dims else ""
    words = _time_text if array.dtype.kind == "M" else text_of
    span = f", from {words(found.minimum)} to {words(found.maximum)}" if found else ""
    units = f" {units_of(array)}" if units_of(array) else ""
    return f"{kind} of {title_of(array) or 'the result'}{over}{span}{units}."


def text_of(value: Any) -> str:
    """One value for people."""
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            return "missing"
        return str(np.datetime_as_string(value, unit="s")).removesuffix("T00:00:00").replace("T", " ")
    if isinstance(value, np.timedelta64):
        return "missing" if np.isnat(value) else f"{value / np.timedelta64(1, 's'):.6g}"
    if isinstance(value, float | np.floating):
        return "missing" if np.isnan(value) else f"{value:.6g}"
    if isinstance(value, complex | np.complexfloating):
        return f"{value:.6g}"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(text_of(each) for each in value)
    return str(value)


def _time_text(milliseconds: float) -> str:
    return text_of(np.datetime64(round(milliseconds), "ms"))


def _enumerate(names: list[Any]) -> str:
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _any_number(array: xr.DataArray) -> bool:
    raw = np.asarray(array.values).ravel()
    if raw.dtype.kind in "biu":
        return True
    for start in range(0, raw.size, _CHUNK):
        chunk = raw[start : start + _CHUNK]
        if not (np.isnat(chunk) if chunk.dtype.kind in "mM" else ~np.isfinite(chunk)).all():
            return True
    return False
