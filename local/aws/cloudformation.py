"""Expansion of template.yaml as CloudFormation does it before it deploys anything."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.aws.template import ACCOUNT, REGION, Resolver, load

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
GIVEN = {
    "DatabaseSecretArn": SECRET + "netvitals/database-AbCdEf",
    "InfluxDbSecretArn": SECRET + "netvitals/influxdb-AbCdEf",
    "CredentialsSecretArn": SECRET + "netvitals/credentials-AbCdEf",
}
"""What has no default."""
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0d5f7f1a-5c0f-4e3b-9a53-3d1b2d4c6e7f"
EVERYTHING = GIVEN | {
    "ConfigParameterName": "/netvitals/prod/config",
    "VpcSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "VpcSecurityGroupIds": "sg-0123456789abcdef0",
    "AlarmEmail": "noc@example.net",
    "DigestEmail": "noc@example.net",
    "SlackSecretArn": SECRET + "netvitals/slack-AbCdEf",
    "TeamsSecretArn": SECRET + "netvitals/teams-AbCdEf",
    "PagerDutySecretArn": SECRET + "netvitals/pagerduty-AbCdEf",
    "WebhookSecretArn": SECRET + "netvitals/webhook-AbCdEf",
    "Dashboard": "on",
    "LogLevel": "DEBUG",
    "Tracing": "on",
    "KmsKeyArn": KEY,
    "SecretsKmsKeyArn": KEY,
}
"""All that is optional, at once."""
UNTIL_DEPLOYED = {"CodeUri": "s3://code/function.zip", "ContentUri": "s3://code/layer.zip"}


def transformed(template: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return a template without SAM's types, as its transform leaves it under these parameters."""
    parameters = {name: str(declared.get("Default", "")) for name, declared in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    found = translator.translate(template, {**parameters, **given})
    return cast("dict[str, Any]", json.loads(json.dumps(found)))


@cache
def expanded() -> dict[str, Any]:
    """Return template.yaml without SAM's types."""
    template = load(TEMPLATE)
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        properties |= {name: uri for name, uri in UNTIL_DEPLOYED.items() if name in properties}
    return transformed(template, GIVEN)


class Resource(NamedTuple):
    name: str
    properties: Mapping[str, Any]


class Deployed:
    """The resources of a deployment under given parameters, every value resolved."""

    def __init__(self, parameters: Mapping[str, str] = GIVEN) -> None:
        self.resources = Resolver(expanded(), GIVEN | dict(parameters)).resources()

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.resources[name]["Properties"])

    def all(self, kind: str) -> list[Resource]:
        """The resources of a type, such as `SQS::Queue`."""
        return [
            Resource(name, resource["Properties"])
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        ]
