"""What the guard lets pass, and where its list comes from."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
from typing import Any

import generate_allowlist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidValueError, PipelineRejectedError
from podpac_lambda_widgets.limits import MEMORY_MB
from podpac_lambda_widgets.packaging.podpac_nodes import LEFT_OUT
from podpac_lambda_widgets.remote.expression import FUNCTIONS, check_expression
from podpac_lambda_widgets.remote.guard import MAX_CHAIN, Policy, check, default_max_points, harmless, needs_unsafe_eval
from podpac_lambda_widgets.remote.wire import Request

SIN = {"node": "core.algorithm.utility.SinCoords"}
NAN, INF = float("nan"), float("inf")
GRID: dict[str, Any] = {"coords": [{"name": "lat", "values": [0.0, 1.0]}]}
POLICY = Policy(allowed_buckets=frozenset({"my-bucket"}), allowed_hosts=frozenset({"data.example.com"}))


def allowed(pipeline: dict[str, Any], coordinates: dict[str, Any] = GRID, policy: Policy = POLICY) -> None:
    check(Request(pipeline, coordinates), policy)


def test_the_shipped_list_is_what_the_installed_podpac_gives() -> None:
    pytest.importorskip("podpac")
    assert generate_allowlist.FILE.read_text("utf-8") == generate_allowlist.as_text()


def test_every_node_of_podpac_is_either_listed_or_left_out_on_purpose() -> None:
    """A new podpac with a new node makes this fail, so that somebody decides."""
    podpac = pytest.importorskip("podpac")
    for name in ("alglib.climatology", "managers"):
        importlib.import_module(f"podpac.{name}")

    def below(kind: type) -> set[type]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    listed = set(generate_allowlist.generate()["nodes"])
    found = {
        f"{kind.__module__}.{kind.__name__}".removeprefix("podpac.")
        for kind in below(podpac.Node)
        if kind.__module__.startswith("podpac.")
    }
    assert listed <= found
    assert found - listed == set(LEFT_OUT)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize(
    "source",
    [
        "s3://my-bucket/a/b c.csv",
        "s3://my-bucket/x.nc",
        "https://data.example.com/a?x=1&y=2",
        "https://data.example.com:443/",
    ],
)
def test_an_allowed_source_passes(source: str) -> None:
    allowed({"x": {"node": "data.CSV", "attrs": {"source": source}}})


def test_nothing_is_read_where_the_operator_allowed_nothing() -> None:
    with pytest.raises(PipelineRejectedError, match="there are none"):
        allowed({"x": {"node": "data.CSV", "attrs": {"source": "s3://my-bucket/x"}}}, policy=Policy())


@pytest.mark.parametrize(
    "node",
    [
        {"node": "algorithm.SinCoords"},
        {**SIN, "plugin": "podpac"},
        {**SIN, "style": {"name": "wave", "clim": [-1.0, 1.0], "colormap": "jet", "units": "m"}},
        {**SIN, "style": {"enumeration_colors": {"0": "red", "1": [0.1, 0.2, 0.3]}, "enumeration_legend": {"0": "a",
        "1": "b"}}}, {**SIN, "attrs": {"units": "kg * m**-2 / s"}},
        {**SIN, "attrs": {"units": "m^3/m^3"}},
        {**SIN, "attrs": {"units": None, "output": None}},
        {"node": "data.Array", "attrs": {"source": [[1, None], [NAN, -INF]], "nan_val": NAN, "coordinates": GRID}},
        {"node": "data.Array", "attrs": {"source": [1], "coordinates": {**GRID, "crs": "EPSG:32633"}}},
    ],
)  # fmt: skip
def test_an_ordinary_node_passes(node: dict[str, Any]) -> None:
    allowed({"x": node, "podpac_version": "4.0.1", "podpac_output_node": "x"})


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:4326", "+proj=longlat +datum=WGS84 +no_defs +vunits=m", "urn:ogc:def:crs:OGC:1.3:CRS84",
        "WGS 84 / UTM zone 33N",
        "+proj=utm +zone=33 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs", None,
        'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0]]',
    ],
)  # fmt: skip
def test_an_ordinary_crs_passes(crs: str | None) -> None:
    allowed({"x": SIN}, {**GRID, "crs": crs})


@pytest.mark.parametrize(
    "eqn",
    [
        "A", "A + B", "-A ** 2 / 3.5e-3", "(A > 0) & ~(B <= 1) | (A != B)", "A % 7 == 0",
        "where(A > B, sqrt(abs(A)), log10(B + 1))", "2 * 3 * A", "A^1",
        "arctan2(sin(A), cos(B))", "A ** -2", "A ** 0.5", "  A  ", "exp(-(A - B) ** 2 / (2 * 0.1 ** 2))",
    ],
)  # fmt: skip
def test_an_ordinary_expression_passes(eqn: str) -> None:
    check_expression(eqn, {}, ["A", "B"], "x")


def test_parameters_are_put_in_before_the_check() -> None:
    check_expression("A * {factor} + {other}", {"factor": -2.5, "other": "B", "unused": 1}, ["A", "B"], "x")
    with pytest.raises(PipelineRejectedError):
        check_expression("A * {factor}", {"factor": "A.real"}, ["A"], "x")


def test_every_function_of_the_list_is_one_that_numexpr_has() -> None:
    numexpr = pytest.importorskip("numexpr")
    assert set(FUNCTIONS) <= set(numexpr.necompiler.expressions.functions) | {"abs"}


OPERATORS = (
    "+", "-", "*", "/", "%", "<", ">=", "==", "!=", "&", "|", "**2", "and", ".", "(", ")", "[", "'", "__", "lambda",
    "A", "B", "1", "sin(", ",", "{", "}", ":", "=", "if", "\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(OPERATORS), max_size=12).map("".join))
def test_whatever_passes_computes_with_numbers_only(eqn: str) -> None:
    try:
        check_expression(eqn, {}, ["A", "B"], "x")
    except PipelineRejectedError:
        return
    for bad in ("__", ".__", "lambda", "'", "[", "{", "=" * 3, " if ", "\n"):
        assert bad not in eqn.strip()
    names = {"A": 2.5, "B": 3.5, "__builtins__": {}, "sin": float}
    try:
        value = eval(eqn, names)
    except (ArithmeticError, TypeError):
        return
    assert isinstance(value, int | float | complex)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["A", "podpac",
    "core.algorithm.utility.SinCoords", "s3://x/y"]), lambda inner: st.lists(inner, max_size=3) |
    st.dictionaries(st.sampled_from(["node", "plugin", "attrs",
    "inputs", "style", "source", "A", "units"]) | st.text(max_size=5), inner, max_size=4), max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(st.text(max_size=5), json_values, max_size=3),
    st.dictionaries(st.sampled_from(["coords", "crs"]), json_values),
)
def test_any_json_either_passes_or_is_a_typed_error(pipeline: dict[str, Any], coordinates: dict[str, Any]) -> None:
    try:
        check(Request(pipeline, coordinates), POLICY)
    except (InvalidValueError, PipelineRejectedError) as error:
        assert error.what
        assert str(error).isprintable() or "\n" in str(error)
        return
    nodes = [node for name, node in pipeline.items() if name not in ("podpac_version", "podpac_output_node")]
    assert nodes
    assert all(
        node["node"].startswith(("core.", "algorithm.", "data.", "compositor.", "interpolators.")) for node in nodes
    )


def test_only_expressions_and_code_need_unsafe_evaluation() -> None:
    arithmetic = {"A": SIN, "x": {"node": "algorithm.Arithmetic", "inputs": {"A": "A"}, "attrs": {"eqn": "A"}}}
    assert needs_unsafe_eval(Request(arithmetic, GRID))
    assert not needs_unsafe_eval(Request({"A": SIN}, GRID))


def test_only_harmless_settings_are_taken_from_a_client() -> None:
    sent = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "UNSAFE_EVAL_HASH": "x",
        "ENABLE_UNITS": False,
        "DEFAULT_CRS": 5,
        "DEBUG": True,
    }
    assert harmless(sent) == {"ENABLE_UNITS": False}


def test_the_policy_comes_from_the_environment_and_defaults_to_nothing() -> None:
    assert Policy.from_environment({}) == Policy(max_points=default_max_points(MEMORY_MB[0]))
    found = Policy.from_environment(
        {
            "FUNCTION_ALLOWED_BUCKETS": "a, b,,",
            "FUNCTION_ALLOWED_HOSTS": "X.example.com",
            "FUNCTION_RESTRICT_PIPELINES": "AB",
            "FUNCTION_ALLOW_UNSAFE_EVAL": "true",
            "FUNCTION_MAX_POINTS": "77",
        }
    )
    assert found == Policy(frozenset("ab"), frozenset({"x.example.com"}), frozenset({"ab"}), True, 77)
    named = Policy.from_environment({"FUNCTION_ALLOWED_NODES": "core.data.ogc.WCS, my_plugin.Node"})
    assert named.allowed_nodes == {"core.data.ogc.WCS", "my_plugin.Node"}
    assert default_max_points(2048) > 15_000_000


def test_the_list_is_json_that_names_its_podpac() -> None:
    assert json.loads(generate_allowlist.FILE.read_text("utf-8"))["podpac"].startswith("4.")


def chain(length: int) -> dict[str, Any]:
    means = {f"n{n}": {"node": "algorithm.Mean", "inputs": {"source": f"n{n - 1}"}} for n in range(1, length)}
    return {"n0": SIN, **means}


def test_a_chain_is_as_long_as_podpac_can_evaluate() -> None:
    allowed(chain(MAX_CHAIN))
    with pytest.raises(PipelineRejectedError, match=f"the limit is {MAX_CHAIN}"):
        allowed(chain(MAX_CHAIN + 1))
    # Beside each other they are no chain.
    allowed({**chain(2), **{f"m{n}": {"node": "algorithm.Mean", "inputs": {"source": "n0"}} for n in range(400)}})


ALLOWED_SYNTAX = (
    ast.Expression, ast.Load, ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor, ast.UAdd, ast.USub, ast.Invert, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
FORMS = (
    "({0} + {1})", "({0} * {1})", "({0} ** {1})", "(-{0})", "(~{0})", "({0} < {1})", "({0} & {1})", "sqrt({0})",
    "where({0}, {1}, {0})", "{0}.real", "{0}[{1}]", "({0} if {1} else {0})", "({0} and {1})", "(not {0})",
    "(lambda: {0})",
    "[{0}, {1}]", "({0}, {1})", "{0}({1})", "abs({0}, {1})", "sin(x={0})", "sin(*{0})", "({0} // {1})", "({0} @ {1})",
    "({0} < {1} < {0})", "({0} in {1})", "({0} is {1})", "[a for a in {0}]", "(a := {0})", "(await {0})", "f'{0}'",
)  # fmt: skip
atoms = st.sampled_from(["A", "B", "1", "2.5", "C", "True", "None", "'A'", "eval", "9**9", "1j", "...", "__import__"])
expressions = st.recursive(
    st.sampled_from(["A", "B", "1", "2.5"]) | atoms,
    lambda inner: (
        st.builds(str.format, st.sampled_from(FORMS), inner, inner)
        | st.builds(str.format, st.sampled_from(FORMS[:9]), inner, inner)
    ),
    max_leaves=6,
)


@settings(max_examples=400)
@given(expressions)
def test_what_passes_is_made_of_the_listed_syntax_and_names(eqn: str) -> None:
    try:
        check_expression(eqn, {}, ["A", "B"], "x")
    except PipelineRejectedError:
        return
    tree = ast.parse(eqn, mode="eval")
    parts = list(ast.walk(tree))
    assert all(isinstance(part, ALLOWED_SYNTAX) for part in parts)
    called = {id(part.func) for part in parts if isinstance(part, ast.Call)}
    assert all(part.id in ("A", "B") for part in parts if isinstance(part, ast.Name) and id(part) not in called)
    assert all(part.func.id in FUNCTIONS for part in parts if isinstance(part, ast.Call))
    assert all(type(part.value) in (int, float) for part in parts if isinstance(part, ast.Constant))
