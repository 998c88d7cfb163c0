"""Arithmetic expressions, checked as a syntax tree.

podpac gives an expression to numexpr, and numexpr compiles it with Python's ``eval``; without numexpr podpac calls
``eval`` itself. So only what is listed here passes: numbers, the names of the inputs, operators, and numexpr's
functions.
"""

from __future__ import annotations

import ast
import string
import warnings
from collections.abc import Collection, Mapping
from typing import NoReturn

from podpac_lambda_widgets.errors import PipelineRejectedError

#: Longest expression, characters.
MAX_LENGTH = 2000
#: Nodes of the syntax tree, and its depth; Python's own compiler needs stack for each level.
MAX_NODES = 500
MAX_DEPTH = 40
#: Largest constant exponent, and largest number of powers: Python computes powers of constants without limit.
MAX_EXPONENT = 64
#: Largest integer; 2**53 is where float64 stops being exact.
MAX_INTEGER = 2**53

#: numexpr's functions of its documentation that act point by point, with the number of their arguments.
FUNCTIONS = {
    "where": 3, "arctan2": 2, "fmod": 2,
    **dict.fromkeys((
        "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
        "log", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "floor", "ceil",
    ), 1),
}  # fmt: skip

_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor)
_UNARY = (ast.UAdd, ast.USub, ast.Invert)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def check_expression(eqn: object, params: object, names: Collection[str], where: str) -> None:
    """Check the expression of an ``Arithmetic`` node.

    Parameters
    ----------
    eqn : object
        The expression, in which ``{name}`` stands for a parameter.
    params : object
        Names and values of the parameters.
    names : collection of str
        The node's inputs.
    where : str
        The place in the definition, for the error.

    Raises
    ------
    PipelineRejectedError
        With the part that is not allowed.
    """
    if not isinstance(eqn, str) or not eqn.strip():
        _refuse(where, "it is not text, or is empty")
    text = _format(eqn, params, where)
    if len(text) > MAX_LENGTH:
        _refuse(where, f"{len(text):,} characters; the limit is {MAX_LENGTH:,}")
    if not text.isascii() or not text.isprintable():
        _refuse(where, "it has characters other than printable ASCII")
    try:
        with warnings.catch_warnings():
            # A warning of the compiler quotes the text, and would end in the function's log.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        _refuse(where, f"it is not an expression: {type(error).__name__}")
    _check_tree(tree, frozenset(names), where)


def _format(eqn: str, params: object, where: str) -> str:
    """What podpac makes of it by ``eqn.format(**params)``, with plain fields only."""
    if not isinstance(params, Mapping):
        _refuse(where, "its params are not a JSON object")
    for value in params.values():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            _refuse(where, f"a parameter is {type(value).__name__}; numbers and text are allowed")
    try:
        fields = list(string.Formatter().parse(eqn))
    except ValueError as error:
        _refuse(where, f"its braces do not match: {error}")
    for _, field, spec, conversion in fields:
        if field is None:
            continue
        if not field.isidentifier() or field not in params:
            _refuse(where, f"{{{field[:40]}}} is not the name of a parameter")
        if spec or conversion:
            _refuse(where, f"{{{field[:40]}}} has a format")
    if sum(len(str(value)) for value in params.values()) * max(1, len(fields)) + len(eqn) > 50 * MAX_LENGTH:
        _refuse(where, "its parameters are too long")
    return eqn.format(**params)


def _check_tree(root: ast.expr, names: frozenset[str], where: str) -> None:
    powers = count = 0
    stack: list[tuple[ast.expr, int]] = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        powers += isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
        if count > MAX_NODES or depth > MAX_DEPTH:
            _refuse(where, f"it has more than {MAX_NODES} parts or {MAX_DEPTH} levels")
        stack.extend((child, depth + 1) for child in _children(node, names, where))
    if powers > MAX_EXPONENT:
        _refuse(where, f"it has more than {MAX_EXPONENT} powers")


def _children(node: ast.expr, names: frozenset[str], where: str) -> list[ast.expr]:
    match node:
        case ast.Constant(value=value):
            _check_constant(value, where)
            return []
        case ast.Name(id=name):
            if name not in names:
                _refuse(where, f"{name[:40]} is not an input of the node")
            return []
        case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _UNARY):
            return [operand]
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _BINARY):
            if isinstance(op, ast.Pow):
                _check_power(left, right, where)
            return [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _COMPARISONS):
            return [left, right]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS and name not in names:
            if len(arguments) != FUNCTIONS[name]:
                _refuse(where, f"{name} takes {FUNCTIONS[name]} arguments")
            return list(arguments)
    _refuse(where, f"{type(node).__name__} is not allowed")


def _check_constant(value: object, where: str) -> None:
    if type(value) is float:
        return
    if type(value) is not int:
        _refuse(where, f"a constant is {type(value).__name__}; numbers are allowed")
    if abs(value) > MAX_INTEGER:
        _refuse(where, "an integer is larger than 2**53")


def _check_power(base: ast.expr, exponent: ast.expr, where: str) -> None:
    # A power of constants is computed before any array is touched; a power of a power grows without bound.
    if any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) for node in ast.walk(exponent)):
        _refuse(where, "an exponent has a power in it")
    if _is_constant(base) and any(isinstance(node, ast.BinOp) for node in ast.walk(base)):
        _refuse(where, "a power of a computed constant")
    bare = exponent.operand if isinstance(exponent, ast.UnaryOp) else exponent
    if isinstance(bare, ast.Constant) and isinstance(bare.value, int | float) and abs(bare.value) > MAX_EXPONENT:
        _refuse(where, f"an exponent is larger than {MAX_EXPONENT}")
    if _is_constant(exponent) and not isinstance(bare, ast.Constant):
        _refuse(where, "an exponent is computed from constants")


def _is_constant(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Name) for part in ast.walk(node))


def _refuse(where: str, why: str) -> NoReturn:
    raise PipelineRejectedError(
        "The expression is not allowed",
        resource=where,
        why=ascii(why)[1:-1],
        next_step="Use numbers, names of inputs, + - * / % **, comparisons, & | ~ and functions like sqrt and where",
    )
