"""Tests of deploying and destroying against fakes, for what the local stack cannot show: it deletes full buckets, and no deletion of its fails.

    python -m unittest discover -s xtask/local    (with boto3 installed)
"""

import contextlib
import io
import unittest
from unittest import mock

import capacity
import destroy
import lifecycle
from botocore.exceptions import ClientError


def refusal(code, message=""):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


def resource(kind, logical, physical, status="CREATE_COMPLETE"):
    return {
        "ResourceType": kind,
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceStatus": status,
    }


HALF_MADE = [
    resource("AWS::Events::Rule", "Sweep", "stack-Sweep"),
    resource("AWS::Lambda::EventSourceMapping", "Upload", "uuid-1"),
    resource("AWS::S3::Bucket", "ReportsBucket", "reports"),
    resource("AWS::S3::Bucket", "WebBucket", "gone", "DELETE_COMPLETE"),
    resource("AWS::ApiGateway::UsagePlan", "PremiumPlan", "plan"),
    resource("AWS::ApiGateway::ApiKey", "FreeKey00", "key-of-the-stack"),
    {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "NeverMade", "ResourceStatus": "CREATE_FAILED"},
]


class Cloud:
    """CloudFormation with one stack, and the other services, which note what they are asked in `calls`."""

    def __init__(self, status, deletions):
        self.status, self.deletions, self.calls, self.events = status, list(deletions), [], ["event-0"]

    def __getitem__(self, service):
        return self

    def describe_stacks(self, StackName):
        if self.status is None:
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": self.status, "StackId": "id", "StackName": StackName}]}

    def get_paginator(self, name):
        pages = {
            "list_stack_resources": [{"StackResourceSummaries": HALF_MADE}],
            "get_usage_plan_keys": [{"items": [{"id": "key-of-the-stack"}, {"id": "key-of-maria"}]}],
            "describe_stack_events": [
                {
                    "StackEvents": [
                        {"EventId": one, "ResourceStatus": "DELETE_FAILED", "LogicalResourceId": "ReportsBucket"}
                        for one in self.events[::-1]
                    ]
                }
            ],
            "list_change_sets": [{"Summaries": []}],
        }[name]
        return mock.Mock(paginate=lambda **_: pages)

    def describe_stack_events(self, StackName):
        return {"StackEvents": [{"EventId": one} for one in self.events[::-1]]}

    def delete_stack(self, StackName):
        self.calls.append("delete stack")
        self.status = self.deletions.pop(0)
        self.events.append(f"event-{len(self.events)}")

    def delete_change_set(self, StackName, ChangeSetName):
        self.calls.append("delete change set")

    def disable_rule(self, Name):
        self.calls.append(f"rule {Name} off")

    def update_event_source_mapping(self, UUID, Enabled):
        self.calls.append(f"mapping {UUID} {'on' if Enabled else 'off'}")

    def get_event_source_mapping(self, UUID):
        return {"State": "Disabled"}

    def delete_api_key(self, apiKey):
        self.calls.append(f"delete {apiKey}")


@contextlib.contextmanager
def emptying(cloud):
    with (
        mock.patch.object(destroy.buckets, "empty", lambda _, bucket: cloud.calls.append(f"empty {bucket}")),
        mock.patch.object(lifecycle.time, "sleep"),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield


ROUND = ["rule stack-Sweep off", "mapping uuid-1 off", "delete key-of-maria", "empty reports", "delete stack"]


class Destroy(unittest.TestCase):
    def test_a_stack_without_outputs_is_deleted_schedules_first(self):
        for status in ("ROLLBACK_COMPLETE", "DELETE_FAILED", "CREATE_COMPLETE"):
            cloud = Cloud(status, [None])
            with emptying(cloud):
                destroy.delete(cloud, "almacen-test")
            self.assertEqual(cloud.calls, ROUND, status)

    def test_a_bucket_that_was_filled_meanwhile_is_emptied_again(self):
        cloud = Cloud("CREATE_COMPLETE", ["DELETE_FAILED", "DELETE_FAILED", None])
        with emptying(cloud):
            destroy.delete(cloud, "almacen-test")
        self.assertEqual(cloud.calls, ROUND * 3)

    def test_it_gives_up_with_the_names_of_what_stays(self):
        cloud = Cloud("CREATE_COMPLETE", ["DELETE_FAILED"] * destroy.TRIES)
        with emptying(cloud), self.assertRaises(SystemExit) as end:
            destroy.delete(cloud, "almacen-test")
        self.assertEqual(str(end.exception), "almacen-test could not be deleted after 4 tries: ReportsBucket")

    def test_a_key_that_is_gone_does_not_stop_it(self):
        cloud = Cloud("CREATE_COMPLETE", [None])
        cloud.delete_api_key = mock.Mock(side_effect=refusal("NotFoundException"))
        with emptying(cloud):
            destroy.delete(cloud, "almacen-test")
        self.assertIsNone(cloud.status)

    def test_a_refusal_is_not_taken_for_absence(self):
        cloud = Cloud("CREATE_COMPLETE", [None])
        cloud.disable_rule = mock.Mock(side_effect=refusal("AccessDeniedException"))
        with emptying(cloud), self.assertRaises(ClientError):
            destroy.delete(cloud, "almacen-test")
        self.assertEqual(cloud.calls, [])

    def test_rules_of_other_buses(self):
        self.assertEqual(destroy.rule("stack-Sweep"), {"Name": "stack-Sweep"})
        self.assertEqual(destroy.rule("bus|stack-Sweep"), {"Name": "stack-Sweep", "EventBusName": "bus"})


class ChangeSets(unittest.TestCase):
    def test_a_refused_first_deploy_leaves_nothing(self):
        cloud = Cloud("REVIEW_IN_PROGRESS", [None])
        lifecycle.discard(cloud, "almacen-test", "set")
        self.assertEqual(cloud.calls, ["delete change set", "delete stack"])

    def test_a_refused_update_leaves_the_stack(self):
        cloud = Cloud("UPDATE_COMPLETE", [])
        lifecycle.discard(cloud, "almacen-test", "set")
        self.assertEqual(cloud.calls, ["delete change set"])

    def test_a_stack_that_holds_something_is_not_cleared(self):
        cloud = Cloud("ROLLBACK_COMPLETE", [])
        with self.assertRaises(SystemExit):
            lifecycle.clear(cloud, "almacen-test")
        self.assertEqual(cloud.calls, [])


class Capacity(unittest.TestCase):
    def test_what_the_template_needs(self):
        queue = {"Type": "SQS", "Properties": {"ScalingConfig": {"MaximumConcurrency": 20}}}
        stream = {"Type": "DynamoDB", "Properties": {"ParallelizationFactor": 2}}
        function = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Events": {
                    "A": queue,
                    "B": stream,
                    "C": {"Type": "DynamoDB", "Properties": {}},
                    "D": {"Type": "Schedule", "Properties": {}},
                    "E": {"Type": "Api", "Properties": {}},
                    "F": {"Type": "Api", "Properties": {}},
                }
            },
        }
        body = {"Resources": {"One": function, "Topic": {"Type": "AWS::SNS::Topic"}}}
        self.assertEqual(capacity.needed(body), ({"api": 50, "queues": 20, "streams": 3, "schedules": 1}, []))
        queue["Properties"] = {}
        self.assertEqual(capacity.needed(body)[1], ["One"])


if __name__ == "__main__":
    unittest.main()
