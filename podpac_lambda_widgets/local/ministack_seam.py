"""The only module that knows ministack's inside: where its Python executor is replaced by ours.

ministack is pinned exactly, because this uses names that it does not promise. :func:`find_seam_faults` says what a
new version changed; tests/local runs it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from importlib import import_module, metadata
from itertools import count
from typing import Any, Protocol

from podpac_lambda_widgets.local.function import Archive, Function, Invocation, Outcome
from podpac_lambda_widgets.local.gate import Application

MINISTACK_VERSION = "1.5.33"
#: The only account there is.
ACCOUNT = "000000000000"

#: Module, name, and the parameters that we rely on; None for what is no function.
_SEAM: tuple[tuple[str, str, list[str] | None], ...] = (
    ("ministack.services.lambda_svc", "_execute_function_warm", ["func", "event", "request_id"]),
    (
        "ministack.services.lambda_svc",
        "_emit_lambda_logs",
        ["func", "request_id", "log_text", "error", "duration_ms", "log_source"],
    ),
    ("ministack.services.lambda_svc", "_resolve_layer_zip", ["attachment"]),
    ("ministack.services.lambda_svc", "_delete_function", ["name", "query_params", "path_qualifier"]),
    ("ministack.services.lambda_svc", "_function_urls", None),
    ("ministack.services.lambda_svc", "_snapstart_provision_version_async", ["name", "ver_record"]),
    ("ministack.core.lambda_runtime", "execution_credentials", ["config"]),
    ("ministack.core.lambda_runtime", "_account_region_from_function_config", ["config"]),
    (
        "ministack.core.iam_evaluator",
        "enforce",
        ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
    ),
    ("ministack.core.iam_evaluator", "evaluate", ["ctx", "policies", "limits"]),
    ("ministack.services.iam", "_simulate_principal_policy", ["p"]),
    ("ministack.services.iam", "_IAM_HANDLERS", None),
    ("ministack.services.cloudwatch_logs", "_log_groups", None),
    ("ministack.app", "app", ["scope", "receive", "send"]),
)


class Invoker(Protocol):
    """What runs functions: the pool."""

    def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one invocation."""


def settings(port: int, directory: str, key_id: str, secret: str) -> dict[str, str]:
    """ministack's settings, as environment variables: to be set before it is imported.

    Its root user gets the given key; without, everybody knows it. The services that listen on ports of their own stay
    off, and so does Docker.
    """
    return {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        # At INFO it logs what functions print.
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "S3_DATA_DIR": f"{directory}/s3",
        "SFTP_ENABLED": "0",
        "STATE_DIR": f"{directory}/state",
        "TMPDIR": directory,
    }


def find_seam_faults() -> list[str]:
    """What is not as we rely on it, in sentences; empty when all is well."""
    faults = []
    version = metadata.version("ministack")
    if version != MINISTACK_VERSION:
        faults.append(f"ministack {version} is installed, the seam was made for {MINISTACK_VERSION}")
    for module_name, name, parameters in _SEAM:
        found = getattr(import_module(module_name), name, None)
        if found is None:
            faults.append(f"{module_name}.{name} is gone")
        elif parameters is not None and list(inspect.signature(found).parameters) != parameters:
            faults.append(f"{module_name}.{name}{inspect.signature(found)} should take ({', '.join(parameters)})")
    return faults


def install(invoker: Invoker) -> Application:
    """Make ministack run Python functions with the invoker; return its ASGI application.

    Raises
    ------
    RuntimeError
        When this ministack is not as we rely on it.
    """
    faults = find_seam_faults()
    if faults:
        raise RuntimeError("ministack does not fit: " + "; ".join(faults))
    service: Any = import_module("ministack.services.lambda_svc")

    def execute(func: Mapping[str, Any], event: object, request_id: str) -> dict[str, object]:
        config = func.get("config") or func
        if not func.get("code_zip"):
            message = "The function has no code: the S3 object that CreateFunction named did not exist."
            return {"body": {"errorType": "Runtime.InvalidCode", "errorMessage": message}, "error": True, "log": ""}
        function = _read_function(config, func["code_zip"])
        invocation = Invocation(request_id, config.get("FunctionArn", ""), json.dumps(event).encode())
        return _to_result(invoker.invoke(function, invocation))

    write_log = service._emit_lambda_logs

    def write_permitted_log(func: Mapping[str, Any], *args: object, **kwargs: object) -> None:
        if _may_write_log(func.get("config") or func):
            write_log(func, *args, **kwargs)

    delete_function = service._delete_function

    def delete_with_url(name: str, query_params: Mapping[str, Any], path_qualifier: str | None = None) -> object:
        # Lambda's URLs go with their function; ministack keeps them for the next one of that name.
        if not (path_qualifier or query_params.get("Qualifier")):
            service._function_urls.pop(name.rpartition(":")[2], None)
        return delete_function(name, query_params, path_qualifier)

    def settle_version(name: str, ver_record: Mapping[str, Any]) -> None:
        # Ours are processes: there is nothing to take a snapshot of, and a version starts as any other.
        ver_record["config"].update(State="Active", StateReason="", StateReasonCode="", LastUpdateStatus="Successful")

    service._snapstart_provision_version_async = settle_version
    service._delete_function = delete_with_url
    service._execute_function_warm = execute
    service._emit_lambda_logs = write_permitted_log
    _install_simulator()
    application: Application = import_module("ministack.app").app
    return application


def _install_simulator() -> None:
    """Have IAM's simulator look at the context that it is asked with, which ministack leaves out."""
    iam: Any = import_module("ministack.services.iam")
    evaluator: Any = import_module("ministack.core.iam_evaluator")
    simulate, decide = iam._simulate_principal_policy, evaluator.evaluate
    context: ContextVar[Mapping[str, Any]] = ContextVar("context")

    def decide_in_context(ctx: Any, *policies: Any) -> Any:
        return decide(replace(ctx, service_context={**ctx.service_context, **context.get({})}), *policies)

    def simulate_in_context(p: Mapping[str, Any]) -> object:
        token = context.set(_context_entries(p))
        try:
            return simulate(p)
        finally:
            context.reset(token)

    evaluator.evaluate = decide_in_context
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate_in_context


def _context_entries(parameters: Mapping[str, Any]) -> dict[str, Any]:
    entries = {}
    for number in count(1):
        prefix = f"ContextEntries.member.{number}"
        key = _first(parameters, f"{prefix}.ContextKeyName")
        if not key:
            break
        entries[key.lower()] = _first(parameters, f"{prefix}.ContextKeyValues.member.1")
    return entries


def _first(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _may_write_log(config: Mapping[str, Any]) -> bool:
    """Whether the function's role lets it log, which ministack does not ask.

    As Lambda does: a role that may not make the log group gets no log until somebody else makes it.
    """
    runtime = import_module("ministack.core.lambda_runtime")
    account, region = runtime._account_region_from_function_config(config)
    group = _log_group(config)
    key_id = runtime.execution_credentials(config)["AWS_ACCESS_KEY_ID"]
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    if group not in import_module("ministack.services.cloudwatch_logs")._log_groups:
        actions.insert(0, "logs:CreateLogGroup")
    resource = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:any"
    enforce = import_module("ministack.core.iam_evaluator").enforce
    return all(enforce(key_id, action, "logs", region, resource) is None for action in actions)


def _log_group(config: Mapping[str, Any]) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def _read_function(config: Mapping[str, Any], code: bytes) -> Function:
    service = import_module("ministack.services.lambda_svc")
    runtime = import_module("ministack.core.lambda_runtime")
    account, region = runtime._account_region_from_function_config(config)
    layers = [(layer, service._resolve_layer_zip(layer)) for layer in config.get("Layers") or ()]
    return Function(
        name=config["FunctionName"],
        version=config.get("Version", "$LATEST"),
        revision=config.get("RevisionId", ""),
        region=region,
        account=account,
        runtime=config.get("Runtime", ""),
        handler=config["Handler"],
        role=config.get("Role", ""),
        code=Archive(config.get("CodeSha256") or hashlib.sha256(code).hexdigest(), code),
        layers=tuple(Archive(layer["Arn"], data) for layer, data in layers if data),
        variables=(config.get("Environment") or {}).get("Variables") or {},
        credentials=runtime.execution_credentials(config),
        timeout=float(config.get("Timeout", 3)),
        memory_mb=int(config.get("MemorySize", 128)),
        ephemeral_storage_mb=int((config.get("EphemeralStorage") or {}).get("Size", 512)),
        log_group=_log_group(config),
    )


def _to_result(outcome: Outcome) -> dict[str, object]:
    body: object = outcome.payload
    if outcome.error or outcome.content_type == "application/json":
        # As objects: ministack looks into them for API Gateway and for destinations.
        body = json.loads(outcome.payload)
    result: dict[str, object] = {"body": body, "log": outcome.log, "log_source": "rie"}
    return {**result, "error": True} if outcome.error else result
