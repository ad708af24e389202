"""A first load of a stock CSV in Python: what ingest-inventory is compared with.

Reads the object KEY of UPLOAD_BUCKET row by row with the csv module and writes each line with boto3's batch_writer, the items
being those that ingest-inventory writes. Prints rows, seconds, CPU seconds and peak memory in bytes as JSON.
"""

import csv
import io
import json
import os
import resource
import sys
import time

import boto3


def main(key):
    body = boto3.client("s3").get_object(Bucket=os.environ["UPLOAD_BUCKET"], Key=key)["Body"]
    table = boto3.resource("dynamodb").Table(os.environ["INVENTORY_TABLE"])
    now = int(time.time() * 1000)
    start, cpu = time.perf_counter(), time.process_time()
    rows = 0
    with table.batch_writer() as batch:
        for row in csv.DictReader(io.TextIOWrapper(body, encoding="utf-8", newline="")):
            count = int(row["count"])
            batch.put_item(
                Item={
                    "store": row["store"].strip(),
                    "sku": row["item"].strip(),
                    "on_hand": count,
                    "reserved": 0,
                    "available": count,
                    "version": 1,
                    "counted_at": now,
                    "source": key,
                    "s3_order": "0055AED6DCD900010000000000000000",
                    "created_by": "imp_python",
                    "changed_by": "imp_python",
                    "updated_at": now,
                }
            )
            rows += 1
    told = {
        "rows": rows,
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    json.dump(told, sys.stdout)


main(sys.argv[1])
