"""Starts MiniStack, mended in six places.

Speed: its Runtime API leaves Nagle's algorithm on, which costs some 40 ms for every call of a native function.

Logs: it waits 50 ms for a first log line of a call that logs nothing, and on a busy machine a line that came later is
told with the next call of the same process, which may be minutes later or never. Here a call's log is what stands in
the pipe when it answers, whole, and nobody waits for more.

Streams: it saves how far each event source has read a table's stream, and not the stream. After a restart its readers
would sleep until as many records have passed as before: no alert, no event. Here the records that are still to be read
are saved too, and reading goes on with them.

Paths: it decodes the path of a request to a REST API and cuts it into parameters after that, so `WH%2FStock` is two of
them. Amazon cuts first and hands the path over as it was sent; so does this.

Ending: it closes its port first and saves then, and meanwhile goes on to call functions for queues, streams and schedules;
they find nobody, and what is in a stream is given up before its time. Here nothing new is begun when it is to end, and
what was begun is answered.

Rights: for SNS's PublishBatch it wants a right of that name. There is none; Amazon asks for sns:Publish ("Amazon SNS API
permissions"), and so does this. For DynamoDB's BatchExecuteStatement Amazon asks for a right for each kind of statement ("IAM
security policies with PartiQL for DynamoDB"), on the table that it names; the only kind here is the insert, and so this asks
for that of inserts, on its table.

Inserts: what PartiQL inserts it keeps out of the table's stream, so nobody is told of a new line. At Amazon a stream has every
change ("Change data capture for DynamoDB Streams"); so it has here.

All names belong to the pinned version; where they are gone, MiniStack starts as it is, but not without rights and inserts.
"""

import array
import asyncio
import collections
import contextlib
import contextvars
import fcntl
import inspect
import json
import os
import queue
import re
import select
import signal
import socketserver
import sys
import termios
import threading
import time


def speed_up() -> None:
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def whole_logs() -> None:
    from ministack.core.lambda_runtime import ProvidedWorker as Worker

    pump, drain = Worker._pump_output, Worker._drain_stderr_bounded
    if (
        list(inspect.signature(pump).parameters) != ["self", "stream", "log_queue"]
        or list(inspect.signature(drain).parameters) != ["self", "first_line_wait", "idle_confirm", "hard_cap"]
        or drain.__defaults__ is None
    ):
        raise AttributeError("MiniStack's Worker has changed")
    patience = drain.__defaults__[2]

    def pump_output(self, stream, log_queue):
        self.pumping = False
        rest, waiting = b"", select.poll()
        waiting.register(stream, select.POLLIN)
        with contextlib.suppress(OSError, ValueError), stream:
            while True:
                waiting.poll()
                # Before anything is taken from the pipe: whoever finds the pipe empty sees that it is on its way.
                self.pumping = True
                read = os.read(stream.fileno(), 1 << 16)
                *lines, rest = (rest + read).split(b"\n")
                if not read and rest:
                    lines.append(rest)
                for line in lines:
                    text = line.decode("utf-8", errors="replace").rstrip("\r")
                    with contextlib.suppress(queue.Full):
                        log_queue.put_nowait(text)
                self.pumping = False
                if not read:
                    return

    def pending(self):
        process = self._proc
        if process is None or process.stdout is None or process.stdout.closed:
            return False
        count = array.array("i", [0])
        with contextlib.suppress(OSError, ValueError):
            fcntl.ioctl(process.stdout.fileno(), termios.FIONREAD, count)
        return count[0] > 0 or getattr(self, "pumping", False)

    def drain_bounded(self, first_line_wait=0, idle_confirm=0, hard_cap=patience):
        end = time.monotonic() + hard_cap
        while pending(self) and time.monotonic() < end:
            time.sleep(0.0005)
        return self._drain_stderr()

    Worker._pump_output, Worker._drain_stderr_bounded = pump_output, drain_bounded


def keep_unread_stream_records() -> None:
    from ministack.services import dynamodb, lambda_svc

    restore_positions = lambda_svc._restore_esm_positions
    if list(inspect.signature(restore_positions).parameters) != ["store", "positions"]:
        raise AttributeError("MiniStack's positions in streams have changed")
    positions = lambda_svc._dynamodb_stream_positions
    records, trimmed = dynamodb._stream_records, dynamodb._stream_trimmed
    table_of = lambda_svc._dynamodb_stream_table_from_arn_spec
    get_state, load_state = dynamodb.get_state, dynamodb.load_persisted_state

    def unread():
        """Of each table, the records that its slowest reader has not read; those without a reader are left out."""
        first = {}
        for (account, region, uuid), source in lambda_svc._esms._data.items():
            spec = lambda_svc.parse_arn(source.get("EventSourceArn", ""))
            table = table_of(spec) if spec.service == "dynamodb" else None
            if table:
                key = (account, region, table[0])
                first[key] = min(first.get(key, sys.maxsize), positions._data.get((account, region, uuid), 0))
        kept = []
        for key, position in first.items():
            skip = max(0, position - trimmed._data.get(key, 0))
            left = list(records._data.get(key, []))[skip:]
            kept += [{"key": list(key), "records": left}] if left else []
        return kept

    def saved():
        return {**get_state(), "unread_stream_records": unread()}

    def loaded(data):
        load_state(data)
        for entry in (data or {}).get("unread_stream_records", []):
            records._data[tuple(entry["key"])] = list(entry["records"])

    def restored(store, saved_positions):
        # What was kept begins at nothing; a reader without a position begins there.
        if store is not positions:
            restore_positions(store, saved_positions)

    dynamodb.get_state, dynamodb.load_persisted_state = saved, loaded
    lambda_svc._restore_esm_positions = restored


def route_as_sent() -> None:
    from ministack import app
    from ministack.services import apigateway_v1

    outer, inner = app._handle_execute_api_request, apigateway_v1.handle_execute
    if "raw_path" not in inspect.signature(outer).parameters or list(inspect.signature(inner).parameters)[:4] != [
        "api_id",
        "stage_name",
        "method",
        "path",
    ]:
        raise AttributeError("MiniStack's way to a REST API has changed")
    sent = contextvars.ContextVar("sent", default=None)

    async def request(host, path, *rest, raw_path=None, **named):
        sent.set((path, raw_path))
        return await outer(host, path, *rest, raw_path=raw_path, **named)

    async def execute(api_id, stage_name, method, path, *rest, **named):
        whole, raw = sent.get() or ("", None)
        # What stands before the API's own path names API and stage and needs no encoding.
        before = whole[: len(whole) - len(path)] if path and whole.endswith(path) else None
        if before is not None and raw and raw.startswith(before):
            path = raw[len(before) :]
        return await inner(api_id, stage_name, method, path, *rest, **named)

    app._handle_execute_api_request, apigateway_v1.handle_execute = request, execute


def end_in_order() -> None:
    import hypercorn.asyncio
    from ministack.services import eventbridge, lambda_svc, scheduler

    serve, in_flight = hypercorn.asyncio.serve, lambda_svc._esm_inflight
    if "shutdown_trigger" not in inspect.signature(serve).parameters:
        raise AttributeError("hypercorn's way to end has changed")
    ending, running, counted = threading.Event(), collections.Counter(), threading.Lock()

    def unless_ending(module, name):
        begin = getattr(module, name)

        def called():
            with counted:
                if ending.is_set():
                    return False
                running[name] += 1
            try:
                return begin()
            finally:
                with counted:
                    running[name] -= 1

        setattr(module, name, called)

    for name in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
        unless_ending(lambda_svc, name)
    unless_ending(eventbridge, "_tick_scheduled_rules")
    unless_ending(scheduler, "_tick_schedules")

    async def served(application, config):
        asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)

        async def ended():
            await asked.wait()
            with counted:
                ending.set()
            end = time.monotonic() + 15  # a function that hangs does not keep the stack
            while (any(running.values()) or in_flight) and time.monotonic() < end:
                await asyncio.sleep(0.05)

        await serve(application, config, shutdown_trigger=ended)

    hypercorn.asyncio.serve = served


RIGHTS = {"sns:PublishBatch": "sns:Publish", "dynamodb:BatchExecuteStatement": "dynamodb:PartiQLInsert"}


def batches_need_the_rights_of_amazon() -> None:
    from ministack.core import iam_actions

    action_of = iam_actions.extract_iam_action
    if list(inspect.signature(action_of).parameters)[:2] != ["service", "method"]:
        raise AttributeError("MiniStack's names of rights have changed")

    def extract_iam_action(*arguments, **named):
        action = action_of(*arguments, **named)
        return RIGHTS.get(action, action)

    iam_actions.extract_iam_action = extract_iam_action

    tables_of = iam_actions.dynamodb_resource_arns
    if list(inspect.signature(tables_of).parameters) != ["body", "region", "account_id"]:
        raise AttributeError("MiniStack's resources of rights have changed")

    def dynamodb_resource_arns(body, region, account_id):
        try:
            statements = json.loads(body or b"{}").get("Statements", [])
        except (AttributeError, ValueError):
            statements = []
        named = {re.match(r'INSERT INTO "([^"]+)"', str(one.get("Statement"))) for one in statements if isinstance(one, dict)}
        tables = sorted({match[1] for match in named if match})
        return tables_of(body, region, account_id) + [f"arn:aws:dynamodb:{region}:{account_id}:table/{table}" for table in tables]

    iam_actions.dynamodb_resource_arns = dynamodb_resource_arns


def inserts_reach_the_stream() -> None:
    from ministack.services import dynamodb

    insert = dynamodb._partiql_insert
    if list(inspect.signature(insert).parameters) != ["table", "parsed"]:
        raise AttributeError("MiniStack's inserts have changed")
    emit = dynamodb._emit_stream_event

    def inserted(table, parsed):
        answer = insert(table, parsed)
        if answer[0] == 200:
            item = parsed.get("item", {})
            emit(parsed["table"], "INSERT", None, item["M"] if set(item) == {"M"} else item)
        return answer

    dynamodb._partiql_insert = inserted


def main() -> None:
    # The stack outlives the terminal that started it; `cargo xtask down` ends it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for mend in (speed_up, whole_logs, keep_unread_stream_records, route_as_sent, end_in_order, batches_need_the_rights_of_amazon, inserts_reach_the_stream):
        try:
            mend()
        except (ImportError, AttributeError, TypeError) as reason:
            print(f"not mended: {reason}", flush=True)
            if mend in (batches_need_the_rights_of_amazon, inserts_reach_the_stream):
                raise  # without these, tests would fail far from the cause
    from ministack.app import main as ministack

    ministack()


if __name__ == "__main__":
    main()
