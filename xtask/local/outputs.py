"""Prints the outputs of a stack as one JSON object, or {} where there is no such stack.

    outputs.py STACK
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError


def main():
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=sys.argv[1])["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        stacks = []
    outputs = stacks[0].get("Outputs", []) if stacks else []
    print(json.dumps({output["OutputKey"]: output["OutputValue"] for output in outputs}))


if __name__ == "__main__":
    main()
