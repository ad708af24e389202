"""The state of a stack, and its change sets.

    lifecycle.py parameters TEMPLATE           the template's parameters with their defaults, as JSON
    lifecycle.py state STACK                   what CloudFormation says of the stack, as JSON
    lifecycle.py execute STACK CHANGE_SET      carries a change set out and waits for the end
    lifecycle.py discard STACK CHANGE_SET      deletes a change set, and the empty stack of a first one
    lifecycle.py clear STACK                   deletes what a failed first creation left, if that holds nothing
    lifecycle.py protect STACK                 switches termination protection on
"""

import json
import sys
import time

DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
PAUSE_SECONDS = 2
PATIENCE_SECONDS = 2 * 3600
SIGN_OF_LIFE_SECONDS = 20


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def described(cloudformation, name):
    """The stack of this name or id; None where there is none."""
    from botocore.exceptions import ClientError

    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None
    if not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE":
        return None
    return stacks[0]


def resources(cloudformation, stack):
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [one for page in pages for one in page["StackResourceSummaries"]]


def present(found):
    """The resources that exist: not those that were never made, are deleted, or were left to themselves."""
    gone = ("DELETE_COMPLETE", "DELETE_SKIPPED")
    return [one for one in found if one.get("PhysicalResourceId") and one["ResourceStatus"] not in gone]


def change_sets(cloudformation, stack):
    """Ids of the change sets that wait to be carried out."""
    pages = cloudformation.get_paginator("list_change_sets").paginate(StackName=stack)
    found = [one for page in pages for one in page["Summaries"]]
    return sorted(one["ChangeSetId"] for one in found if one.get("ExecutionStatus") == "AVAILABLE")


def state(cloudformation, name):
    stack = described(cloudformation, name)
    if stack is None:
        return {"status": None, "parameters": {}, "change_sets": [], "left": [], "termination_protection": False}
    return {
        "status": stack["StackStatus"],
        "parameters": {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
        "change_sets": change_sets(cloudformation, name),
        "left": [one["LogicalResourceId"] for one in present(resources(cloudformation, name))],
        "termination_protection": stack.get("EnableTerminationProtection", False),
    }


def failures(cloudformation, stack, since):
    """What went wrong after the event `since`, oldest first, as (resource, reason)."""
    found = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            if event["EventId"] == since:
                return found[::-1]
            if event["ResourceStatus"].endswith("_FAILED"):
                found.append((event["LogicalResourceId"], event.get("ResourceStatusReason", "no reason given")))
    return found[::-1]


def last_event(cloudformation, stack):
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return events[0]["EventId"] if events else None


def settled(cloudformation, stack_id, before=()):
    """Waits until nothing is going on, and answers the status; None where the stack is gone. `before` names statuses that
    mean: not begun yet."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = time.monotonic()
    while True:
        stack = described(cloudformation, stack_id)
        status = stack and stack["StackStatus"]
        if status is None or (not status.endswith("_IN_PROGRESS") and status not in before):
            return status
        if time.monotonic() > deadline:
            raise SystemExit(f"the stack is still {status} after {PATIENCE_SECONDS // 60} minutes")
        if time.monotonic() - told > SIGN_OF_LIFE_SECONDS:
            told = time.monotonic()
            say(f"… {status}")
        time.sleep(PAUSE_SECONDS)


def execute(cloudformation, name, change_set):
    stack = described(cloudformation, name)
    since = last_event(cloudformation, stack["StackId"])
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
    # The first look may come before CloudFormation has begun; the change set itself says when it has ended.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = settled(cloudformation, stack["StackId"])
        events = cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
        if events and events[0]["EventId"] != since or status is None:
            break
        if time.monotonic() > deadline:
            raise SystemExit("the change set was not carried out")
        time.sleep(PAUSE_SECONDS)
    status = settled(cloudformation, stack["StackId"])
    if status in DONE:
        return
    for resource, reason in failures(cloudformation, stack["StackId"], since):
        say(f"{resource}: {reason}")
    raise SystemExit(f"the deploy failed and left {name} {status}")


def discard(cloudformation, name, change_set):
    cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    stack = described(cloudformation, name)
    # A stack that only a first change set made has no resources. One with other change sets is somebody else's too.
    if stack and stack["StackStatus"] == "REVIEW_IN_PROGRESS" and not change_sets(cloudformation, name):
        cloudformation.delete_stack(StackName=stack["StackId"])


def clear(cloudformation, name):
    stack = described(cloudformation, name)
    left = present(resources(cloudformation, name))
    if stack["StackStatus"] != "ROLLBACK_COMPLETE" or left:
        raise SystemExit(f"{name} is {stack['StackStatus']} and holds {len(left)} resources")
    cloudformation.delete_stack(StackName=stack["StackId"])
    status = settled(cloudformation, stack["StackId"], before=("ROLLBACK_COMPLETE",))
    if status is not None:
        raise SystemExit(f"what the failed creation left could not be deleted: {name} is {status}")


def parameters(path):
    import yaml

    from settings import Loader

    with open(path, encoding="utf-8") as file:
        body = yaml.load(file, Loader)
    return {name: str(spec.get("Default", "")) for name, spec in (body.get("Parameters") or {}).items()}


def main():
    action, name, *rest = sys.argv[1:]
    if action == "parameters":
        print(json.dumps(parameters(name)))
        return
    import boto3

    cloudformation = boto3.client("cloudformation")
    if action == "state":
        print(json.dumps(state(cloudformation, name)))
    elif action == "protect":
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=True)
    else:
        {"execute": execute, "discard": discard, "clear": clear}[action](cloudformation, name, *rest)


if __name__ == "__main__":
    main()
