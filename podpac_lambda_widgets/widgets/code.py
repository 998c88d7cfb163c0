"""What a form does, as Python that does the same in a kernel where nothing was run before.

Each form writes the part that is its own (:meth:`Form.write_code`); the parts of the forms before it come first. They
hand on by the names of their variables: Connect leaves ``session``, Package ``package``, Deploy ``cloud`` (a
:class:`~podpac_lambda_widgets.Lambda`), Run ``result``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: The package, as our own documentation imports it.
IMPORT = "import podpac_lambda_widgets as plw"
#: What a line holds before a call is set out over several.
_WIDTH = 100


@dataclass(frozen=True)
class Code:
    """One form's part of a program.

    Parameters
    ----------
    title : str
        The comment above it: the form's name, never anything that was typed.
    lines : tuple of str
        Statements. Whatever was typed stands in them as a :func:`literal`.
    imports : tuple of str
        Import statements they need besides :data:`IMPORT`.
    """

    title: str
    lines: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


def join_code(parts: Iterable[Code]) -> str:
    """The parts as one program: imports first, then each part under its title; parts without lines are left out."""
    parts = [part for part in parts if part.lines]
    others = sorted({line for part in parts for line in part.imports})
    blocks = [others, [IMPORT], *([f"# {part.title}", *part.lines] for part in parts)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def write_call(function: str, arguments: Mapping[str, str], *, variable: str = "") -> tuple[str, ...]:
    """A call as lines of Python, one argument a line where it is long.

    Parameters
    ----------
    function : str
        What is called.
    arguments : mapping of str to str
        Keyword to expression; an empty keyword or one that begins with ``*`` is a positional argument. A comment may
        follow an expression, after two spaces and ``#``.
    variable : str
        What the value is assigned to.
    """
    begin = f"{variable} = {function}(" if variable else f"{function}("
    written = [text if name[:1] in ("", "*") else f"{name}={text}" for name, text in arguments.items()]
    flat = f"{begin}{', '.join(written)})"
    if len(flat) <= _WIDTH and "\n" not in flat and "  #" not in flat:
        return (flat,)
    return (begin, *(f"    {_with_comma(text)}" for text in written), ")")


def _with_comma(text: str) -> str:
    expression, mark, comment = text.partition("  # ")
    return f"{expression},{mark}{comment}"


def literal(value: object) -> str:
    """A value of a trait as Python writes it, text in double quotes; evaluating it gives an equal value."""
    if isinstance(value, str):
        # Any mark of a comment that was typed is inside the quotes, but :func:`write_call` looks for one.
        text = repr(value).replace("  # ", "  \\x23 ")
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list):
        inner = ", ".join(literal(each) for each in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
