"""Copy as code: Python that does, in a process where nothing was run before, what the forms do."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.code import Code, join_code, literal, write_call
from podpac_lambda_widgets.widgets.deploy_fields import node_arguments

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_a_literal_is_read_as_the_value_it_was_written_for(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value


@given(st.lists(st.text(max_size=60), max_size=4))
def test_a_call_hands_on_what_was_typed_whatever_it_is(texts: list[str]) -> None:
    arguments = {f"n{number}": literal(text) for number, text in enumerate(texts)}
    arguments["last"] = 'ask("x")  # Asked for.'
    [statement] = ast.parse("\n".join(write_call("f", arguments, variable="v"))).body
    assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
    given_texts = [keyword.value for keyword in statement.value.keywords][:-1]
    assert [ast.literal_eval(each) for each in given_texts] == texts


def test_imports_come_first_and_once() -> None:
    parts = [Code("One", ("a = 1",), ("import json",)), Code("Two", ()), Code("Three", ("b = 2",), ("import json",))]
    assert join_code(parts) == (
        "import json\n\nimport podpac_lambda_widgets as plw\n\n# One\na = 1\n\n# Three\nb = 2\n"
    )


def test_only_what_differs_from_the_defaults_is_written() -> None:
    deployment = Deployment(function_memory=4096, function_tags={"a": "b"})
    assert node_arguments(deployment, {}) == {
        "session": "session", "function_name": '"podpac-lambda-autogen"', "function_memory": "4096",
        "function_tags": '{"a": "b"}',
    }  # fmt: skip


def test_a_profile_is_named_in_code(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.credentials, "profile", "lab")
    front_end.type(studio.credentials, "region", "eu-west-1")
    assert 'session = plw.connect(profile="lab", region_name="eu-west-1")' in studio.credentials.as_code()


def test_a_key_is_in_code_and_its_secret_is_not(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.credentials, "access_key_id", "ASIAIOSFODNN7EXAMPLE")
    front_end.type_secret(studio.credentials, "secret_access_key", "s3cr3t/KEY")
    front_end.type_secret(studio.credentials, "session_token", "t0ken/TOKEN")
    before = studio.credentials.as_code()
    studio.credentials.connect()
    studio.wait(10)
    for code in (before, studio.as_code()):
        assert "s3cr3t" not in code
        assert "t0ken" not in code
        assert 'secret_access_key=getpass("Secret access key: "),  # ' in code
        assert 'session_token=getpass("Session token: "),' in code
        compile(code, "code", "exec")


def test_code_is_of_the_way_in_that_was_taken_and_not_of_what_was_typed_since(studio: Studio, front_end: Any) -> None:
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    front_end.type(studio.credentials, "profile", "lab")
    assert "session = plw.local_aws()" in studio.credentials.as_code()


def test_archives_elsewhere_are_arguments_of_the_function(studio: Studio) -> None:
    studio.source.source.function_source_bucket = "my-bucket"
    studio.source.source.function_source_dist_key = "a/podpac_dist.zip"
    studio.source.source.function_source_dependencies_key = "a/podpac_deps.zip"
    code = studio.deploy.as_code()
    assert 'function_source_bucket="my-bucket"' in code
    assert "plw.build_package" not in code


def test_what_is_typed_is_no_code(studio: Studio, front_end: Any) -> None:
    """Quotes, ends of lines and marks of comments stay inside of the text."""
    evil = 'x.zip"); import os; os.abort()  # \n'
    front_end.type(studio.source, "function_source_dist_zip", evil)
    front_end.type(studio.source, "function_source_dependencies_zip", "'\"\\")
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    tree = ast.parse(studio.as_code())
    called = [ast.unparse(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call)]
    assert sorted(called) == [
        "cloud.build", "cloud.plan", "node.run", "plw.Lambda", "plw.Lambda", "plw.inspect_package", "plw.local_aws",
        "print", "print",
    ]  # fmt: skip
    assert evil.strip() in [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)]


def test_the_front_end_is_given_the_code_or_why_there_is_none(
    studio: Studio, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(studio.deploy, "send", lambda content, buffers=None: sent.append(content))
    monkeypatch.setattr(studio, "send", lambda content, buffers=None: sent.append(content))
    front_end.send(studio.deploy, {"type": "code", "view": "v1"})
    front_end.send(studio, {"type": "code", "view": "v1"})
    front_end.type(studio.deploy, "function_memory", "1")
    front_end.send(studio.deploy, {"type": "code", "view": "v2"})
    alone, joined, none = sent
    assert (alone["type"], alone["view"], joined["view"]) == ("code", "v1", "v1")
    # The page's own code goes on where the form's ends.
    assert joined["code"].startswith(alone["code"])
    assert "# Run\n" in joined["code"].removeprefix(alone["code"])
    assert none == {"type": "code", "view": "v2", "error": "Correct what is marked: Memory (MB)."}


def test_a_run_is_written_with_its_pipeline_its_coordinates_and_its_way(studio: Studio, front_end: Any) -> None:
    front_end.press(studio.pipeline, "example_2")
    front_end.type(studio.pipeline, "way", "async")
    assigned = {ast.unparse(each.targets[0]): each.value for each in ast.walk(ast.parse(studio.pipeline.as_code()))
                if isinstance(each, ast.Assign)}  # fmt: skip
    assert ast.literal_eval(assigned["pipeline"]) == studio.pipeline.read_pipeline().definition
    assert ast.literal_eval(assigned["coordinates"]) == studio.pipeline.read_coordinates().definition
    assert ast.unparse(assigned["result"]) == "node.submit(coordinates, way='async').result()"
    front_end.type(studio.pipeline, "pipeline", '{"a": {"node": "data.Array", "attrs": {"source": [NaN]}}}')
    code = studio.pipeline.as_code()
    assert "import json\n" in code
    compile(code, "code", "exec")
    front_end.type(studio.pipeline, "pipeline", "nothing")
    with pytest.raises(ValueError, match="Correct what is marked: Pipeline"):
        studio.pipeline.as_code()


_LOOK = """
import json
said = session.client("lambda").get_function_configuration(FunctionName="soil-1")
same = cloud.plan().is_empty
print(json.dumps([bool(cloud.validate()), said["MemorySize"], said["Timeout"], same, result.array.shape]))
session.stop()
"""


@pytest.mark.local_aws
@pytest.mark.archive
def test_the_joined_code_does_the_same_in_a_fresh_process(studio: Studio, front_end: Any, repository: Path) -> None:
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    studio.source.directory = repository / "dist" / "aws"
    for name, typed in (("name", "soil-1"), ("memory", "1024"), ("timeout", "120"), ("tags", "project=so il")):
        front_end.type(studio.deploy, f"function_{name}", typed)
    done = subprocess.run(
        [sys.executable, "-c", studio.as_code() + _LOOK],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [True, 1024, 120, True, [180, 180, 1]]
