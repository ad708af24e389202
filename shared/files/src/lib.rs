//! S3: streaming objects in, reports out, presigned links.
