"""Expands the template with SAM's own translator, as CloudFormation does on a deploy, and prints its resources by type.

    expanded.py TEMPLATE

Fails where there are too many, or where what SAM makes of the API is not what we mean.
"""

import collections
import copy
import json
import sys

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from settings import Loader

# CloudFormation takes 500 resources a stack ("Understand CloudFormation quotas"). There is to be room for more functions.
RESOURCES_MAX = 400
# And a template of a megabyte, as it is after the expansion, in S3.
BYTES_MAX = 1_000_000


def long_form(node):
    """A copy in which nothing is shared, as a template is that has been packaged."""
    if isinstance(node, dict):
        if set(node) == {"Fn::GetAtt"} and isinstance(node["Fn::GetAtt"], str):
            return {"Fn::GetAtt": node["Fn::GetAtt"].split(".", 1)}
        return {key: long_form(value) for key, value in node.items()}
    if isinstance(node, list):
        return [long_form(item) for item in node]
    return copy.copy(node)


def expanded(path, parameters):
    with open(path, encoding="utf-8") as file:
        body = long_form(yaml.load(file, Loader))
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return Translator({}, Parser()).translate(body, parameters)


def problems(resources):
    apis = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGateway::RestApi"]
    for api in apis:
        if api.get("ApiKeySourceType") != "AUTHORIZER":
            yield f"the API takes usage-plan keys from {api.get('ApiKeySourceType', 'HEADER')}, not from the authorizer"
        for path, methods in api["Body"]["paths"].items():
            options = methods.get("options", {}).get("x-amazon-apigateway-integration", {})
            answers = options.get("responses", {}).get("default", {}).get("responseParameters", {})
            if options.get("type") != "mock" or len(answers) != 4:
                yield f"OPTIONS {path} is not answered by the gateway itself with its four headers"
            for verb, method in methods.items():
                wants = [name for mark in method.get("security") or [] for name in mark]
                if wants not in ([], ["Token", "api_key"]):
                    yield f"{verb} {path} wants {wants}: a route wants a token and counts on a plan, or neither"
    if len(apis) != 1:
        yield f"{len(apis)} APIs"


def main():
    result = expanded(sys.argv[1], {"Environment": "prod"})
    resources = result["Resources"]
    size = len(json.dumps(result))
    found = list(problems(resources))
    if len(resources) >= RESOURCES_MAX:
        found.append(f"{len(resources)} resources; there are to be fewer than {RESOURCES_MAX}")
    if size >= BYTES_MAX:
        found.append(f"{size} bytes; CloudFormation takes {BYTES_MAX}")
    for kind, count in collections.Counter(one["Type"] for one in resources.values()).most_common():
        print(f"{count:5}  {kind}")
    print(f"{len(resources):5}  resources of at most {RESOURCES_MAX}, {size // 1000} kB of {BYTES_MAX // 1000}")
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
