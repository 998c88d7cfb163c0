"""The encoding for our own client: every bit comes back, and nothing else is ever read as a result."""

from __future__ import annotations

import io
import json
import struct
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.remote import planes
from podpac_lambda_widgets.remote.arrays import LIMIT_BYTES, VERSION, pack_array, unpack_array

texts = st.text(max_size=4)
plain_dtypes = st.sampled_from(
    [order + kind for kind in ("f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8", "c8", "c16") for order in "<>"]
    + ["i1", "u1", "?", "U3", ">U2", "S3", "O"]
    + [f"{kind}8[{unit}]" for kind in "Mm" for unit in ("s", "ms", "us", "ns")]
)
#: All bits, so that NaN with a payload, -0.0, subnormal numbers and NaT occur.
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.binary(max_size=3),
    st.complex_numbers(),
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.int16, st.integers(-(2**15), 2**15 - 1)),
    st.builds(np.bool_, st.booleans()),
    st.builds(np.str_, texts),
    st.builds(np.datetime64, st.integers(-(2**60), 2**60), st.just("ns")),
    st.just(np.datetime64("NaT", "D")),
    hnp.arrays(
        st.sampled_from(["f8", ">i4", "?", "U2", "M8[D]"]), hnp.array_shapes(min_dims=0, max_dims=2, max_side=2)
    ),
)
values_of_attributes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
attributes = st.dictionaries(
    texts.filter(lambda name: name not in ("units", "layer_style")), values_of_attributes, max_size=3
)


def exactly(value: object) -> object:
    """The value with its types and bits, in a form that `==` compares whole."""
    if isinstance(value, np.ndarray):
        held = [exactly(item) for item in value.flat] if value.dtype.kind == "O" else value.tobytes()
        return ("array", value.dtype.str, value.shape, held)
    if isinstance(value, float) and type(value) is float:
        return ("float", struct.pack(">d", value))
    if isinstance(value, np.generic):
        return (type(value), value.dtype.str, value.tobytes())
    if isinstance(value, list | tuple):
        return (type(value), [exactly(item) for item in value])
    if isinstance(value, dict):
        return ("dict", [(exactly(key), exactly(item)) for key, item in value.items()])
    return (type(value), repr(value))


def described(array: xr.DataArray) -> object:
    """All that can be told of an array."""
    return (
        array.name,
        array.dims,
        array.shape,
        exactly(array.values),
        exactly(array.attrs),
        [(name, item.dims, exactly(item.values), exactly(item.attrs)) for name, item in array.coords.items()],
        [(name, type(index).__name__) for name, index in array.xindexes.items()],
        [(dim, getattr(found, "names", None), len(found)) for dim, found in array.indexes.items()],
    )


@st.composite
def values(draw: st.DrawFn, shape: tuple[int, ...], dtypes: st.SearchStrategy[str] = plain_dtypes) -> Any:
    dtype = np.dtype(draw(dtypes))
    if dtype.kind == "O":
        found = np.empty(shape, object)
        for place in np.ndindex(shape):
            found[place] = draw(scalars.filter(lambda item: not isinstance(item, np.ndarray)))
        return found
    if dtype.kind in "fiuc":
        octets = draw(st.binary(min_size=0, max_size=64))
        size = int(np.prod(shape)) * dtype.itemsize
        return np.frombuffer((octets * size)[:size] or bytes(size), dtype).reshape(shape)
    if dtype.kind in "Mm":
        # As far as pandas holds dates of a resolution.
        most = {"s": 2 * 10**11, "ms": 2 * 10**14}.get(np.datetime_data(dtype)[0], 2**61)
        counts = draw(hnp.arrays("i8", shape, elements=st.integers(-most, most) | st.just(-(2**63))))
        return counts.astype(dtype)
    return draw(hnp.arrays(dtype, shape))


@st.composite
def arrays(draw: st.DrawFn) -> xr.DataArray:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    names = draw(st.permutations(["lat", "lon", "time", "output", "x"]))[: len(shape)]
    coords: dict[str, Any] = {}
    for name, size in zip(names, shape, strict=True):
        if draw(st.booleans()):
            coords[name] = draw(values((size,), plain_dtypes.filter(lambda kind: "f2" not in kind)))
        if draw(st.booleans()):
            coords[f"{name}_beside"] = (name, draw(values((size,))))
    if draw(st.booleans()):
        coords["alone"] = ((), draw(values(())))
    data = draw(values(shape))
    if draw(st.booleans()):
        data = data.copy(order="F")
    array = xr.DataArray(data, dims=names, coords=coords, name=draw(st.none() | texts), attrs=draw(attributes))
    for name in array.coords:
        array.coords[name].attrs = draw(attributes)
    unindexed = [name for name in array.xindexes if draw(st.integers(0, 7)) == 0]
    return array.drop_indexes(unindexed) if unindexed else array


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(arrays())
def test_unpacking_gives_back_what_was_packed(array: xr.DataArray) -> None:
    before = described(array)
    body = pack_array(array)
    found = unpack_array(body)
    assert described(found) == before == described(array)
    assert pack_array(found) == body
    # xarray itself gives a single time as a scalar.
    assert not found.dims or found.values.flags.writeable


@given(st.data())
def test_stacked_coordinates_come_back_stacked(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5))
    kinds = st.sampled_from(["f8", "i4", "M8[s]", "O"])
    levels = {}
    for name in data.draw(st.permutations(["lat", "lon", "time"]))[: data.draw(st.integers(2, 3))]:
        kind = data.draw(kinds)
        raw = data.draw(st.lists(st.integers(-9, 9), min_size=size, max_size=size))
        levels[name] = (
            "lat_lon",
            np.array(raw, "i8").astype(kind) if kind != "O" else np.array(list(map(str, raw)), "O"),
        )
    array = xr.DataArray(
        np.arange(2.0 * size).reshape(2, size), dims=("x", "lat_lon"), coords={"x": [3, 1], **levels}, name="a"
    ).set_index(lat_lon=list(levels))
    array = array.assign_coords(beside=("lat_lon", np.arange(size)))
    for name in array.coords:
        array.coords[name].attrs = data.draw(attributes)
    found = unpack_array(pack_array(array))
    assert described(found) == described(array)
    assert found.equals(array)
    assert found.indexes["lat_lon"].equals(array.indexes["lat_lon"])


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1", "c16", "U5", "M8[ns]", "?", ">f8", "S7"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_arrays_of_many_blocks_come_back(dtype: str, outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "BLOCK_BYTES", 40_000)
    noise = np.random.default_rng(0).integers(0, 256, 9000 * 5 * np.dtype(dtype).itemsize, "u1")
    noise[::2] = 0
    whole = noise & 1 if dtype == "?" else noise
    found = whole.view("u4" if dtype == "U5" else dtype)
    data = (found & 0x7F).view("U5") if dtype == "U5" else found
    size = len(data) // outputs * outputs
    array = xr.DataArray(data[:size].reshape(-1, outputs), dims=("x", "output"))
    assert unpack_array(pack_array(array)).values.tobytes() == array.values.tobytes()


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "c16"])
@pytest.mark.parametrize("shape", [(300, 500), (40_000, 3)])
def test_few_different_values_come_back_and_need_little(dtype: str, shape: tuple[int, int]) -> None:
    steps = np.cumsum(np.random.default_rng(6).integers(-4, 5, shape), axis=0)
    # As whole numbers with a scale and an offset are read from a file, with nothing where there is no measurement.
    data = np.where(steps % 50 == 0, np.nan, steps * 0.01 + 273.15).astype(dtype)
    body = pack_array(xr.DataArray(data, dims=("time", "output")))
    assert len(body) < data.nbytes / 2.5
    assert unpack_array(body).values.tobytes() == data.tobytes()


def block(table: list[int], places: list[int], announced: int) -> memoryview:
    sink = io.BytesIO()
    sink.write(struct.pack("<I", announced))
    planes._pack_planes(np.array(table, "<u8"), sink, 1)
    planes._pack_planes(np.array(places, "<u2"), sink, 1)
    return memoryview(sink.getvalue())


def test_a_place_that_is_not_in_the_table_is_a_typed_error() -> None:
    found, used = planes.unpack_values(block([7, 9], [0, 1, 1], 2), np.dtype("<u8"), (3,))
    assert found.tolist() == [7, 9, 9]
    for source in (block([7, 9], [0, 1, 2], 2), block([7, 9, 11, 13], [0, 1, 1], 4), block([7], [0, 0, 0], 2**32 - 1)):
        with pytest.raises(ResultError, match="table"):
            planes.unpack_values(source, np.dtype("<u8"), (3,))
    for length in range(used):
        with pytest.raises(ResultError):
            planes.unpack_values(block([7, 9], [0, 1, 1], 2)[:length], np.dtype("<u8"), (3,))


def test_a_transposed_array_is_packed_as_the_same_bytes() -> None:
    data = np.arange(600_000.0).reshape(600, 1000)
    straight, turned = (xr.DataArray(kept, dims=("lat", "lon")) for kept in (data, np.asfortranarray(data)))
    assert pack_array(straight) == pack_array(turned)


def test_what_podpac_gives_comes_back() -> None:
    podpac = pytest.importorskip("podpac")
    coordinates = podpac.Coordinates(
        [podpac.clinspace(90, -90, 7), podpac.clinspace(-180, 180, 5), ["2018-01-01", "2018-01-03"]],
        dims=["lat", "lon", "time"],
    )
    given_ = podpac.algorithm.SinCoords().eval(coordinates)
    found = unpack_array(pack_array(given_))
    assert found.values.tobytes() == given_.values.tobytes()
    assert list(found.coords) == list(given_.coords)
    assert found.attrs["crs"] == given_.attrs["crs"]
    assert found.attrs["layer_style"] == given_.attrs["layer_style"].json
    assert podpac.UnitsDataArray(found).identical(podpac.UnitsDataArray(unpack_array(pack_array(given_))))


def test_a_smooth_map_needs_less_than_its_values_and_a_mask_of_the_sea_less_still() -> None:
    lat, lon = np.linspace(-90, 90, 400), np.linspace(90, -90, 400)
    field = np.sin(np.pi * lat / 90)[:, None] * np.sin(np.pi * lon / 90)
    sea = np.where(field < 0.3, np.nan, field)
    smooth, masked = (len(pack_array(xr.DataArray(data, dims=("lat", "lon")))) for data in (field, sea))
    assert masked < smooth / 2 < field.nbytes / 2


def test_noise_is_sent_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(0, 2**64, 300_000, "u8")
    body = pack_array(xr.DataArray(noise, dims="x"))
    assert noise.nbytes < len(body) < noise.nbytes + 1000


@pytest.mark.parametrize(
    "array",
    [
        xr.DataArray(np.array([object()]), dims="x"),
        xr.DataArray(np.zeros(2, "f16"), dims="x"),
        xr.DataArray(np.zeros(2, "c32"), dims="x"),
        xr.DataArray(np.zeros(2, [("a", "f8")]), dims="x"),
        xr.DataArray([1.0], dims="x", attrs={"a": object()}),
        xr.DataArray([1.0], dims="x", attrs={"a": {1, 2}}),
        xr.DataArray([1.0], dims="x", attrs={"a": 1 << 9000}),
        xr.DataArray([1.0], dims="x", attrs={"a": np.zeros(2, "f16")}),
        xr.DataArray([1.0], dims="x").assign_coords(a=("x", [1])).set_xindex("a"),
    ],
)
def test_what_cannot_be_sent_is_a_typed_error(array: xr.DataArray) -> None:
    with pytest.raises(ResultError):
        pack_array(array)


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_attributes_nested_without_end_are_a_typed_error() -> None:
    with pytest.raises(ResultError):
        pack_array(xr.DataArray([1.0], dims="x", attrs={"a": nested(sys.getrecursionlimit() + 100)}))


EXAMPLE = pack_array(
    xr.DataArray(
        np.arange(3000.0).reshape(30, 100) ** 0.5,
        dims=("lat", "lon"),
        coords={
            "lat": np.linspace(1, 2, 30),
            "lon": np.arange(100),
            "name": ("lat", np.array(list("ab" * 15), object)),
        },
        attrs={"crs": "EPSG:4326", "geotransform": (0.0, 1.0)},
    )
)


@given(st.integers(0, len(EXAMPLE) - 1))
def test_a_result_that_was_cut_short_is_a_typed_error(length: int) -> None:
    with pytest.raises(ResultError):
        unpack_array(EXAMPLE[:length])


@settings(max_examples=500)
@given(st.integers(0, len(EXAMPLE) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_result_is_a_typed_error_or_other_values_and_nothing_worse(place: int, noise: bytes) -> None:
    try:
        found = unpack_array(EXAMPLE[:place] + noise + EXAMPLE[place + len(noise) :])
    except ResultError:
        return
    assert isinstance(found, xr.DataArray)


@given(st.binary(max_size=60))
def test_noise_is_never_a_result(noise: bytes) -> None:
    for body in (noise, EXAMPLE[:4] + noise):
        with pytest.raises(ResultError):
            unpack_array(body)


def with_record(record: object, rest: bytes = b"") -> bytes:
    told = json.dumps(record).encode()
    return EXAMPLE[:4] + struct.pack(">I", len(told)) + told + rest


def record_of(body: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from(">I", body, 4)
    found: dict[str, Any] = json.loads(body[8 : 8 + length])
    return found


SIMPLE = pack_array(xr.DataArray(np.arange(4.0), dims="x", coords={"x": np.arange(4)}))
REST = SIMPLE[8 + struct.unpack_from(">I", SIMPLE, 4)[0] :]


SHAPELESS = [None, 1, "text", [1], [[]], [[1]], [["x", ["y"], 1, 2, 3]], {"eval": "1"}, {"dict": 1}]
TAGGED = [
    {"dict": [[[], 1]]}, {"array": ["O", [1], "AAAA"]}, {"scalar": ["|O8", "AAAA"]}, {"array": ["<f8", [9], "AAAA"]},
    {"str_": [1]}, {"float": "zz"}, {"float": "00"}, {"a": 1, "b": 2}, {"tuple": []}, {"objects": [[1], [[], []]]},
    {"array": ["<f8", [1], "not base64"]}, {"bytes": "ä"}, {"complex": [1, "x"]}, [], "text",
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in ("dims", "variables", "stacked", "coords") for value in SHAPELESS),
        *(("attrs", value) for value in [None, *TAGGED]),
        *(("coords", [["x", True, value]]) for value in TAGGED),
        *(("dims", [["x", size]]) for size in (-1, True, 1.5, None, "4", 3, 5, 2**62, 10**400)),
        *(("dims", [[name, 4]]) for name in (["x"], {"dict": []}, {"eval": "x"})),
        ("dims", []),
        ("variables", []),
        *(
            ("variables", [[None, dims, dtype, octets]])
            for dims, dtype, octets in [
                ([7], "<f8", 0), ([-1], "<f8", 0), (["x"], "<f8", 0), ([0], "|O", 10**12), ([0], "|O", -1),
                ([0], "<f16", 0), ([0], "object", 0), ([0], "<U999999999", 0), ([0], ["<f8"], 0), ([0], "<f4", 0),
                ([0], "|O", 4), ([0], "<f8,<f8", 0), ([0], "|V8", 0), ([0, 0], "<f8", 0),
            ]
        ),
        ("stacked", [["x", ["y"]]]),
        ("stacked", [["y", ["x"]]]),
        ("coords", []),
        ("coords", [["nobody", True, {"dict": []}]]),
    ],
)  # fmt: skip
def test_a_record_that_says_what_cannot_be_is_a_typed_error(key: str, value: object) -> None:
    with pytest.raises(ResultError):
        unpack_array(with_record({**record_of(SIMPLE), key: value}, REST))


@given(st.recursive(st.none() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_another_record_is_a_typed_error(record: object) -> None:
    with pytest.raises(ResultError):
        unpack_array(with_record(record, REST))


def test_a_record_nested_without_end_is_a_typed_error() -> None:
    told = b"[" * 200_000
    with pytest.raises(ResultError):
        unpack_array(EXAMPLE[:4] + struct.pack(">I", len(told)) + told)


def test_bits_that_are_no_value_of_their_type_are_a_typed_error() -> None:
    truth = pack_array(xr.DataArray(np.array([True, False, True])))
    octets = pack_array(xr.DataArray(np.array([1, 0, 7], "u1")))
    rest = octets[8 + struct.unpack_from(">I", octets, 4)[0] :]
    with pytest.raises(ResultError, match="no value of bool"):
        unpack_array(with_record(record_of(truth), rest))
    letters = pack_array(xr.DataArray(np.array(["a", "b", "c"])))
    numbers = pack_array(xr.DataArray(np.array([1, 0, 0x110000], "u4")))
    rest = numbers[8 + struct.unpack_from(">I", numbers, 4)[0] :]
    with pytest.raises(ResultError, match="no value of <U1"):
        unpack_array(with_record(record_of(letters), rest))


def test_another_version_says_so() -> None:
    with pytest.raises(ResultError, match="another version"):
        unpack_array(EXAMPLE[:3] + bytes([VERSION + 1]) + EXAMPLE[4:])


def test_something_after_the_end_is_a_typed_error() -> None:
    with pytest.raises(ResultError, match="left over"):
        unpack_array(EXAMPLE + b"\0")


@pytest.mark.parametrize("size", [LIMIT_BYTES // 8 + 1, 2**62, 2**70])
def test_a_result_over_the_limit_is_refused_before_memory_is_taken(size: int) -> None:
    record = {**record_of(SIMPLE), "dims": [["x", size]], "coords": []}
    record["variables"] = record["variables"][:1]
    tracemalloc.start()
    try:
        with pytest.raises(ResultError, match="limit"):
            unpack_array(with_record(record, REST))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_few_bytes_that_claim_to_be_many_are_refused_before_memory_is_taken() -> None:
    record = {**record_of(SIMPLE), "dims": [["x", 2**28]], "coords": []}
    record["variables"] = record["variables"][:1]
    tracemalloc.start()
    try:
        with pytest.raises(ResultError, match="cannot hold"):
            unpack_array(with_record(record, REST))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_few_bytes_that_become_many_objects_are_over_the_limit() -> None:
    text = np.array(["a"] * 100_000, object)
    body = pack_array(xr.DataArray(text, dims="x"))
    assert len(body) < 4000
    assert unpack_array(body, limit_bytes=10_000_000).values.tolist() == text.tolist()
    with pytest.raises(ResultError, match="limit"):
        unpack_array(body, limit_bytes=5_000_000)


def test_the_caller_may_set_a_lower_limit() -> None:
    assert unpack_array(SIMPLE, limit_bytes=64).size == 4
    with pytest.raises(ResultError, match="limit is 63"):
        unpack_array(SIMPLE, limit_bytes=63)


@pytest.mark.parametrize("kind", ["noise", "smooth", "transposed"])
def test_neither_side_holds_a_third_copy(kind: str) -> None:
    data = np.random.default_rng(2).random((1500, 2000))
    if kind != "noise":
        data = np.sort(data, axis=None).reshape(1500, 2000)
    array = xr.DataArray(data.T if kind == "transposed" else data, dims=("lat", "lon"))
    tracemalloc.start()
    try:
        body = pack_array(array)
        # Beside the array itself: the packed one, and what one block takes.
        assert tracemalloc.get_traced_memory()[1] < 1.2 * len(body) + 16 * planes.BLOCK_BYTES
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found = unpack_array(body)
        assert tracemalloc.get_traced_memory()[1] - before < 1.05 * data.nbytes + 16 * planes.BLOCK_BYTES
    finally:
        tracemalloc.stop()
    assert found.values.tobytes() == array.values.tobytes()
