"""The public list is itself tested, and importing the package stays cheap."""

from __future__ import annotations

import subprocess
import sys

import podpac_lambda_widgets as plw
from podpac_lambda_widgets import errors

PUBLIC = [
    "CredentialsForm",
    "DeployForm",
    "Deployment",
    "Lambda",
    "PipelineForm",
    "ResultView",
    "Secret",
    "Source",
    "SourceForm",
    "Stack",
    "Studio",
    "__version__",
    "build_package",
    "connect",
    "errors",
    "inspect_package",
    "inventory",
    "local_aws",
]


def test_the_public_names_are_these() -> None:
    assert sorted(plw.__all__) == PUBLIC


def test_every_public_name_can_be_had(podpac: object) -> None:
    assert all(getattr(plw, name) is not None for name in PUBLIC)
    assert set(PUBLIC) <= set(dir(plw))


def test_importing_the_package_loads_none_of_the_large_libraries() -> None:
    code = (
        "import sys, podpac_lambda_widgets;"
        "print([n for n in ('boto3', 'botocore', 'xarray', 'numpy', 'matplotlib', 'podpac', 'ipywidgets', 'traitlets')"
        " if n in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_error_is_drawn_in_the_tree() -> None:
    def below(kind: type[errors.PodpacLambdaError]) -> list[str]:
        return [kind.__name__, *(name for child in kind.__subclasses__() for name in below(child))]

    drawn = errors.__doc__ or ""
    ours = [name for name in below(errors.PodpacLambdaError) if hasattr(errors, name)]
    assert len(ours) > 20
    assert [name for name in ours if name not in drawn] == []


def test_every_error_survives_the_wire() -> None:
    def kinds(kind: type[errors.PodpacLambdaError]) -> list[type[errors.PodpacLambdaError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]

    for kind in kinds(errors.PodpacLambdaError):
        if hasattr(errors, kind.__name__) and kind is not errors.DeployError:
            sent = kind("what", why="why", next_step="next")
            back = errors.from_dict(sent.to_dict())
            assert type(back) is kind
            assert str(back) == str(sent)


def test_lambda_works_without_podpac() -> None:
    code = (
        "import sys; sys.modules['podpac'] = None\n"
        "import boto3, podpac_lambda_widgets as plw\n"
        "cloud = plw.Lambda(source={'A': {'node': 'core.algorithm.utility.SinCoords'}}, function_memory=512,\n"
        "                   session=boto3.Session(region_name='us-east-1'))\n"
        "print(cloud.function_memory, cloud)\n"
    )
    said = subprocess.check_output([sys.executable, "-W", "error", "-c", code], text=True)
    assert said.strip() == "512 Lambda(function_name='podpac-lambda-autogen')"
