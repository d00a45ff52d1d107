"""Read the parameters of a deployed stack and the environments of its functions."""

from typing import Any, NamedTuple

from netvitals.adapters.aws.clients import client
from netvitals.adapters.aws.deployment import resources_of
from netvitals.adapters.aws.faults import AWS_FAULTS, code_of
from netvitals.domain.errors import ConfigurationError, Unavailable

_ABSENT = "ValidationError"


class Stack(NamedTuple):
    """Parameters and variables of a deployed stack."""

    name: str
    parameters: dict[str, str]
    """All parameters, including those that have their default."""
    defaults: dict[str, str]
    """Defaults by parameter, as in the deployed template."""
    environments: dict[str, dict[str, str]]
    """Variables by the function's logical id."""

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of all functions together."""
        return {name: value for each in self.environments.values() for name, value in each.items()}


def read_parameters(name: str, cloudformation: Any | None = None) -> dict[str, str]:
    """Return a stack's parameters.

    Raises:
        ConfigurationError: there is no such stack in this account and region.
        Unavailable: CloudFormation can't be asked.
    """
    cloudformation = cloudformation or client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except AWS_FAULTS as error:
        if code_of(error) == _ABSENT:
            raise ConfigurationError(
                f"there is no stack {name!r} in this account and region; "
                "check the name, AWS_PROFILE and AWS_REGION"
            ) from None
        raise Unavailable(f"stack {name} can't be read: {error}") from None
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}


def read_stack(name: str) -> Stack:
    """Return a stack's parameters and the variables of its functions.

    Raises:
        ConfigurationError: there is no such stack in this account and region.
        Unavailable: CloudFormation or Lambda can't be asked.
    """
    cloudformation, functions = client("cloudformation"), client("lambda")
    parameters = read_parameters(name, cloudformation)
    environments = {}
    try:
        declared = cloudformation.get_template_summary(StackName=name).get("Parameters", [])
        defaults = {each["ParameterKey"]: each["DefaultValue"] for each in declared if "DefaultValue" in each}
        for logical_id, function in resources_of(name).get("AWS::Lambda::Function", {}).items():
            made = functions.get_function_configuration(FunctionName=function)
            environments[logical_id] = made.get("Environment", {}).get("Variables", {})
    except AWS_FAULTS as error:
        raise Unavailable(f"the functions of stack {name} can't be read: {error}") from None
    return Stack(name, parameters, defaults, environments)
