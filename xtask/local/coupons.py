"""Puts coupons into their table, in the format of docs/coupons.md. One that is there stays as it is, with its uses.

    coupons.py TABLE < [{"code":{"S":…},"part":{"S":"coupon"},…}]
"""

import json
import sys

import boto3


def main():
    client = boto3.client("dynamodb")
    for coupon in json.load(sys.stdin):
        try:
            client.put_item(TableName=sys.argv[1], Item=coupon, ConditionExpression="attribute_not_exists(code)")
        except client.exceptions.ConditionalCheckFailedException:
            pass


if __name__ == "__main__":
    main()
