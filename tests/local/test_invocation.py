"""What a function's caller sees, under either runtime client."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from podpac_lambda_widgets.limits import ASYNC_REQUEST_BYTES, SYNC_REQUEST_BYTES, SYNC_RESPONSE_BYTES

pytestmark = pytest.mark.local_aws


def test_the_event_reaches_the_handler_and_its_answer_comes_back(functions):
    source = """
        def handler(event, context):
            return {"event": event, "name": context.function_name, "left": context.get_remaining_time_in_millis(),
                    "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb}
    """
    name = functions.create(source)
    value = functions.invoke(name, {"a": [1, None, "é"]}).value
    assert value["event"] == {"a": [1, None, "é"]}
    assert value["name"] == name
    assert value["arn"].endswith(f":function:{name}")
    assert value["memory"] == "256"
    assert 0 < value["left"] <= 30_000


def test_bytes_come_back_as_they_are(functions):
    answer = functions.run('def handler(event, context):\n    return b"\\x89CDF\\x00\\xff\\xfe"')
    assert answer.error is None
    assert answer.payload == b"\x89CDF\x00\xff\xfe"


@pytest.mark.parametrize(
    ("expression", "payload"),
    [
        ("None", b"null"),
        ("'text'", b'"text"'),
        ("__import__('decimal').Decimal('1.5')", b"1.5"),
        ("{'body': b'abc'}", b'{"body": "abc"}'),
    ],
)
def test_values_come_back_as_json(functions, expression, payload):
    assert functions.run(f"def handler(event, context):\n    return {expression}").payload == payload


@pytest.mark.parametrize("expression", ["object()", "{'body': b'\\xff'}", "bytearray(b'a')"])
def test_what_json_cannot_hold_is_a_marshal_error(functions, expression):
    answer = functions.run(f"def handler(event, context):\n    return {expression}")
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == "Runtime.MarshalError"


def test_an_exception_comes_back_with_its_type_and_trace_and_the_environment_lives_on(functions):
    source = """
        import os

        def inner(event):
            raise LookupError("no such thing: " + event)

        def handler(event, context):
            return inner(event) if event else os.getpid()
    """
    name = functions.create(source)
    before = functions.invoke(name).value
    answer = functions.invoke(name, "x")
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == "LookupError"
    assert answer.value["errorMessage"] == "no such thing: x"
    assert "in inner" in "".join(answer.value["stackTrace"])
    assert "main.py" in answer.value["stackTrace"][0]
    assert "[ERROR] LookupError: no such thing: x" in answer.log
    assert functions.invoke(name).value == before


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("import no_such_module", "main.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "main.handler", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "main.handler", "Runtime.HandlerNotFound"),
        ("x = 1", "nothing.handler", "Runtime.ImportModuleError"),
        ("x = 1", "sys.exit", "Runtime.BuiltInModuleConflict"),
        ("1 / 0", "main.handler", "ZeroDivisionError"),
        ("import sys; sys.exit(2)", "main.handler", "Runtime.ExitError"),
    ],
)
def test_code_that_cannot_be_loaded_says_why(functions, source, handler, error_type):
    answer = functions.run(source, Handler=handler)
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == error_type
    assert answer.value["errorMessage"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("exit(4)", "Runtime exited with error: exit status 4"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
    ],
)
def test_a_handler_that_ends_its_process_is_an_exit_error(functions, statement, message):
    answer = functions.run(f"import os, sys\ndef handler(event, context):\n    {statement}")
    assert answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"].endswith(message)
    assert "Status: error\tError Type: Runtime.ExitError" in answer.log


def test_a_function_out_of_time_is_stopped_and_the_next_invocation_gets_a_new_environment(functions):
    source = """
        import os, threading

        def handler(event, context):
            if event == "wait":
                threading.Event().wait()
            return os.getpid()
    """
    name = functions.create(source, Timeout=1)
    before = functions.invoke(name).value
    answer = functions.invoke(name, "wait")
    assert answer.value["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(r"RequestId: \S+ Error: Task timed out after 1.00 seconds", answer.value["errorMessage"])
    assert "Task timed out after 1.00 seconds" in answer.log
    assert functions.invoke(name).value != before


def test_a_function_out_of_memory_is_stopped(functions):
    source = """
        import threading

        def handler(event, context):
            kept = bytearray(b"x") * (600 * 1024 * 1024)
            threading.Event().wait()
    """
    answer = functions.run(source)
    assert answer.value["errorType"] == "Runtime.OutOfMemory"
    assert answer.value["errorMessage"].endswith("signal: killed")
    assert "Max Memory Used: 256 MB" in answer.log


def test_memory_of_child_processes_counts(functions):
    source = """
        import subprocess, sys

        def handler(event, context):
            code = "import threading; kept = bytearray(b'x') * (600 * 1024 * 1024); threading.Event().wait()"
            subprocess.run([sys.executable, "-c", code])
    """
    assert functions.run(source).value["errorType"] == "Runtime.OutOfMemory"


def test_a_response_is_limited_to_the_byte(functions):
    name = functions.create("def handler(event, context):\n    return bytes(event)")
    assert len(functions.invoke(name, SYNC_RESPONSE_BYTES).payload) == SYNC_RESPONSE_BYTES
    answer = functions.invoke(name, SYNC_RESPONSE_BYTES + 1)
    assert answer.value["errorType"] == "Function.ResponseSizeTooLarge"
    assert str(SYNC_RESPONSE_BYTES) in answer.value["errorMessage"]


def test_requests_above_the_limit_of_their_kind_are_refused(default):
    name = default.create("def handler(event, context):\n    return len(event)")
    assert default.invoke(name, "x" * (SYNC_REQUEST_BYTES - 2)).value == SYNC_REQUEST_BYTES - 2
    for kind, limit in (("RequestResponse", SYNC_REQUEST_BYTES), ("Event", ASYNC_REQUEST_BYTES)):
        with pytest.raises(ClientError) as caught:
            default.client.invoke(FunctionName=name, InvocationType=kind, Payload=b'"' + b"x" * (limit - 1) + b'"')
        assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_request_that_is_not_json_is_refused(default):
    name = default.create("def handler(event, context):\n    return event")
    with pytest.raises(default.client.exceptions.InvalidRequestContentException):
        default.client.invoke(FunctionName=name, Payload=b"{not json")


def test_what_the_handler_prints_is_in_the_tail_and_in_the_log_group(functions):
    source = """
        import logging, os, sys

        print("while loading")

        def handler(event, context):
            print("printed")
            print("to stderr", file=sys.stderr)
            logging.getLogger().warning("logged")
            os.write(1, b'{"fake": "response"}\\n')
            return "done"
    """
    allowed = functions.role({"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
    name = functions.create(source, role=allowed)
    answer = functions.invoke(name)
    assert answer.value == "done"
    lines = answer.log.splitlines()
    assert lines[0] == "while loading"
    assert lines[1].startswith("START RequestId: ")
    assert {"printed", "to stderr", '{"fake": "response"}'} <= set(lines)
    request_id = lines[1].split()[2]
    assert any(re.fullmatch(rf"\[WARNING\]\t\S+Z\t{request_id}\tlogged", line) for line in lines)
    pattern = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: [1-9]\d* MB"
    assert re.search(rf"REPORT RequestId: {request_id}\t{pattern}\tInit Duration: [\d.]+ ms", answer.log)
    events = functions.session.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert [event["message"] for event in events] == lines


def test_a_warm_environment_keeps_its_globals_and_reports_no_initialisation(functions):
    name = functions.create("calls = []\ndef handler(event, context):\n    calls.append(1)\n    return len(calls)")
    assert "Init Duration" in functions.invoke(name).log
    second = functions.invoke(name)
    assert second.value == 2
    assert "Init Duration" not in second.log


def test_invocations_at_the_same_time_have_environments_of_their_own(functions):
    source = """
        import os, threading

        def handler(event, context):
            threading.Event().wait(0.5)
            return os.getpid()
    """
    name = functions.create(source)
    with ThreadPoolExecutor(4) as threads:
        pids = list(threads.map(lambda _: functions.invoke(name).value, range(4)))
    assert len(set(pids)) == 4


def test_new_code_or_configuration_runs_in_a_new_environment(functions):
    name = functions.create("import os\ndef handler(event, context):\n    return [os.getpid(), os.environ.get('A')]")
    first, _ = functions.invoke(name).value
    functions.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "1"}})
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    second, variable = functions.invoke(name).value
    assert (second != first, variable) == (True, "1")
    functions.client.update_function_code(
        FunctionName=name, ZipFile=functions.zipped({"main.py": "def handler(event, context):\n    return 'new'"})
    )
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert functions.invoke(name).value == "new"


def test_a_function_that_is_made_again_starts_cold(default):
    source = "calls = []\ndef handler(event, context):\n    calls.append(1)\n    return len(calls)"
    name = default.create(source, FunctionName="made-again")
    assert default.invoke(name).value == 1
    default.client.delete_function(FunctionName=name)
    assert default.invoke(default.create(source, FunctionName="made-again")).value == 1


def test_a_runtime_without_interpreter_is_refused_rather_than_replaced(default):
    answer = default.run("def handler(event, context):\n    return 1", Runtime="python3.9")
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == "Runtime.InvalidRuntime"
    assert "python3.9" in answer.value["errorMessage"]


def test_layers_are_found_where_lambda_has_them(functions):
    layers = [
        functions.client.publish_layer_version(LayerName=name, Content={"ZipFile": functions.zipped(files)})[
            "LayerVersionArn"
        ]
        for name, files in (("one", {"python/one.py": "x = 1"}), ("two", {"python/two.py": "x = 2"}))
    ]
    source = "import one, two\ndef handler(event, context):\n    return one.x + two.x"
    assert functions.run(source, Layers=layers).value == 3


def test_a_function_logs_no_more_than_its_role_may(default):
    logs = default.session.client("logs")
    source = "def handler(event, context):\n    print(event)"
    groups = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/function-*:*"
    write = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": groups}
    silent, writing = default.create(source), default.create(source, role=default.role(write))
    for name in (silent, writing):
        default.invoke(name, "before")
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")
        logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
        default.invoke(name, "after")
    messages = [
        [event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        for name in (silent, writing)
    ]
    assert messages[0] == []
    assert "after" in messages[1] and "before" not in messages[1]
