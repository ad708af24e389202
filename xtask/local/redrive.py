"""Looks into a queue of failures and sends what lies there back to where it failed.

    redrive.py STACK QUEUE list
    redrive.py STACK QUEUE show ID
    redrive.py STACK QUEUE edit ID FILE    sends FILE instead of the message, then deletes the message
    redrive.py STACK QUEUE send ID
    redrive.py STACK QUEUE send-all
    redrive.py STACK QUEUE delete ID

QUEUE is one of QUEUES. What is sent is sent before it is deleted: a crash in between repeats it, and every consumer bears
that. Ends with 1 if anything could not be sent.
"""

import base64
import email.utils
import json
import sys
import time
import uuid

# Queue of failures → the queue that its messages came from, or the function that a stream's records are for.
QUEUES = {
    "uploads": ("UploadsDeadLetters", "UploadsQueue", None),
    "ranges": ("RangesDeadLetters", "RangesQueue", None),
    "restock": ("RestockDeadLetters", "RestockQueue", None),
    "pictures": ("PicturesDeadLetters", "PicturesQueue", None),
    "notify": ("NotifyDeadLetters", "NotifyQueue", None),
    "watch-stock": ("WatchStockFailures", None, "WatchStockFunction"),
    "relay": ("RelayFailures", None, "RelayEventsFunction"),
}
# Messages that are looked at are hidden from others: until this ends, or so long where it is killed. Long enough to send a
# batch, so that nothing is received again between being sent and being deleted.
HIDDEN_SECONDS = 60
BATCH = 10
# Answers of a second each: close-imports hides what it looks at for two.
EMPTY_ANSWERS = 4
SUMMARY_CHARACTERS = 90
# Lambda takes at most 6 MB in a call; a stream record is at most 800 KB with both images.
RECORDS_AT_ONCE = 5
# A stream answers without records now and then although more follow.
STREAM_EMPTY_ANSWERS = 50


class CannotSend(Exception):
    """What a message holds cannot be sent; says what to do instead."""


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


class Failures:
    """A queue of failures. What `messages` yields and `delete` does not take is given back at the end."""

    def __init__(self, sqs, url):
        self.sqs, self.url, self.held = sqs, url, {}

    def started(self):
        """SQS's own time, in milliseconds: this machine's clock may differ."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        self.about = int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        now = email.utils.parsedate_to_datetime(date).timestamp() if date else time.time()
        return int(now * 1000)

    def messages(self):
        empty = 0
        while empty < EMPTY_ANSWERS:
            found = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            new = [message for message in found if message["MessageId"] not in self.held]
            # A message that comes again has been hidden too long: its newest handle is the one that counts.
            self.held.update({message["MessageId"]: message["ReceiptHandle"] for message in found})
            empty = 0 if new else empty + 1
            yield from new

    def delete(self, message):
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=self.held.pop(message["MessageId"]))

    def release(self):
        for handle in self.held.values():
            try:
                self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)
            except Exception:  # It is visible again anyway, in a minute at most.
                pass
        self.held = {}


def find(failures, wanted):
    for message in failures.messages():
        if message["MessageId"] == wanted:
            return message
    raise SystemExit(f"there is no message {wanted} in this queue")


def read(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


def summary(body):
    """What a message is about, in a line: no more of it than names and ids, and nothing that a terminal would act on."""
    content = read(body)
    if not isinstance(content, dict):
        text = "no JSON object"
    elif "DDBStreamBatchInfo" in content:
        info = content["DDBStreamBatchInfo"]
        text = f"note of a batch of {info.get('batchSize')} records, shard {info.get('shardId')}"
    elif "dynamodb" in content:
        text = f"stream record {content.get('eventName')} {json.dumps(content['dynamodb'].get('Keys', {}))}"
    elif isinstance(content.get("Records"), list) and content["Records"]:
        s3 = content["Records"][0].get("s3", {})
        text = f"{s3.get('bucket', {}).get('name')}/{s3.get('object', {}).get('key')}"
    elif "evento" in content:
        text = f"{content['evento']} {content.get('id')}"
    else:
        text = ", ".join(f"{name}: {value}" if isinstance(value, (int, str)) else name for name, value in content.items())
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= SUMMARY_CHARACTERS else printable[: SUMMARY_CHARACTERS - 1] + "…"


def age(message, now_ms):
    minutes = max(0, now_ms - int(message["Attributes"]["SentTimestamp"])) // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"


def for_queue(sqs, url):
    """Sends to the queue that the message failed in."""

    def send(message, body):
        arguments = {"QueueUrl": url, "MessageBody": body}
        kept = ("StringValue", "BinaryValue", "DataType")
        attributes = {
            name: {key: value for key, value in attribute.items() if key in kept}
            for name, attribute in message.get("MessageAttributes", {}).items()
        }
        if attributes:
            arguments["MessageAttributes"] = attributes
        if url.endswith(".fifo"):
            arguments["MessageGroupId"] = message["Attributes"]["MessageGroupId"]
            # With the old one, or one made of the content, SQS would take it for a repetition and drop it for 5 minutes.
            arguments["MessageDeduplicationId"] = str(uuid.uuid4())
        sqs.send_message(**arguments)

    return send


def invoke(client, function, event):
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    if answer.get("FunctionError"):
        raise CannotSend(f"{function} failed again; see its logs")


def as_lambda_has_it(value):
    """A record as Lambda hands it to a function, from what the stream's API answers."""
    if isinstance(value, dict):
        return {name: as_lambda_has_it(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [as_lambda_has_it(one) for one in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value.timestamp() if hasattr(value, "timestamp") else value


def noted_records(streams, info):
    """The records of a batch that Lambda's note names. They stay in the stream for 24 hours."""
    from botocore.exceptions import ClientError

    last = int(info["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=info["streamArn"],
            ShardId=info["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=info["startSequenceNumber"],
        )["ShardIterator"]
        empty = 0
        while iterator and empty < STREAM_EMPTY_ANSWERS:
            page = streams.get_records(ShardIterator=iterator)
            records = page["Records"]
            yield from (one for one in records if int(one["dynamodb"]["SequenceNumber"]) <= last)
            if any(int(one["dynamodb"]["SequenceNumber"]) >= last for one in records):
                return
            iterator = page.get("NextShardIterator")
            empty = 0 if records else empty + 1
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("TrimmedDataAccessException", "ResourceNotFoundException"):
            raise
        raise CannotSend(
            "its records are no longer in the stream, which keeps them for 24 hours. Set the count of the lines that "
            "changed then once more (the note names the time), then delete the note"
        ) from error


def for_watch_stock(client, streams, function):
    """Hands records to the function again. An old record moves no alert: the alert knows the newer version of its line."""

    def send(_message, body):
        content = read(body)
        if not isinstance(content, dict):
            raise CannotSend("this is no stream record; edit it, or delete it")
        if "DDBStreamBatchInfo" in content:
            records = [as_lambda_has_it(one) for one in noted_records(streams, content["DDBStreamBatchInfo"])]
            for start in range(0, len(records), RECORDS_AT_ONCE):
                invoke(client, function, {"Records": records[start : start + RECORDS_AT_ONCE]})
        elif "dynamodb" in content:
            invoke(client, function, {"Records": [content]})
        else:
            raise CannotSend("this names no record. Set the count of its line once more, then delete the message")

    return send


def for_relay(client, function):
    """Runs the sweep, which publishes whatever the Outbox holds unpublished; the note itself holds no event."""

    def send(_message, body):
        content = read(body)
        if isinstance(content, dict) and "DDBStreamBatchInfo" in content:
            invoke(client, function, {})
        else:
            raise CannotSend("no topic takes an event of this size; read it in the Outbox, act on it, delete the message")

    return send


def send_one(failures, send, message, body=None):
    send(message, message["Body"] if body is None else body)
    failures.delete(message)


def send_all(failures, send):
    """Sends what lay in the queue when this began. What fails again comes back as a new message and is left there."""
    start = failures.started()
    sent, left = 0, []
    for message in failures.messages():
        # The header with SQS's time has whole seconds.
        if int(message["Attributes"]["SentTimestamp"]) >= start + 1000:
            continue
        try:
            send_one(failures, send, message)
            sent += 1
            if sent % BATCH == 0:
                say(f"{sent} of about {failures.about} sent")
        except CannotSend as why:
            left.append((message["MessageId"], str(why)))
    for message_id, why in left:
        say(f"{message_id} was not sent: {why}")
    print(f"{sent} sent, {len(left)} not")
    return 1 if left else 0


def act(failures, send, action, rest):
    if action == "list":
        now = failures.started()
        for message in failures.messages():
            fields = (message["MessageId"], age(message, now), message["Attributes"].get("ApproximateReceiveCount", "?"))
            print("\t".join((*fields, summary(message["Body"]))))
        return 0
    if action == "send-all":
        return send_all(failures, send)
    message = find(failures, rest[0])
    if action == "show":
        content = read(message["Body"])
        print(message["Body"] if content is None else json.dumps(content, indent=2, ensure_ascii=False))
    elif action == "delete":
        failures.delete(message)
    else:
        body = None
        if action == "edit":
            with open(rest[1], encoding="utf-8") as file:
                body = json.dumps(json.load(file), ensure_ascii=False, separators=(",", ":"))
        try:
            send_one(failures, send, message, body)
        except CannotSend as why:
            raise SystemExit(str(why)) from why
    return 0


def main():
    import boto3

    stack, name, action, *rest = sys.argv[1:]
    from_queue, to_queue, function = QUEUES[name]
    cloudformation = boto3.client("cloudformation")

    def physical(logical):
        asked = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
        return asked["StackResourceDetail"]["PhysicalResourceId"]

    sqs = boto3.client("sqs")
    if to_queue:
        send = for_queue(sqs, physical(to_queue))
    elif name == "watch-stock":
        send = for_watch_stock(boto3.client("lambda"), boto3.client("dynamodbstreams"), physical(function))
    else:
        send = for_relay(boto3.client("lambda"), physical(function))
    failures = Failures(sqs, physical(from_queue))
    try:
        code = act(failures, send, action, rest)
    finally:
        failures.release()
    sys.exit(code)


if __name__ == "__main__":
    main()
