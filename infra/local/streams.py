"""Feeds DynamoDB streams to Lambda as AWS does, in place of ministack's poller.

Adds what the poller lacks: batch item failures, the batching window, bisection, and the retry limit with its on-failure
destination. A slow function of one stream holds up no queue. A table's stream has one shard here.
"""

import threading
import time
from dataclasses import dataclass, field

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import dynamodb, lambda_svc

RETRY_SECONDS = 1.0


@dataclass
class Reader:
    """How far one event source mapping has read, and the state of its present batch."""

    position: int
    running: bool = False
    waits_since: float | None = None  # when the oldest unread record was first seen
    not_before: float = 0.0
    failures: int = 0
    batch_size: int | None = None  # smaller than the mapping's while a failing batch is being halved
    lock: threading.Lock = field(default_factory=threading.Lock)


_readers: dict[str, Reader] = {}


def poll():
    """Starts the batches that are due. Returns whether there was one. Only ministack's poll loop calls it."""
    started = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        account_token, region_token = _request_account_id.set(account), _request_region.set(region)
        try:
            started = _start_batch(mapping) or started
        finally:
            _request_account_id.reset(account_token)
            _request_region.reset(region_token)
    return started


def _start_batch(mapping):
    table = _table_of(mapping)
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if table is None or function is None or not mapping.get("Enabled", True):
        return False
    reader = _readers.get(mapping["UUID"])
    if reader is None:
        from_start = mapping.get("StartingPosition") == "TRIM_HORIZON"
        first = dynamodb.stream_start_position(table) if from_start else dynamodb.stream_end_position(table)
        reader = _readers.setdefault(mapping["UUID"], Reader(first))
    if reader.running or time.monotonic() < reader.not_before:
        return False
    reader.position = max(reader.position, dynamodb.stream_start_position(table))
    size = reader.batch_size or mapping.get("BatchSize", 100)
    records = dynamodb.stream_records_since(table, reader.position, size)
    # Filters each record by itself, so that every record keeps its place in the stream.
    batch = [(place, record) for place, record in enumerate(records) if lambda_svc._apply_filter_criteria([record], mapping)]
    if not batch:
        reader.position += len(records)
        return bool(records)
    if len(records) < size and _window_is_open(reader, mapping):
        return False
    reader.waits_since, reader.running = None, True
    lambda_svc._dispatch_esm_batch(mapping["UUID"], _run_batch, mapping, function, reader, batch, len(records))
    return True


def _table_of(mapping):
    try:
        source = parse_arn(mapping.get("EventSourceArn", ""))
    except ArnParseError:
        return None
    if source.service != "dynamodb":
        return None
    named = lambda_svc._dynamodb_stream_table_from_arn_spec(source)
    table = dynamodb._tables.get(named[0]) if named else None
    return named[0] if table and table.get("LatestStreamArn") == mapping["EventSourceArn"] else None


def _window_is_open(reader, mapping):
    window = mapping.get("MaximumBatchingWindowInSeconds", 0)
    if not window:
        return False
    now = time.monotonic()
    if reader.waits_since is None:
        reader.waits_since = now
        threading.Timer(window, lambda_svc._esm_wake.set).start()
    return now < reader.waits_since + window


def _run_batch(mapping, function, reader, batch, read):
    try:
        result = lambda_svc._execute_function(function, {"Records": [record for _, record in batch]})
        failed_at = _first_failure(mapping, result, batch)
        if failed_at is None:
            _go_on(reader, read)
        elif failed_at > 0:  # the records before it were handled; the next batch begins with it
            _go_on(reader, batch[failed_at][0])
            _wait(reader)
        elif len(batch) > 1 and result.get("error") and mapping.get("BisectBatchOnFunctionError"):
            reader.batch_size = max(1, read // 2)
        else:
            _retry_or_give_up(mapping, function, reader, batch, read, result)
    finally:
        reader.running = False


def _first_failure(mapping, result, batch):
    """Returns the place in the batch of the first record that was not handled; None when all were."""
    if result.get("error"):
        return 0
    body = result.get("body")
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []) or not isinstance(body, dict):
        return None
    failed = {failure.get("itemIdentifier") for failure in body.get("batchItemFailures") or []}
    places = [place for place, (_, record) in enumerate(batch) if record["dynamodb"]["SequenceNumber"] in failed]
    if failed and not places:
        return 0  # AWS treats an unknown identifier as a failure of the whole batch
    return min(places, default=None)


def _go_on(reader, records):
    reader.position += records
    reader.failures, reader.batch_size = 0, None


def _wait(reader):
    reader.not_before = time.monotonic() + RETRY_SECONDS
    threading.Timer(RETRY_SECONDS, lambda_svc._esm_wake.set).start()


def _retry_or_give_up(mapping, function, reader, batch, read, result):
    name, body = mapping["FunctionName"], result.get("body")
    lambda_svc.logger.warning("%s failed on a stream batch of %d: %s", name, len(batch), body)
    reader.failures += 1
    limit = mapping.get("MaximumRetryAttempts", -1)
    if 0 <= limit < reader.failures:
        source = mapping["EventSourceArn"]
        records = [record for _, record in batch]
        lambda_svc._send_ddb_stream_failure_record(mapping, function, records, source, result, "RetryAttemptsExhausted")
        _go_on(reader, read)
    else:
        _wait(reader)
