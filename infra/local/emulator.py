"""Starts ministack and adds what it lacks compared with AWS. README.md lists every gap.

`cargo xtask up` runs this file with the pinned ministack. Each addition replaces one function of that version by name,
so the file refuses any other version: a developer must review the additions first.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.parse
from importlib.metadata import version

MINISTACK = "1.5.33"
TTL_PASS_SECONDS = 60
# Most processes of one function at a time; further calls wait for a free one. On a small machine few processes serve a burst
# faster than one new process per call.
WORKERS_PER_FUNCTION = int(os.environ.get("WORKERS_PER_FUNCTION", "16"))

if version("ministack") != MINISTACK:
    sys.exit(f"infra/local/emulator.py was written for ministack {MINISTACK}, this is {version('ministack')}")


def import_without_ttl_thread():
    """Imports ministack's DynamoDB without its TTL thread, which deletes without a stream record."""
    start = threading.Thread.start

    def start_others(thread):
        if thread.name != "dynamodb-ttl-reaper":
            start(thread)

    threading.Thread.start = start_others
    try:
        from ministack.services import dynamodb
    finally:
        threading.Thread.start = start
    return dynamodb


dynamodb = import_without_ttl_thread()

from ministack import app  # noqa: E402
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # noqa: E402
from ministack.core.responses import _request_account_id, _request_region, json_response  # noqa: E402
from ministack.services import apigateway_v1, cloudfront, cloudfront_keyvaluestore, lambda_svc, stepfunctions  # noqa: E402
from ministack.services.cloudformation import provisioners  # noqa: E402

import hypercorn.config  # noqa: E402
import streams  # noqa: E402


def keep_ttl_of_templates():
    """Applies CloudFormation's TimeToLiveSpecification to the table."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]

    def with_ttl(provision, table_name_of):
        def provision_with_ttl(*args):
            result = provision(*args)
            specification = args[-2].get("TimeToLiveSpecification")
            if specification:
                dynamodb._update_ttl({"TableName": table_name_of(result), "TimeToLiveSpecification": specification})
            return result

        return provision_with_ttl

    # create(logical_id, properties, stack_name) returns the physical id first.
    handlers["create"] = with_ttl(handlers["create"], lambda result: result[0])


def delete_expired_items():
    """Deletes the expired items of every table and writes the stream records that AWS writes."""
    now = time.time()
    for (account, region, name), setting in list(dynamodb._ttl_settings.all_items()):
        table = dynamodb._tables.get_scoped(account, region, name)
        if not table or setting.get("TimeToLiveStatus") != "ENABLED":
            continue
        account_token, region_token = _request_account_id.set(account), _request_region.set(region)
        try:
            with dynamodb._lock:
                expired = [
                    (pk, sk, item)
                    for pk, items in table["items"].items()
                    for sk, item in items.items()
                    if float((item.get(setting["AttributeName"]) or {}).get("N", "inf")) <= now
                ]
                for pk, sk, item in expired:
                    dynamodb._remove_item(table, pk, sk)
                    written = dynamodb.stream_end_position(name)
                    dynamodb._emit_stream_event(name, "REMOVE", item, None)
                    for record in dynamodb.stream_records_since(name, written, 1):
                        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        finally:
            _request_account_id.reset(account_token)
            _request_region.reset(region_token)


def run_ttl():
    """Deletes expired items once a minute for as long as the emulator lives."""
    while True:
        time.sleep(TTL_PASS_SECONDS)
        try:
            delete_expired_items()
        except Exception as error:  # one failed pass must not end TTL
            dynamodb.logger.error("TTL pass failed: %s", error)


def import_gateway_responses():
    """Applies `x-amazon-apigateway-gateway-responses` of an imported API."""
    import_rest_api = apigateway_v1._import_rest_api

    def import_with_responses(specification, *args):
        api_id = import_rest_api(specification, *args)
        for kind, response in (specification.get("x-amazon-apigateway-gateway-responses") or {}).items():
            apigateway_v1._put_gateway_response(api_id, kind, response)
        return api_id

    apigateway_v1._import_rest_api = import_with_responses


def start_running_execution_again():
    """Answers StartExecution with the name and input of a running execution as the first call was answered."""
    start_execution = stepfunctions._start_execution

    def start(data):
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn", ""))
        if machine and data.get("name"):
            arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + ":" + data["name"]
            execution = stepfunctions._executions.get(arn)
            if execution and execution["status"] == "RUNNING" and execution["input"] == data.get("input", "{}"):
                return json_response({"executionArn": arn, "startDate": execution["startDate"]})
        return start_execution(data)

    stepfunctions._start_execution = start


def bound_workers():
    """Limits a function to WORKERS_PER_FUNCTION processes; further calls wait. No function here calls another."""
    slots, guard = {}, threading.Lock()

    def slot_of(name):
        with guard:
            return slots.setdefault(name, threading.BoundedSemaphore(WORKERS_PER_FUNCTION))

    invoke = lambda_svc._execute_function_provided_warm

    def invoke_in_turn(function, event, request_id):
        with slot_of((function.get("config") or function).get("FunctionName")):
            return invoke(function, event, request_id)

    lambda_svc._execute_function_provided_warm = invoke_in_turn


def hurry_log_lines():
    """Waits 5 ms instead of 50 for the log lines of a call; late lines go to the log of the next call."""
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_soon(worker, first_line_wait=0.005, idle_confirm=0.002, hard_cap=0.25):
        return drain(worker, first_line_wait, idle_confirm, hard_cap)

    lambda_runtime.Worker._drain_stderr_bounded = drain_soon


def send_at_once():
    """Sends events to functions without Nagle's algorithm, which costs 40 ms per call on a kept connection."""
    build = lambda_runtime.ProvidedWorker._build_handler_class

    def build_without_nagle(worker, *args):
        handler = build(worker, *args)
        handler.disable_nagle_algorithm = True
        return handler

    lambda_runtime.ProvidedWorker._build_handler_class = build_without_nagle


def enforce_policies_of_functions():
    """Checks the calls of functions against their roles' policies. Any other caller may do anything, signed or not.

    On AWS, the action of SendMessageBatch is sqs:SendMessage, and a task token is checked against its state machine. Here the
    token does not tell which one that is, so the right for any state machine will do.
    """
    app.AUTH = True
    enforce = iam_evaluator.enforce

    def enforce_for_roles(access_key, action, *args, **kwargs):
        of_a_role = (access_key or "").startswith("ASIA")  # only roles have temporary credentials here
        action = "sqs:SendMessage" if action == "sqs:SendMessageBatch" else action
        if of_a_role and action == "states:SendTaskSuccess":
            denials = [enforce(access_key, action, *args, resource_arn=arn) for arn in stepfunctions._state_machines]
            return None if None in denials else denials[0]
        return enforce(access_key, action, *args, **kwargs) if of_a_role else None

    iam_evaluator.enforce = enforce_for_roles
    app._authenticate_only = lambda *_: None


def read_concurrency_of_mappings():
    """Reads MaximumConcurrency as a number: from a parameter of a template it arrives as text."""
    concurrency_of = lambda_svc._sqs_esm_concurrency

    def concurrency_of_number(mapping, *args):
        scaling = mapping.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            mapping = mapping | {"ScalingConfig": scaling | {"MaximumConcurrency": int(scaling["MaximumConcurrency"])}}
        return concurrency_of(mapping, *args)

    lambda_svc._sqs_esm_concurrency = concurrency_of_number


def wait_for_task_tokens():
    """Lets a state with waitForTaskToken compute its TimeoutSeconds, and fail when its function fails."""
    execute_task, call_lambda = stepfunctions._execute_task, stepfunctions._call_lambda
    is_callback = threading.local()

    def execute(state, raw_input, execution, ctx):
        if not str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            return execute_task(state, raw_input, execution, ctx)
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", raw_input, ctx)
            state = state | {"TimeoutSeconds": int(seconds)}
        is_callback.now = True
        try:
            return execute_task(state, raw_input, execution, ctx)
        finally:
            is_callback.now = False

    def call(function, event):
        try:
            return call_lambda(function, event)
        except stepfunctions._ExecutionError as error:
            if getattr(is_callback, "now", False):
                # ministack forgets this error and waits; a token that has failed is not waited for.
                token = event.get("task_token") if isinstance(event, dict) else None
                waiting = stepfunctions._task_tokens.get(token)
                if waiting:
                    waiting["error"] = {"Error": error.error, "Cause": error.cause}
                    waiting["event"].set()
            raise

    stepfunctions._execute_task, stepfunctions._call_lambda = execute, call


def give_functions_their_stores():
    """Writes what a KeyValueStore has into the code of a CloudFront Function that imports it: ministack refuses the import."""
    live_code = cloudfront.live_function_code
    found = b"import cf from 'cloudfront';"

    def code_with_store(arn):
        code = live_code(arn)
        if not code or found not in code:
            return code
        values = {}
        for store in cloudfront._functions[arn.rsplit("/", 1)[-1]].get("kvs_arns", []):
            values.update((cloudfront_keyvaluestore._stores.get(store) or {}).get("items", {}))
        get = "if (!values.has(key)) throw new Error('KeyNotFound'); return values.get(key);"
        store = f"const values = new Map({json.dumps(list(values.items()))}); const cf = {{kvs: () => ({{get: async (key) => {{{get}}}}})}};"
        return code.replace(found, store.encode())

    cloudfront.live_function_code = code_with_store


def name_stores_in_policies():
    """Says which KeyValueStore a request is about: ministack compares such a request with policies for `*` only."""
    resource_of = iam_actions.extract_resource_arn

    def resource(service, method, path, *others):
        stores = "/key-value-stores/"
        if service == "cloudfront-keyvaluestore" and path.startswith(stores):
            return urllib.parse.unquote(path.removeprefix(stores)).partition("/keys")[0]
        return resource_of(service, method, path, *others)

    iam_actions.extract_resource_arn = resource


def end_with_stdin():
    """Ends when the parent process has ended in any way: stdin, a pipe from the parent, is then closed."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    if os.environ.get("END_WITH_STDIN"):
        threading.Thread(target=end_with_stdin, daemon=True).start()
    keep_ttl_of_templates()
    import_gateway_responses()
    start_running_execution_again()
    wait_for_task_tokens()
    bound_workers()
    read_concurrency_of_mappings()
    hurry_log_lines()
    send_at_once()
    enforce_policies_of_functions()
    give_functions_their_stores()
    name_stores_in_policies()
    lambda_svc._poll_dynamodb_streams = streams.poll
    hypercorn.config.Config.backlog = 1024  # for 300 connections at once; the default is 100
    threading.Thread(target=run_ttl, daemon=True, name="ttl").start()
    app.main()
