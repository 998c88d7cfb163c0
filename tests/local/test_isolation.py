"""What a function can see and touch of the machine it runs on."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.runtimes import host_runtime

pytestmark = pytest.mark.local_aws

PROBE = """
    import errno, os, tempfile

    def write(path, megabytes=0):
        try:
            with open(path, "wb") as file:
                file.write(b"x" * (megabytes * 1024 * 1024 or 1))
            return "written"
        except OSError as error:
            return errno.errorcode[error.errno]

    def handler(event, context):
        return {name: eval(text) for name, text in event.items()}
"""
#: Variables that AWS's guide lists for the Python runtimes, and what points clients to the emulator instead of AWS.
DOCUMENTED = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_CONTEXT_MISSING",
    "GDAL_CONFIG_FILE",
    "HOME",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "NO_PROXY",
    "PATH",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
}


#: What a private /tmp shows all the same: an interpreter that is installed there.
KEPT = sorted({Path(place).parts[2] for place in (sys.prefix, sys.base_prefix) if place.startswith("/tmp/")})


def test_the_environment_holds_what_lambda_sets_and_the_functions_own_variables(functions):
    own = {"Variables": {"MY_SETTING": "1", "AWS_LAMBDA_FUNCTION_NAME": "another"}}
    name = functions.create(PROBE, Environment=own)
    variables = functions.invoke(name, {"variables": "dict(os.environ)"}).value["variables"]
    assert set(variables) - {"TMPDIR"} == DOCUMENTED - {"TMPDIR"} | {"MY_SETTING"}
    assert variables["MY_SETTING"] == "1"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert variables["AWS_EXECUTION_ENV"] == f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}"


def test_of_the_hosts_packages_only_boto3_is_visible(functions):
    source = """
        import importlib.util

        def handler(event, context):
            return [name for name in event if importlib.util.find_spec(name)]
    """
    names = ["boto3", "botocore", "urllib3", "json", "numpy", "xarray", "ministack", "podpac_lambda_widgets", "pytest"]
    assert functions.run(source, names).value == ["boto3", "botocore", "urllib3", "json"]


def test_modules_beside_the_handler_are_found(functions):
    name = functions.create("def handler(e, c):\n    return 0")
    files = {"main.py": "from package.inner import x\ndef handler(e, c):\n    return x", "package/inner.py": "x = 7"}
    functions.client.update_function_code(FunctionName=name, ZipFile=functions.zipped(files))
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert functions.invoke(name).value == 7


def test_with_namespaces_a_function_sees_lambdas_paths(isolated):
    seen = isolated.run(
        PROBE,
        {
            "cwd": "os.getcwd()",
            "file": "__file__",
            "tmp": "sorted(os.listdir('/tmp'))",
            "var": "sorted(os.listdir('/var'))",
        },
    ).value
    assert seen == {"cwd": "/var/task", "file": "/var/task/main.py", "tmp": KEPT, "var": ["runtime", "task"]}


def test_with_namespaces_only_tmp_can_be_written(isolated):
    places = ["/tmp/a", "/var/task/a", "/var/a", "/etc/a", "/usr/a"]
    seen = isolated.run(PROBE, {place: f"write({place!r})" for place in places}).value
    assert seen == {place: "written" if place == "/tmp/a" else "EROFS" for place in places}


def test_with_namespaces_functions_do_not_share_tmp(isolated):
    first, second = isolated.create(PROBE), isolated.create(PROBE)
    assert isolated.invoke(first, {"x": "write('/tmp/mine')"}).value == {"x": "written"}
    assert isolated.invoke(first, {"x": "sorted(os.listdir('/tmp'))"}).value == {"x": sorted([*KEPT, "mine"])}
    assert isolated.invoke(second, {"x": "sorted(os.listdir('/tmp'))"}).value == {"x": KEPT}


def test_with_namespaces_tmp_is_as_large_as_the_ephemeral_storage(isolated):
    configuration = {"MemorySize": 2048, "EphemeralStorage": {"Size": 512}}
    fits = "[write('/tmp/a', 250), write('/tmp/b', 250), write('/tmp/c', 50), os.remove('/tmp/a'), os.remove('/tmp/b')]"
    assert isolated.run(PROBE, {"x": fits}, **configuration).value["x"][:3] == ["written", "written", "ENOSPC"]
    configuration["EphemeralStorage"] = {"Size": 600}
    assert isolated.run(PROBE, {"x": fits}, **configuration).value["x"][:3] == ["written"] * 3


def test_with_namespaces_an_interpreter_below_a_covered_directory_still_runs(isolated, make_functions, tmp_path):
    venv.create(tmp_path / "venv", symlinks=True)
    python = {host_runtime(): str(tmp_path / "venv" / "bin" / "python")}
    with local_aws(python=python, isolate=True) as session:
        source = "import sys\ndef handler(event, context):\n    return sys.executable"
        assert make_functions(session).run(source).value == python[host_runtime()]


def test_without_namespaces_functions_have_temporary_directories_of_their_own(plain):
    first, second = plain.create(PROBE), plain.create(PROBE)
    ask = {"where": "tempfile.gettempdir()", "x": "write(tempfile.gettempdir() + '/mine')"}
    one, two = plain.invoke(first, ask).value, plain.invoke(second, ask).value
    assert one["x"] == two["x"] == "written"
    assert one["where"] != two["where"]
    assert plain.invoke(first, {"x": "os.listdir(tempfile.gettempdir())"}).value == {"x": ["mine"]}
