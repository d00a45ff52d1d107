"""What is read of a deployed stack."""

import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from moto import mock_aws

from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.stack import read_stack

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


def function(role: Any) -> dict[str, Any]:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Code": {"ZipFile": "pass"},
            "Environment": {"Variables": {"NETVITALS_X": "1"}},
        },
    }  # fmt: skip


@mock_aws
def test_a_function_that_was_never_made_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    deployment.clients.cache_clear()
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    resources = {"Role": ROLE, "Made": function(role), "Failed": function(role)}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="lab", TemplateBody=json.dumps({"Resources": resources}))

    def fail(parsed: dict[str, Any], **_: Any) -> None:
        for each in parsed["StackResourceSummaries"]:
            if each["LogicalResourceId"] == "Failed":
                each["ResourceStatus"] = "CREATE_FAILED"
                del each["PhysicalResourceId"]

    deployment.clients("cloudformation").meta.events.register(
        "after-call.cloudformation.ListStackResources", fail
    )
    assert read_stack("lab").environments == {"Made": {"NETVITALS_X": "1"}}
    deployment.clients.cache_clear()
