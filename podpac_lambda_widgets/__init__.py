"""Run PODPAC pipelines on AWS Lambda from a notebook.

The public names are loaded on first use, so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

#: Public name -> the module it lives in.
_PUBLIC = {
    "connect": "podpac_lambda_widgets.aws.session",
    "local_aws": "podpac_lambda_widgets.local.emulator",
    "Lambda": "podpac_lambda_widgets.node",
    "Studio": "podpac_lambda_widgets.studio",
    "CredentialsForm": "podpac_lambda_widgets.studio.alone",
    "SourceForm": "podpac_lambda_widgets.studio.alone",
    "DeployForm": "podpac_lambda_widgets.studio.alone",
    "PipelineForm": "podpac_lambda_widgets.studio.alone",
    "ResultView": "podpac_lambda_widgets.studio.alone",
    "Stack": "podpac_lambda_widgets.engine.stack",
    "Deployment": "podpac_lambda_widgets.model.deployment",
    "Source": "podpac_lambda_widgets.model.source",
    "build_package": "podpac_lambda_widgets.packaging.build",
    "inspect_package": "podpac_lambda_widgets.packaging.archive",
    "Secret": "podpac_lambda_widgets.secret",
    "inventory": "podpac_lambda_widgets.aws.account",
    "errors": "",
}

__all__ = [*_PUBLIC, "__version__"]

if TYPE_CHECKING:
    from podpac_lambda_widgets import errors as errors
    from podpac_lambda_widgets.aws.account import inventory as inventory
    from podpac_lambda_widgets.aws.session import connect as connect
    from podpac_lambda_widgets.engine.stack import Stack as Stack
    from podpac_lambda_widgets.local.emulator import local_aws as local_aws
    from podpac_lambda_widgets.model.deployment import Deployment as Deployment
    from podpac_lambda_widgets.model.source import Source as Source
    from podpac_lambda_widgets.node import Lambda as Lambda
    from podpac_lambda_widgets.packaging.archive import inspect_package as inspect_package
    from podpac_lambda_widgets.packaging.build import build_package as build_package
    from podpac_lambda_widgets.secret import Secret as Secret
    from podpac_lambda_widgets.studio import Studio as Studio
    from podpac_lambda_widgets.studio.alone import CredentialsForm as CredentialsForm
    from podpac_lambda_widgets.studio.alone import DeployForm as DeployForm
    from podpac_lambda_widgets.studio.alone import PipelineForm as PipelineForm
    from podpac_lambda_widgets.studio.alone import ResultView as ResultView
    from podpac_lambda_widgets.studio.alone import SourceForm as SourceForm


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _PUBLIC[name]
    value: object = getattr(import_module(home), name) if home else import_module(f"{__name__}.{name}")
    globals()[name] = value
    return value


def load_ipython_extension(shell: object) -> None:
    """Give IPython ``%podpac_studio``; called by ``%load_ext podpac_lambda_widgets``."""
    import_module(f"{__name__}.magic").register(shell)


def unload_ipython_extension(shell: object) -> None:
    """Take it away; called by ``%unload_ext podpac_lambda_widgets``."""
    import_module(f"{__name__}.magic").unregister(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
