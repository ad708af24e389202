"""Prints the logs of a stack's functions, oldest first.

    logs.py STACK [FUNCTION] [--since MINUTES] [--follow]
"""

import argparse
import sys
import time

import boto3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stack")
    parser.add_argument("function", nargs="?")
    parser.add_argument("--since", type=int, default=15)
    parser.add_argument("--follow", action="store_true")
    arguments = parser.parse_args()

    client = boto3.client("logs")
    prefix = f"/aws/lambda/{arguments.stack}-{arguments.function or ''}"
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    if arguments.function:
        groups = [group for group in groups if group == prefix]
    if not groups:
        raise SystemExit(f"no log group {prefix}")
    names = {group: group.removeprefix(f"/aws/lambda/{arguments.stack}-") for group in groups}
    width = max(map(len, names.values()))

    start = int(time.time() * 1000) - arguments.since * 60_000
    seen = set()
    while True:
        events = []
        for group, name in names.items():
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start)
            # The local stack gives its lines no id.
            events += [
                (event["timestamp"], name, event["message"], event.get("eventId"))
                for page in pages
                for event in page["events"]
            ]
        for event in sorted(events, key=lambda event: event[0]):
            if event not in seen:
                seen.add(event)
                stamp, name, message, _ = event
                clock = time.strftime("%H:%M:%S", time.localtime(stamp / 1000))
                print(f"{clock} {name:<{width}} {message.rstrip()}", flush=True)
        if not arguments.follow:
            if not events:
                print(f"  nothing was logged in the last {arguments.since} min", file=sys.stderr)
            return
        # Lines can arrive a little after their time stamp.
        if events:
            start = max(start, max(event[0] for event in events) - 10_000)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
