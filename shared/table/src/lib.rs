//! DynamoDB: keys, records, and one file per port.
