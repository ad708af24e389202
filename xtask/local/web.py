"""Puts the page and its config.json into the bucket and takes away what the page no longer has.

    web.py BUCKET FOLDER [--invalidate DISTRIBUTION] < config.json
"""

import mimetypes
import pathlib
import sys
import time

import boto3

# Not left to the machine's own tables, which differ.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def content_type(name):
    suffix = pathlib.PurePosixPath(name).suffix.lower()
    return TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def main():
    bucket, folder = sys.argv[1:3]
    client = boto3.client("s3")
    root = pathlib.Path(folder)
    files = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        # What is written for readers of the source is no part of the page.
        if path.is_file() and path.suffix != ".md" and not any(part.startswith(".") for part in name.split("/")):
            files[name] = path.read_bytes()
    files["config.json"] = sys.stdin.buffer.read()
    # The page last, so that it never names a file that is not there yet.
    for name in sorted(files, key=lambda name: (name.endswith(".html"), name)):
        client.put_object(
            Bucket=bucket,
            Key=name,
            Body=files[name],
            ContentType=content_type(name),
            # No names with hashes, so every load asks whether the file is still the same.
            CacheControl="no-cache",
        )
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            if item["Key"] not in files:
                client.delete_object(Bucket=bucket, Key=item["Key"])
    if "--invalidate" in sys.argv:
        distribution = sys.argv[sys.argv.index("--invalidate") + 1]
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        boto3.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


if __name__ == "__main__":
    main()
