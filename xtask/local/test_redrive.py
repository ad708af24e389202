"""Tests of looking into queues of failures and sending back against fakes, for what the local stack cannot show: notes of batches, and messages that fail again.

    python -m unittest discover -s xtask/local    (with boto3 installed)
"""

import contextlib
import io
import json
import unittest
from unittest import mock

import redrive
from botocore.exceptions import ClientError


def refusal(code, message=""):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


class Queue:
    """SQS with one queue; what is received is hidden until it is given back."""

    def __init__(self, bodies, sent_at=1_000):
        self.waiting = [
            {
                "MessageId": f"m{number}",
                "ReceiptHandle": f"r{number}",
                "Body": body,
                "Attributes": {"SentTimestamp": str(sent_at), "MessageGroupId": "maria"},
            }
            for number, body in enumerate(bodies)
        ]
        self.hidden, self.calls = {}, []

    def get_queue_attributes(self, **_):
        answer = {"HTTPHeaders": {"date": "Thu, 01 Jan 1970 00:10:00 GMT"}}
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.waiting))}, "ResponseMetadata": answer}

    def receive_message(self, MaxNumberOfMessages, **_):
        found, self.waiting = self.waiting[:MaxNumberOfMessages], self.waiting[MaxNumberOfMessages:]
        self.hidden.update({one["ReceiptHandle"]: one for one in found})
        return {"Messages": found}

    def change_message_visibility(self, ReceiptHandle, VisibilityTimeout, **_):
        self.waiting.append(self.hidden.pop(ReceiptHandle))

    def send_message(self, **arguments):
        self.calls.append(("send", arguments))

    def delete_message(self, ReceiptHandle, **_):
        self.calls.append(("delete", self.hidden.pop(ReceiptHandle)["MessageId"]))


def acted(queue, send, action, *rest):
    failures = redrive.Failures(queue, "https://sqs/1/failures")
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = redrive.act(failures, send, action, rest)
    finally:
        failures.release()
    return code, out.getvalue()


class Redrive(unittest.TestCase):
    def test_listing_gives_every_message_back(self):
        queue = Queue(['{"evento":"StockBajo","id":"evt_1","datos":{"nombre":"x"}}'] * 12)
        code, printed = acted(queue, None, "list")
        self.assertEqual((code, len(printed.splitlines())), (0, 12))
        self.assertEqual(printed.splitlines()[0], "m0\t9 min\t?\tStockBajo evt_1")
        self.assertEqual((len(queue.waiting), queue.hidden), (12, {}))

    def test_sent_before_deleted(self):
        queue = Queue(["{}", "{}"])
        code, printed = acted(queue, redrive.for_queue(queue, "https://sqs/1/work"), "send-all")
        self.assertEqual((code, printed), (0, "2 sent, 0 not\n"))
        self.assertEqual([name for name, _ in queue.calls], ["send", "delete", "send", "delete"])

    def test_one_is_sent_and_the_others_stay(self):
        queue = Queue(["{}", "{}", "{}"])
        acted(queue, redrive.for_queue(queue, "https://sqs/1/work"), "send", "m1")
        self.assertEqual([one for name, one in queue.calls if name == "delete"], ["m1"])
        self.assertEqual(sorted(one["MessageId"] for one in queue.waiting), ["m0", "m2"])

    def test_a_message_that_cannot_be_sent_stays_and_the_end_is_no_success(self):
        queue = Queue(["no record"])
        code, printed = acted(queue, redrive.for_watch_stock(None, None, "watch"), "send-all")
        self.assertEqual((code, printed, len(queue.waiting)), (1, "0 sent, 1 not\n", 1))

    def test_what_comes_back_meanwhile_is_not_sent_again(self):
        queue = Queue(["{}"], sent_at=900_000)
        code, printed = acted(queue, redrive.for_queue(queue, "https://sqs/1/work"), "send-all")
        self.assertEqual((code, printed, queue.calls), (0, "0 sent, 0 not\n", []))

    def test_a_fifo_queue_gets_the_same_group_and_a_fresh_deduplication_id(self):
        queue = Queue(["{}"])
        acted(queue, redrive.for_queue(queue, "https://sqs/1/orders.fifo"), "send", "m0")
        sent = queue.calls[0][1]
        self.assertEqual((sent["MessageGroupId"], len(sent["MessageDeduplicationId"])), ("maria", 36))

    def test_a_stream_record_is_handed_to_its_function(self):
        queue, function = Queue(['{"eventName":"MODIFY","dynamodb":{}}']), mock.Mock(invoke=mock.Mock(return_value={}))
        code, _ = acted(queue, redrive.for_watch_stock(function, None, "watch"), "send", "m0")
        payload = json.loads(function.invoke.call_args.kwargs["Payload"])
        self.assertEqual((code, payload), (0, {"Records": [{"eventName": "MODIFY", "dynamodb": {}}]}))

    def test_the_records_that_a_note_names_are_read_from_the_stream(self):
        def record(number):
            return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(number), "Keys": {"b": {"B": b"x"}}}}

        streams = mock.Mock()
        streams.get_shard_iterator.return_value = {"ShardIterator": "i"}
        streams.get_records.side_effect = [
            {"Records": [record(7)], "NextShardIterator": "j"},
            {"Records": [], "NextShardIterator": "k"},
            {"Records": [record(8), record(9)], "NextShardIterator": "l"},
        ]
        info = {"streamArn": "a", "shardId": "s", "startSequenceNumber": "7", "endSequenceNumber": "8"}
        queue, function = Queue([json.dumps({"DDBStreamBatchInfo": info})]), mock.Mock(invoke=mock.Mock(return_value={}))
        acted(queue, redrive.for_watch_stock(function, streams, "watch"), "send", "m0")
        records = json.loads(function.invoke.call_args.kwargs["Payload"])["Records"]
        self.assertEqual([one["dynamodb"]["SequenceNumber"] for one in records], ["7", "8"])
        self.assertEqual(records[0]["dynamodb"]["Keys"], {"b": {"B": "eA=="}})

    def test_a_note_whose_records_are_gone_stays(self):
        streams = mock.Mock()
        streams.get_shard_iterator.side_effect = refusal("TrimmedDataAccessException")
        info = {"streamArn": "a", "shardId": "s", "startSequenceNumber": "7", "endSequenceNumber": "8"}
        queue = Queue([json.dumps({"DDBStreamBatchInfo": info})])
        with self.assertRaisesRegex(SystemExit, "24 hours"):
            acted(queue, redrive.for_watch_stock(mock.Mock(), streams, "watch"), "send", "m0")
        self.assertEqual((queue.calls, len(queue.waiting)), ([], 1))

    def test_a_relay_note_runs_the_sweep_and_an_event_too_large_does_not_go(self):
        function = mock.Mock(invoke=mock.Mock(return_value={}))
        send = redrive.for_relay(function, "relay")
        send(None, '{"DDBStreamBatchInfo":{}}')
        self.assertEqual(function.invoke.call_args.kwargs["Payload"], b"{}")
        with self.assertRaises(redrive.CannotSend):
            send(None, '{"event":"evt_1","bytes":300000}')

    def test_a_summary_is_short_and_harmless_on_a_terminal(self):
        event = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "\u001b[31m" + "x" * 200}}}]}
        text = redrive.summary(json.dumps(event))
        self.assertEqual((len(text), text[:10]), (90, "b/?[31mxxx"))
        self.assertEqual(redrive.summary("no JSON"), "no JSON object")


if __name__ == "__main__":
    unittest.main()
