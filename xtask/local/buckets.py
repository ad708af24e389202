"""Makes a bucket, or empties buckets with all versions of their objects.

    buckets.py make BUCKET
    buckets.py empty BUCKET…
"""

import sys

import boto3
from botocore.exceptions import ClientError


def make(client, bucket):
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError:
        client.create_bucket(Bucket=bucket)


def empty(client, bucket):
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        # Anything else than "not there" must be heard of: the bucket would still be full.
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        return
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        if keys:
            failed = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors")
            if failed:
                raise SystemExit(f"{bucket}: {failed[0]['Code']} for {failed[0]['Key']}")


def main():
    action, *names = sys.argv[1:]
    client = boto3.client("s3")
    for name in names:
        {"make": make, "empty": empty}[action](client, name)


if __name__ == "__main__":
    main()
