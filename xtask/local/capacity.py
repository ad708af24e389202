"""How many functions the account may run at once, and how many this template needs at once, as JSON.

    capacity.py TEMPLATE

Needed: each queue's MaximumConcurrency, each stream and each schedule one, and API_ALLOWANCE. `unreserved` is what
functions without concurrency of their own share; ours reserve none.
"""

import json
import sys

# At 100 ms a call, and half the calls asking the authorizer too, some 300 calls a second.
API_ALLOWANCE = 50


def needed(body):
    """What the template needs, by what for; and the queue readers that have no bound."""
    found, unbounded = {"api": 0, "queues": 0, "streams": 0, "schedules": 0}, []
    for name, resource in body["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        for event in resource["Properties"].get("Events", {}).values():
            properties = event.get("Properties", {})
            match event["Type"]:
                case "Api":
                    found["api"] = API_ALLOWANCE
                case "SQS":
                    most = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
                    if most is None:
                        unbounded.append(name)
                    found["queues"] += most or 0
                case "DynamoDB" | "Kinesis":
                    found["streams"] += properties.get("ParallelizationFactor", 1)
                case "Schedule" | "ScheduleV2":
                    found["schedules"] += 1
    return found, unbounded


def main():
    import boto3
    import yaml

    from settings import Loader

    with open(sys.argv[1], encoding="utf-8") as file:
        found, unbounded = needed(yaml.load(file, Loader))
    if unbounded:
        raise SystemExit("no ScalingConfig.MaximumConcurrency in the queue events of " + ", ".join(unbounded))
    limit = boto3.client("lambda").get_account_settings()["AccountLimit"]
    print(
        json.dumps(
            {
                "needed": sum(found.values()),
                "parts": found,
                "limit": limit["ConcurrentExecutions"],
                "unreserved": limit["UnreservedConcurrentExecutions"],
            }
        )
    )


if __name__ == "__main__":
    main()
