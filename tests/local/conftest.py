"""An embedded AWS to test with, and functions in it."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from textwrap import dedent
from typing import Any

import pytest

from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.pool import can_isolate
from podpac_lambda_widgets.local.runtimes import choose_client, host_runtime
from podpac_lambda_widgets.local.session import LocalSession

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_numbers = count(1)


def zipped(files: dict[str, str]) -> bytes:
    """A zip archive of text files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, dedent(text))
    return data.getvalue()


@dataclass(frozen=True)
class Answer:
    """What Invoke returned."""

    payload: bytes
    error: str | None
    log: str

    @property
    def value(self) -> Any:
        return json.loads(self.payload)


class Functions:
    """Makes and invokes functions of one embedded AWS."""

    zipped = staticmethod(zipped)

    def __init__(self, session: LocalSession) -> None:
        self.session = session
        self.client = session.client("lambda")

    def role(self, *statements: dict[str, object]) -> str:
        """Make a role that allows these statements; its ARN."""
        iam, name = self.session.client("iam"), f"role-{next(_numbers)}"
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="run", PolicyDocument=document)
        return arn

    def create(self, source: str, *, role: str | None = None, **configuration: Any) -> str:
        """Make a function of a module with a ``handler``; its name. It serves while it is pending, too."""
        settings = {
            "FunctionName": f"function-{next(_numbers)}",
            "Runtime": host_runtime(),
            "Handler": "main.handler",
            "Timeout": 30,
            "MemorySize": 256,
        }
        code = {"ZipFile": zipped({"main.py": source})}
        settings |= configuration
        self.client.create_function(Role=role or self.role(), Code=code, **settings)
        return str(settings["FunctionName"])

    def invoke(self, name: str, event: object = None) -> Answer:
        """Invoke and wait for the answer."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return Answer(answer["Payload"].read(), answer.get("FunctionError"), log)

    def run(self, source: str, event: object = None, **configuration: Any) -> Answer:
        """Make a function and invoke it once."""
        return self.invoke(self.create(source, **configuration), event)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalSession]:
    """The embedded AWS as users get it."""
    with local_aws() as session:
        yield session


@pytest.fixture(scope="session")
def plain_aws() -> Iterator[LocalSession]:
    """The embedded AWS as it is where neither namespaces nor AWS's runtime client are to be had."""
    with local_aws(runtime_client="pure", isolate=False) as session:
        yield session


@pytest.fixture(params=["awslambdaric", "pure"])
def functions(request: pytest.FixtureRequest) -> Functions:
    """Functions under either runtime client; the rule tested holds for both."""
    if request.param == "awslambdaric" and choose_client(host_runtime()) != "awslambdaric":
        pytest.skip("awslambdaric has no wheel for this machine")
    return Functions(request.getfixturevalue("aws" if request.param == "awslambdaric" else "plain_aws"))


@pytest.fixture
def isolated(aws: LocalSession) -> Functions:
    """Functions with namespaces."""
    if not can_isolate():
        pytest.skip("this machine does not allow user namespaces with mounts")
    return Functions(aws)


@pytest.fixture
def plain(plain_aws: LocalSession) -> Functions:
    """Functions without namespaces."""
    return Functions(plain_aws)


@pytest.fixture
def default(aws: LocalSession) -> Functions:
    """Functions as this machine runs them."""
    return Functions(aws)


@pytest.fixture
def make_functions() -> type[Functions]:
    """Functions of an embedded AWS that the test starts itself."""
    return Functions
