"""Sets through the API what the local stack's CloudFormation accepts and ignores.

    settings.py STACK TEMPLATE NAME=VALUE…

Reads the values from the template itself, so that each stands in one place: time to live and point-in-time recovery of
the tables, lifecycle rules of the buckets, the gateway's own answers, and its answers to preflights. Repeating it changes nothing.
"""

import sys

import boto3
import yaml


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their long ones."""


def short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Loader.add_multi_constructor("!", short_form)


class Template:
    def __init__(self, path, parameters):
        with open(path, encoding="utf-8") as file:
            self.body = yaml.load(file, Loader)
        self.parameters = {name: str(spec.get("Default", "")) for name, spec in self.body["Parameters"].items()}
        self.parameters.update(parameters)

    def resources(self, kind):
        for name, resource in self.body["Resources"].items():
            if resource["Type"] == kind and self.holds(resource.get("Condition")):
                yield name, resource.get("Properties", {})

    def holds(self, condition):
        """Whether a named condition, or a condition written in place, is true."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self.holds(self.body["Conditions"][condition])
        ((function, arguments),) = condition.items()
        if function == "Condition":
            return self.holds(arguments)
        if function == "Fn::Equals":
            left, right = (str(self.value(argument)) for argument in arguments)
            return left == right
        if function == "Fn::Not":
            return not self.holds(arguments[0])
        if function == "Fn::Or":
            return any(self.holds(argument) for argument in arguments)
        if function == "Fn::And":
            return all(self.holds(argument) for argument in arguments)
        raise SystemExit(f"settings.py cannot evaluate {function}; teach it in Template.holds")

    def value(self, node):
        """The node with parameters and Fn::If put in."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Ref"} and node["Ref"] in self.parameters:
            return self.parameters[node["Ref"]]
        if set(node) == {"Fn::If"}:
            condition, yes, no = node["Fn::If"]
            return self.value(yes if self.holds(condition) else no)
        if set(node) == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
            text = node["Fn::Sub"]
            for name, value in self.parameters.items():
                text = text.replace("${%s}" % name, value)
            return text
        return {key: self.value(item) for key, item in node.items()}


def tables(template, physical):
    client = boto3.client("dynamodb")
    for name, properties in template.resources("AWS::DynamoDB::Table"):
        table = physical[name]
        wanted = template.value(properties.get("TimeToLiveSpecification"))
        if wanted:
            now = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            if now["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
                client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
        if template.value(properties.get("PointInTimeRecoverySpecification", {})).get("PointInTimeRecoveryEnabled"):
            client.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )


def lifecycle_rule(rule):
    """One rule as S3's API spells it."""
    tags = rule.get("TagFilters")
    only = {"Tag": tags[0]} if tags else {"Prefix": rule.get("Prefix", "")}
    out = {"ID": rule["Id"], "Status": rule["Status"], "Filter": only}
    if "ExpirationInDays" in rule:
        out["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            out[name] = {key: int(days) for key, days in rule[name].items()}
    return out


def buckets(template, physical):
    client = boto3.client("s3")
    for name, properties in template.resources("AWS::S3::Bucket"):
        rules = template.value(properties.get("LifecycleConfiguration", {})).get("Rules")
        if rules:
            client.put_bucket_lifecycle_configuration(
                Bucket=physical[name], LifecycleConfiguration={"Rules": [lifecycle_rule(rule) for rule in rules]}
            )


def resources_of(client, api):
    for page in client.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"]):
        yield from page["items"]


def preflight(client, api, resource, cors):
    """Has the gateway answer OPTIONS as SAM's `Cors` has it on AWS; the local stack imports the method without its headers."""
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "OPTIONS"}
    headers = {
        f"method.response.header.Access-Control-{header}": value
        for header, value in (
            ("Allow-Origin", cors["AllowOrigin"]),
            ("Allow-Methods", cors["AllowMethods"]),
            ("Allow-Headers", cors["AllowHeaders"]),
            ("Max-Age", cors["MaxAge"]),
        )
    }
    client.put_method_response(**method, statusCode="200", responseParameters=dict.fromkeys(headers, False))
    client.put_integration_response(**method, statusCode="200", responseParameters=headers)


def gateway(template, physical):
    client = boto3.client("apigateway")
    for name, properties in template.resources("AWS::Serverless::Api"):
        api = physical[name]
        for kind, answer in template.value(properties.get("GatewayResponses", {})).items():
            headers = answer.get("ResponseParameters", {}).get("Headers", {})
            request = {
                "restApiId": api,
                "responseType": kind,
                "responseParameters": {f"gatewayresponse.header.{header}": value for header, value in headers.items()},
                "responseTemplates": answer.get("ResponseTemplates", {}),
            }
            if "StatusCode" in answer:
                request["statusCode"] = str(answer["StatusCode"])
            client.put_gateway_response(**request)
        source = [{"op": "replace", "path": "/apiKeySource", "value": properties["ApiKeySourceType"]}]
        client.update_rest_api(restApiId=api, patchOperations=source)
        cors = template.value(properties["Cors"])
        for resource in resources_of(client, api):
            for verb, method in resource.get("resourceMethods", {}).items():
                if verb == "OPTIONS":
                    preflight(client, api, resource["id"], cors)
                # It takes keys from the header only, so a key from the authorizer would be none.
                if method.get("apiKeyRequired"):
                    change = [{"op": "remove", "path": "/apiKeyRequired"}]
                    client.update_method(
                        restApiId=api, resourceId=resource["id"], httpMethod=verb, patchOperations=change
                    )
        # All this takes effect with the next deployment of the stage.
        client.create_deployment(restApiId=api, stageName=template.value(properties["StageName"]))


def main():
    stack, path, *pairs = sys.argv[1:]
    template = Template(path, dict(pair.split("=", 1) for pair in pairs))
    described = boto3.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described}
    tables(template, physical)
    buckets(template, physical)
    gateway(template, physical)


if __name__ == "__main__":
    main()
