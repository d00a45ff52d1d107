"""The template sets the variables that the functions read, and no other."""

from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import fields

from local.aws.cloudformation import EVERYTHING, GIVEN, TEMPLATE
from local.aws.template import Resolver, load
from netvitals import settings

LOCAL = {
    "DATABASE_URL",
    "INFLUXDB_URL",
    "INFLUXDB_TOKEN",
    "INFLUXDB_ORG",
    "INFLUXDB_BUCKET",
    "NETVITALS_ALLOW_LOCAL",
    "NETVITALS_CONFIG_FILE",
    "NETVITALS_CREDENTIALS_FILE",
}
"""What stands in for a secret, a parameter, or the network when netvitals runs on one machine."""
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME"}
LAMBDA = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}
"""What Lambda sets by itself."""


def groups_of(function: str) -> tuple[type[settings.Variables], ...]:
    return (*settings.FUNCTIONS[function], settings.TracingVariables)


def read_by(function: str) -> set[str]:
    names = {field.encode_name for group in groups_of(function) for field in fields(group)}
    return (names | set(settings.OVERRIDES)) - LOCAL - LAMBDA


def set_for(parameters: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """The folder and the environment of each function."""
    return [
        (Path(resource["Properties"]["CodeUri"]).name, resource["Properties"]["Environment"]["Variables"])
        for resource in Resolver(load(TEMPLATE), parameters).resources().values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def test_every_function_has_its_settings() -> None:
    assert {folder for folder, _ in set_for(GIVEN)} == set(settings.FUNCTIONS)


def test_what_a_function_reads_is_what_the_template_sets() -> None:
    for folder, variables in set_for(EVERYTHING):
        assert set(variables) - POWERTOOLS == read_by(folder), folder


@pytest.mark.parametrize(("level", "tracing"), [*product(["DEBUG", "WARNING"], ["on", "off"])])
def test_the_values_are_ones_that_the_settings_take(level: str, tracing: str) -> None:
    urls = {
        name: f"https://sqs.eu-central-1.amazonaws.com/123456789012/{name}"
        for name in ("StatusQueue", "MetricsQueue", "SpoolQueue", "RejectQueue")
    }
    topic = {"DigestTopic": "arn:aws:sns:eu-central-1:123456789012:digests"}
    for folder, variables in set_for(EVERYTHING | {"LogLevel": level, "Tracing": tracing}):
        environ = {name: (urls | topic).get(value, value) for name, value in variables.items()}
        for group in groups_of(folder):
            settings.variables(group, environ)
        configuration = settings.configuration(None, "no document", environ)
        assert configuration.log_level == level


def test_nothing_in_the_template_makes_or_removes_what_pauses_polling() -> None:
    """So no update of a stack, whatever it changes, resumes what was paused."""
    paused = "/netvitals/netvitals-local/paused"
    for name, resource in Resolver(load(TEMPLATE), EVERYTHING).resources().items():
        assert resource["Type"] != "AWS::SSM::Parameter"
        if name not in ("FanoutFunction", "FanoutRole"):  # the one that reads it, with the right to
            assert paused not in str(resource)


def test_no_secret_is_in_an_environment() -> None:
    """Only where it is: a variable about a secret holds an ARN."""
    for _, variables in set_for(EVERYTHING):
        for name, value in variables.items():
            if any(word in name for word in ("SECRET", "TOKEN", "PASSWORD", "CREDENTIAL", "DATABASE")):
                assert value.startswith("arn:aws:secretsmanager:")
