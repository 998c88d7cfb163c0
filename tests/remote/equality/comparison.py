"""Whether an answer of the function is what ``node.eval`` gives here, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import podpac


def as_text(found: Any) -> dict[str, Any]:
    """Attributes, with PODPAC's own objects as the text they are made from."""
    attrs = dict(found.attrs)
    if "units" in attrs:
        attrs["units"] = podpac.units.Unit(str(attrs["units"]))
    if not isinstance(attrs["layer_style"], str):
        attrs["layer_style"] = attrs["layer_style"].json
    return attrs


def assert_same(found: Any, expected: Any) -> None:
    """Compare values, types, dimensions, coordinates and attributes; nothing may differ."""
    assert found.dims == expected.dims
    assert found.dtype == expected.dtype
    assert np.ascontiguousarray(found.values).tobytes() == np.ascontiguousarray(expected.values).tobytes()
    assert list(found.coords) == list(expected.coords)
    for key in expected.coords:
        assert found.coords[key].dtype == expected.coords[key].dtype, key
        assert found.coords[key].dims == expected.coords[key].dims, key
        assert np.array_equal(found.coords[key].values, expected.coords[key].values), key
    assert set(found.indexes) == set(expected.indexes)
    assert as_text(found) == as_text(expected)
    assert as_text(podpac.UnitsDataArray(found)) == as_text(expected)
