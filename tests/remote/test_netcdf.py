"""Encoding a result loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.remote.netcdf import decode_array, encode_array

shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)
dtypes = st.sampled_from(
    [
        "f8",
        "f4",
        "f2",
        ">f8",
        "i1",
        "i2",
        "i4",
        "i8",
        "u1",
        "u2",
        "u4",
        "u8",
        "?",
        "M8[s]",
        "M8[ms]",
        "M8[us]",
        "M8[ns]",
        "m8[s]",
        "m8[ns]",
    ]
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


#: Attributes that readers of netCDF act on, or that its libraries keep for themselves.
acted_on = st.dictionaries(
    st.sampled_from(
        ["scale_factor", "add_offset", "missing_value", "_FillValue", "_Unsigned", "dtype", "coordinates", "calendar",
        "valid_min", "valid_max", "valid_range", "units", "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_x",
        "grid_mapping", "bounds", "formula_terms"]
    ),
    st.sampled_from([2.0, 5, 1.0, -1, "true", "bool", "days since 2000-01-01", "days", "d0", float("nan"), (0.0, 1.0)]),
    max_size=3,
).map(lambda attrs: attrs | ({"units": str(attrs["units"])} if "units" in attrs else {}))  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn) -> xr.DataArray:
    dtype = np.dtype(draw(dtypes))
    elements = None
    if dtype.kind in "Mm":
        most = 2**31 if draw(st.booleans()) else 2**61
        # xarray holds dates of a resolution as far as pandas does.
        most = min(most, 200_000_000_000) if dtype.str.endswith("[s]") else most
        most = min(most, 200_000_000_000_000) if dtype.str.endswith("[ms]") else most
        elements = st.integers(-most, most).map(lambda number: np.asarray(number).astype(dtype)[()])
    shape = draw(shapes)
    data = draw(hnp.arrays(dtype, shape, elements=elements))
    dims = [f"d{number}" for number in range(len(shape))]
    coords: dict[str, Any] = {}
    for dim, size in zip(dims, shape, strict=True):
        kind = draw(st.sampled_from(["none", "float", "text", "object", "time", "int"]))
        if kind == "float":
            coords[dim] = np.linspace(0.1, 1 / 3, size)
        elif kind in ("text", "object"):
            coords[dim] = np.array(
                draw(st.lists(texts, min_size=size, max_size=size)), "O" if kind == "object" else "U"
            )
        elif kind == "time":
            coords[dim] = np.datetime64("1969-12-31T23:59:59", "s") + np.arange(size)
        elif kind == "int":
            coords[dim] = np.arange(size) * draw(st.sampled_from([1, 2**40]))
    attrs = draw(
        st.dictionaries(
            st.sampled_from(["a", "units", "b", "geotransform"]),
            st.sampled_from([1, 2.5, "m", (1.0, 2.0), {"x": (1, None)}, [True], "ä"]),
        )
    )
    attrs.pop("units", None)
    attrs |= draw(acted_on)
    array = xr.DataArray(data, coords=coords, dims=dims, attrs=attrs, name=draw(st.sampled_from([None, "x", "d0"])))
    for coord in array.coords.values():
        coord.attrs = draw(acted_on | st.just({"units": "degrees_north", "axis": "Y", "clim": (0.0, None)}))
    return array


def assert_same(found: xr.DataArray, expected: xr.DataArray) -> None:
    assert found.dims == expected.dims
    assert found.name == expected.name
    assert repr(found.attrs) == repr(expected.attrs)
    assert list(found.coords) == list(expected.coords)
    for left, right in [(found, expected), *((found[name], expected[name]) for name in expected.coords)]:
        assert repr(left.attrs) == repr(right.attrs)
        assert left.dtype == right.dtype.newbyteorder("=")
        if left.dtype.kind == "O":
            assert left.values.tolist() == right.values.tolist()
        else:
            assert left.values.tobytes() == right.values.astype(left.dtype).tobytes()


@settings(max_examples=300)
@given(arrays())
def test_decoding_gives_back_what_was_encoded(array: xr.DataArray) -> None:
    before = array.copy(deep=True)
    body, format_ = encode_array(array)
    assert body[:3] == (b"CDF" if format_ == "netcdf3" else b"\x89HD")
    assert_same(decode_array(body), array)
    xr.testing.assert_identical(array, before)


@pytest.mark.parametrize("bits", [0x7FF8000000000001, 0xFFF8000000000000, 0x7FF0000000000000, 0x8000000000000000, 1])
def test_not_a_number_keeps_its_bits(bits: int) -> None:
    values = np.array([bits], "u8").view("f8")
    assert decode_array(encode_array(xr.DataArray(values, dims="x"))[0]).values.tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("values", "format_"),
    [
        (np.zeros(3), "netcdf3"),
        (np.array([2**31 - 1, -(2**31)]), "netcdf3"),
        (np.array([2**31]), "netcdf4"),
        (np.array([2**64 - 1], "u8"), "netcdf4"),
        (np.array([True]), "netcdf3"),
        (np.array(["2018-01-01", "2080-01-01"], "M8[s]"), "netcdf3"),
        (np.array(["2018-01-01", "2180-01-01"], "M8[s]"), "netcdf4"),
        (np.array(["2018-01-01T00:00:00.000000001"], "M8[ns]"), "netcdf3"),
        (np.array(["2018-01-01", "2018-01-02"], "M8[ns]"), "netcdf4"),
    ],
)
def test_netcdf_4_is_used_only_for_what_netcdf_3_cannot_hold(
    values: np.ndarray[tuple[int], np.dtype[np.generic]], format_: str
) -> None:
    assert encode_array(xr.DataArray(values, dims="x"))[1] == format_


@pytest.mark.parametrize(
    "array",
    [
        xr.DataArray(np.array([1j]), dims="x"),
        xr.DataArray(np.array([object()]), dims="x"),
        xr.DataArray(np.array(["NaT"], "M8[s]"), dims="x"),
        xr.DataArray(np.array(["a\0b"], object), dims="x"),
        xr.DataArray([1.0], dims="x", attrs={"a": object()}),
        xr.DataArray(np.zeros(2, "f16"), dims="x"),
    ],
)
def test_what_netcdf_cannot_hold_is_a_typed_error(array: xr.DataArray) -> None:
    with pytest.raises(ResultError):
        encode_array(array)


@pytest.mark.parametrize("body", [b"", b"CDF", b"CDF\x02" + b"\0" * 100, b"\x89HDF\r\n\x1a\n" + b"\0" * 100, b"text"])
def test_what_is_not_a_result_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(ResultError):
        decode_array(body)


def test_a_file_of_somebody_else_is_a_typed_error() -> None:
    body = bytes(xr.Dataset({"x": ("y", [1.0])}).to_netcdf(engine="scipy"))
    with pytest.raises(ResultError):
        decode_array(body)


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "1",
        "{}",
        '{"variables": 1}',
        '{"variables": {"x": {"dims": [], "dtype": "f8"}}}',
        "{",
        '"text"',
        "null",
    ],
)
def test_a_file_with_another_record_is_a_typed_error(record: str) -> None:
    body = bytes(xr.Dataset({"x": ("y", [1.0])}, attrs={"podpac_lambda_widgets": record}).to_netcdf(engine="scipy"))
    with pytest.raises(ResultError):
        decode_array(body)


@pytest.mark.parametrize(
    "value",
    [
        np.float32(np.nan),
        np.array([[1, 2]], ">i2"),
        np.datetime64("NaT", "D"),
        -0.0,
        np.str_("a"),
        1j,
        b"a",
        (None, ["a"]),
    ],
)
def test_an_attribute_keeps_its_type(value: object) -> None:
    found = decode_array(encode_array(xr.DataArray([1.0], dims="x", attrs={"a": value}))[0]).attrs["a"]
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_podpacs_own_reader_gives_the_same_values_whatever_the_attributes() -> None:
    podpac = pytest.importorskip("podpac")
    attrs = {"scale_factor": 2.0, "add_offset": 5.0, "missing_value": 1.0, "_FillValue": 2.0, "dtype": "bool", "a": "b"}
    array = xr.DataArray(np.arange(4.0), dims="lat", coords={"lat": np.arange(4.0)}, attrs=attrs)
    for for_podpac in (False, True):
        found = podpac.UnitsDataArray.open(encode_array(array, for_podpac=for_podpac)[0])
        assert found.values.tolist() == [0.0, 1.0, 2.0, 3.0]
        assert found.attrs["a"] == "b"


def test_stacked_coordinates_come_back_stacked() -> None:
    array = xr.DataArray(
        np.arange(6.0).reshape(2, 3),
        dims=("time", "lat_lon"),
        coords={"time": [1, 2], "lat": ("lat_lon", [1.0, 2.0, 3.0]), "lon": ("lat_lon", [4.0, 5.0, 6.0])},
    ).set_index(lat_lon=["lat", "lon"])
    array.coords["time"].attrs = {"scale_factor": 2.0}
    array.coords["lat"].attrs = {"units": "degrees_north"}
    array.coords["lat_lon"].attrs = {"long_name": "place"}
    found = decode_array(encode_array(array)[0])
    assert found.identical(array)
    assert list(found.coords) == list(array.coords)
    assert found.indexes["lat_lon"].equals(array.indexes["lat_lon"])
