"""Takes a stack away, whatever state it is in; works from its resources, because a stack that failed has no outputs.

    destroy.py holdings STACK    what would be lost, a line each
    destroy.py protected STACK   what is protected against deletion, a name a line; "stack" is termination protection
    destroy.py delete STACK      schedules and queue readers off, keys and buckets emptied, stack deleted; repeated where
                                 something filled a bucket meanwhile
"""

import sys
import time

import buckets
from lifecycle import PATIENCE_SECONDS, PAUSE_SECONDS, described, failures, last_event, present, resources, say, settled

# How often a deletion that failed is tried again: something may write into a bucket until its function is gone.
TRIES = 4
OBJECTS_COUNTED_MAX = 1000
MAPPING_PATIENCE_SECONDS = 120
# What a person calls the content of a resource.
CONTENT = {
    "InventoryTable": "stock lines",
    "StoresTable": "stores",
    "ImportsTable": "imports and their parts",
    "OutboxTable": "events",
    "StockAlertsTable": "alerts",
    "ProductsTable": "products, skus and deletion marks",
    "ReviewsTable": "reviews",
    "CategoriesTable": "categories",
    "CartsTable": "carts",
    "CouponsTable": "coupons and their uses",
    "TasksTable": "to-dos",
    "UploadBucket": "uploaded files",
    "ReportsBucket": "reports",
    "OriginalsBucket": "uploaded pictures",
    "ImagesBucket": "pictures as they are shown",
    "WebBucket": "files of the page",
    "UserPool": "users",
}


class Aws:
    """The clients, made when first needed."""

    def __init__(self, make):
        self.make, self.made = make, {}

    def __getitem__(self, service):
        if service not in self.made:
            self.made[service] = self.make(service)
        return self.made[service]


def of_kind(found, kind):
    return [one["PhysicalResourceId"] for one in present(found) if one["ResourceType"] == kind]


def missing(error):
    """Whether an error says that the thing is not there: a resource may be half made, or gone already."""
    code = error.response["Error"]["Code"]
    return any(word in code for word in ("NotFound", "NoSuch", "NonExistent", "404"))


def amount(aws, resource):
    """How much a resource holds, as text; None for one that holds no data."""
    name = resource["PhysicalResourceId"]
    match resource["ResourceType"]:
        case "AWS::DynamoDB::Table":
            return str(aws["dynamodb"].describe_table(TableName=name)["Table"].get("ItemCount", 0))
        case "AWS::S3::Bucket":
            page = aws["s3"].list_object_versions(Bucket=name, MaxKeys=OBJECTS_COUNTED_MAX)
            counted = len(page.get("Versions", []))
            return f"more than {counted}" if page.get("IsTruncated") else str(counted)
        case "AWS::Cognito::UserPool":
            pool = aws["cognito-idp"].describe_user_pool(UserPoolId=name)["UserPool"]
            return str(pool.get("EstimatedNumberOfUsers", 0))
        case "AWS::SQS::Queue":
            asked = aws["sqs"].get_queue_attributes(QueueUrl=name, AttributeNames=["ApproximateNumberOfMessages"])
            return asked.get("Attributes", {}).get("ApproximateNumberOfMessages", "0")
    return None


def holdings(aws, found):
    from botocore.exceptions import ClientError

    names = {"AWS::DynamoDB::Table": "records", "AWS::S3::Bucket": "objects", "AWS::SQS::Queue": "messages"}
    lines = []
    for resource in sorted(present(found), key=lambda one: (one["ResourceType"], one["LogicalResourceId"])):
        try:
            held = amount(aws, resource)
        except ClientError as error:
            if not missing(error):
                raise
            continue
        if held is None or (held == "0" and resource["ResourceType"] == "AWS::SQS::Queue"):
            continue
        what = CONTENT.get(resource["LogicalResourceId"], names.get(resource["ResourceType"], "users"))
        lines.append(f"{held:>12} {what} ({resource['LogicalResourceId']})")
    return lines


def protected(aws, name):
    from botocore.exceptions import ClientError

    stack = described(aws["cloudformation"], name)
    if stack is None:
        return []
    names = ["stack"] if stack.get("EnableTerminationProtection") else []
    found = resources(aws["cloudformation"], name)
    for table in of_kind(found, "AWS::DynamoDB::Table"):
        try:
            if aws["dynamodb"].describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
                names.append(table)
        except ClientError as error:
            if not missing(error):
                raise
    for pool in of_kind(found, "AWS::Cognito::UserPool"):
        try:
            if aws["cognito-idp"].describe_user_pool(UserPoolId=pool)["UserPool"].get("DeletionProtection") == "ACTIVE":
                names.append(pool)
        except ClientError as error:
            if not missing(error):
                raise
    return names


def rule(physical_id):
    """Name and bus of a rule from its id in the stack, which has the bus before the name unless it is the default one."""
    bus, _, name = physical_id.rpartition("|")
    return {"Name": name, **({"EventBusName": bus} if bus else {})}


def quiet(aws, found):
    """Turns off what starts functions by itself, so that nothing fills a bucket while it is deleted."""
    from botocore.exceptions import ClientError

    def attempt(call, **arguments):
        try:
            call(**arguments)
        except ClientError as error:
            # A mapping that is being made or deleted cannot be changed; it goes with the stack.
            if not missing(error) and error.response["Error"]["Code"] != "ResourceInUseException":
                raise

    for one in of_kind(found, "AWS::Events::Rule"):
        attempt(aws["events"].disable_rule, **rule(one))
    mappings = of_kind(found, "AWS::Lambda::EventSourceMapping")
    for one in mappings:
        attempt(aws["lambda"].update_event_source_mapping, UUID=one, Enabled=False)
    # One that is still changing cannot be deleted.
    deadline = time.monotonic() + MAPPING_PATIENCE_SECONDS
    while mappings and time.monotonic() < deadline:
        mappings = [one for one in mappings if changing(aws, one)]
        if mappings:
            time.sleep(PAUSE_SECONDS)


def changing(aws, mapping):
    from botocore.exceptions import ClientError

    try:
        return aws["lambda"].get_event_source_mapping(UUID=mapping)["State"].endswith("ing")
    except ClientError as error:
        if not missing(error):
            raise
        return False


def own_keys(aws, found):
    """Ids of the keys that `add-user --tier` made on the stack's usage plans: those that are no resources of the stack."""
    from botocore.exceptions import ClientError

    belonging = set(of_kind(found, "AWS::ApiGateway::ApiKey"))
    keys = set()
    for plan in of_kind(found, "AWS::ApiGateway::UsagePlan"):
        try:
            for page in aws["apigateway"].get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan):
                keys.update(key["id"] for key in page.get("items", []))
        except ClientError as error:
            if not missing(error):
                raise
    return sorted(keys - belonging)


def delete(aws, name):
    from botocore.exceptions import ClientError

    cloudformation = aws["cloudformation"]
    stack = described(cloudformation, name)
    if stack is None:
        return
    stack_id = stack["StackId"]
    if stack["StackStatus"] == "DELETE_IN_PROGRESS":
        say("a deletion is under way; waiting for it")
        if settled(cloudformation, stack_id) is None:
            return
    reasons = []
    for attempt in range(TRIES):
        found = resources(cloudformation, stack_id)
        quiet(aws, found)
        if attempt == 0:
            say("schedules and readers of queues are off")
        for key in own_keys(aws, found):
            try:
                aws["apigateway"].delete_api_key(apiKey=key)
            except ClientError as error:
                if not missing(error):
                    raise
        for bucket in of_kind(found, "AWS::S3::Bucket"):
            buckets.empty(aws["s3"], bucket)
        say("buckets are empty; deleting the stack" if attempt == 0 else "emptied again; deleting again")
        since = last_event(cloudformation, stack_id)
        cloudformation.delete_stack(StackName=stack_id)
        status = ended(cloudformation, stack_id, since)
        if status is None:
            return
        reasons = failures(cloudformation, stack_id, since)
        for resource, reason in reasons:
            say(f"{resource}: {reason}")
    raise SystemExit(f"{name} could not be deleted after {TRIES} tries: " + ", ".join(sorted({one for one, _ in reasons})))


def ended(cloudformation, stack_id, since):
    """The status once the deletion that was asked for after event `since` has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = settled(cloudformation, stack_id)
        # Until a new event is there, the status is that of before.
        if status is None or last_event(cloudformation, stack_id) != since:
            return status and settled(cloudformation, stack_id)
        if time.monotonic() > deadline:
            raise SystemExit("CloudFormation did not begin to delete the stack")
        time.sleep(PAUSE_SECONDS)


def main():
    import boto3

    action, name = sys.argv[1:]
    aws = Aws(boto3.client)
    if action == "holdings":
        print("\n".join(holdings(aws, resources(aws["cloudformation"], name))))
    elif action == "protected":
        print("\n".join(protected(aws, name)))
    else:
        delete(aws, name)


if __name__ == "__main__":
    main()
