"""``%podpac_studio``: the Studio in one line, after ``%load_ext podpac_lambda_widgets``."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError

MAGIC = "podpac_studio"
#: The variable that the Studio is put into.
VARIABLE = "studio"


def register(shell: Any) -> None:
    """Give a shell of IPython the magic."""

    def podpac_studio(line: str) -> Any:
        """Show the Studio, and have it as a variable.

        %podpac_studio          in the variable ``studio``
        %podpac_studio mine     in the variable ``mine``

        The same Studio is shown again where the variable holds one.
        """
        return _find_or_make(shell.user_ns, line.strip() or VARIABLE, shell)

    shell.register_magic_function(podpac_studio, magic_kind="line", magic_name=MAGIC)


def unregister(shell: Any) -> None:
    """Take the magic away again."""
    shell.magics_manager.magics["line"].pop(MAGIC, None)


def _find_or_make(variables: dict[str, Any], name: str, shell: Any) -> Any:
    from podpac_lambda_widgets.studio import Studio
    from podpac_lambda_widgets.widgets.notebook import is_variable_name

    if not is_variable_name(name):
        raise UsageError(f"%{MAGIC} takes the name of a variable, or nothing; {name!r} is no name.")
    found = variables.get(name)
    if isinstance(found, Studio):
        return found
    if found is not None:
        raise UsageError(f"The variable {name} holds something else. Name another: %{MAGIC} my_studio")
    made = Studio()
    shell.push({name: made})
    return made
