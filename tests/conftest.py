"""No test sees real credentials, and none reaches beyond loopback."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from filelock import FileLock
from hypothesis import HealthCheck, settings

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package

# How long an example takes says something about the machine, not about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_CREDENTIALS = ("AWS_", "BOTO_", "XDG_CONFIG_HOME", "PODPAC_")


@pytest.fixture(scope="session", autouse=True)
def _no_local_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the machine's AWS and podpac configuration."""
    empty = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(_CREDENTIALS):
            del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=str(empty / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(empty / "credentials"),
        AWS_EC2_METADATA_DISABLED="true",
        XDG_CONFIG_HOME=str(empty),
        PODPAC_LAMBDA_WIDGETS_CACHE=str(empty / "cache"),
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to anything but loopback, before a packet is sent."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load(name: str) -> ModuleType:
    # Test files are imported by path, so that their neighbours are not on Python's path.
    spec = spec_from_file_location(f"podpac_lambda_widgets_tests_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def plant() -> Any:
    """The class of secrets that are planted, and searched for."""
    return _load("planted").Planted


@pytest.fixture
def planted(plant: Any) -> Any:
    """A secret of its own for the test."""
    return plant()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's top folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The real archives for this machine; those of ``make archives`` when they are up to date."""
    pytest.importorskip("uv")
    with FileLock(tmp_path_factory.getbasetemp().parent / "archives.lock"):
        return build_package(repository / "dist" / "aws")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalSession]:
    """An embedded AWS, shared by the tests that clean up after themselves."""
    pytest.importorskip("ministack")
    with local_aws(region_name="us-east-1") as session:
        yield session


@pytest.fixture
def account(aws: LocalSession) -> AwsAccount:
    """The embedded AWS as the engine sees it."""
    return AwsAccount(aws)


@pytest.fixture
def inventory(aws: LocalSession) -> Callable[[], dict[str, Any]]:
    """Reads everything there is in the account, to compare before and after."""
    return lambda: read_inventory(aws)


def read_inventory(session: Any) -> dict[str, Any]:
    """Roles with their policies, buckets with their objects, functions, log groups: by name, with what matters."""
    iam, s3, functions, logs = (session.client(name) for name in ("iam", "s3", "lambda", "logs"))
    roles = iam.get_paginator("list_roles").paginate().build_full_result()["Roles"]
    buckets = s3.list_buckets()["Buckets"]
    return {
        "roles": {
            role["RoleName"]: (
                role["AssumeRolePolicyDocument"],
                iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"],
                iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"],
            )
            for role in roles
        },
        "buckets": {bucket["Name"]: _read_bucket(s3, bucket["Name"]) for bucket in buckets},
        "functions": {
            found["FunctionName"]: found["CodeSha256"] for found in functions.list_functions().get("Functions", [])
        },
        "log groups": sorted(group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]),
    }


def _read_bucket(s3: Any, name: str) -> dict[str, Any]:
    try:
        tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    except ClientError:
        tags = []
    objects = s3.list_objects_v2(Bucket=name).get("Contents", [])
    return {"tags": tags, "objects": {found["Key"]: found["ETag"] for found in objects}}


@pytest.fixture(scope="session")
def podpac() -> Any:
    """podpac, imported late: it takes seconds."""
    return pytest.importorskip("podpac")


def _drop_stubs() -> None:
    """Take podpac's placeholders for packages that are not installed out of ``sys.modules``.

    hypothesis looks at every module there, and a placeholder raises ImportError as soon as it is looked at.
    """
    lazy_import = sys.modules.get("lazy_import")
    if lazy_import is None:
        return
    for name, module in list(sys.modules.items()):
        if issubclass(type(module), lazy_import.LazyModule) and PathFinder.find_spec(name.partition(".")[0]) is None:
            del sys.modules[name]


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_collection_modifyitems() -> Iterator[None]:
    """Before hypothesis collects constants."""
    _drop_stubs()
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before each test."""
    _drop_stubs()
