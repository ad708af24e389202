"""Moves every message of a dead-letter queue back to the queue it came from, and prints how many.

    redrive.py DEAD_LETTERS_URL QUEUE_URL
"""

import sys

import boto3


def main():
    source, target = sys.argv[1:3]
    client = boto3.client("sqs")
    moved = 0
    while True:
        # Longer than close-imports hides a message that it looks at.
        messages = client.receive_message(QueueUrl=source, MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", [])
        if not messages:
            break
        for message in messages:
            # Sent before it is deleted: a crash in between repeats a message, and every consumer bears that.
            client.send_message(QueueUrl=target, MessageBody=message["Body"])
            client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    print(moved)


if __name__ == "__main__":
    main()
