//! SNS and SQS: publishing events and alerts, queueing work.
