"""Prints what a stack protects against deletion: a table or user pool a line.

    protection.py STACK
"""

import sys

import boto3


def is_protected(resource):
    name = resource.get("PhysicalResourceId", "")
    match resource["ResourceType"]:
        case "AWS::DynamoDB::Table":
            return boto3.client("dynamodb").describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled", False)
        case "AWS::Cognito::UserPool":
            pool = boto3.client("cognito-idp").describe_user_pool(UserPoolId=name)["UserPool"]
            return pool.get("DeletionProtection") == "ACTIVE"
    return False


def main():
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=sys.argv[1])
    for resource in (one for page in pages for one in page["StackResourceSummaries"]):
        if is_protected(resource):
            print(resource["PhysicalResourceId"])


if __name__ == "__main__":
    main()
