"""A SAM template's values under given parameters, as far as they are known before a deployment.

Intrinsic functions are resolved the way CloudFormation does. What only a deployment knows is named after
its resource: `!Ref StatusQueue` is `StatusQueue`, `!GetAtt StatusQueue.Arn` is an ARN that ends in it.
"""

import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ACCOUNT, REGION = "123456789012", "us-east-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "netvitals-local",
    "AWS::URLSuffix": "amazonaws.com",
}
_NOTHING = object()
"""What `!Ref AWS::NoValue` is; it leaves the map or list that it stands in."""


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # a mapping is what is left
    if tag == "GetAtt":
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path) -> dict[str, Any]:
    """Return the template with long forms in place of short ones."""
    template: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506, a safe loader with tags
    return template


class Resolver:
    """A template under given parameters; the others have their defaults, or are named after themselves.

    Pseudo parameters, such as `AWS::StackName`, may be given too.
    """

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> None:
        self._template = template
        declared = template.get("Parameters", {})
        unknown = set(parameters or {}) - set(declared) - set(_PSEUDO)
        if unknown:
            raise ValueError(f"the template has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: str(declared[name].get("Default", name)) for name in declared}
        self._values = _PSEUDO | defaults | dict(parameters or {})

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources that exist under these parameters, `Globals` merged into the functions."""
        return {
            name: self.value(self._with_globals(resource))
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }

    def condition(self, name: str) -> bool:
        return bool(self.value(self._template["Conditions"][name]))

    def value(self, value: Any) -> Any:
        """Return a value with its intrinsic functions resolved."""
        if isinstance(value, list):
            return [found for item in value if (found := self.value(item)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _INTRINSICS:
                return _INTRINSICS[name](self, argument)
        resolved = {key: self.value(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NOTHING}

    def _with_globals(self, resource: dict[str, Any]) -> dict[str, Any]:
        if resource["Type"] != "AWS::Serverless::Function":
            return resource
        shared = self._template.get("Globals", {}).get("Function", {})
        return resource | {"Properties": _merged(shared, resource["Properties"])}

    def _ref(self, name: str) -> Any:
        return _NOTHING if name == "AWS::NoValue" else self._values.get(name, name)

    def _get_att(self, argument: list[str]) -> str:
        resource, attribute = argument
        if attribute != "Arn":
            return f"{resource}.{attribute}"
        service = self._template["Resources"][resource]["Type"].split("::")[1].lower()
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else (argument[0], self.value(argument[1]))

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in extra:
                return str(extra[name])
            return self._get_att(name.split(".", 1)) if "." in name else str(self._ref(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", replaced, text)

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self.value(yes if self.condition(condition) else no)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = self.value(argument)
        return self._template["Mappings"][name][str(first)][second]


_INTRINSICS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Condition": lambda resolver, name: resolver.condition(name),
    "Fn::And": lambda resolver, terms: all(map(resolver.value, terms)),
    "Fn::Equals": lambda resolver, pair: operator.eq(*map(str, resolver.value(pair))),
    "Fn::FindInMap": Resolver._find_in_map,  # noqa: SLF001, a part of the class that reads better as a table
    "Fn::GetAtt": Resolver._get_att,  # noqa: SLF001, its own table
    "Fn::If": Resolver._if,  # noqa: SLF001, its own table
    "Fn::Join": lambda resolver, given: given[0].join(map(str, resolver.value(given[1]))),
    "Fn::Not": lambda resolver, terms: not resolver.value(terms[0]),
    "Fn::Or": lambda resolver, terms: any(map(resolver.value, terms)),
    "Fn::Split": lambda resolver, given: resolver.value(given[1]).split(given[0]),
    "Fn::Sub": Resolver._sub,  # noqa: SLF001, its own table
    "Ref": Resolver._ref,  # noqa: SLF001, its own table
}


def _merged(shared: Any, own: Any) -> Any:
    """SAM's rule for globals: maps are merged, lists joined, and anything else is the function's own."""
    if isinstance(shared, dict) and isinstance(own, dict):
        return shared | {key: _merged(shared[key], own[key]) if key in shared else own[key] for key in own}
    if isinstance(shared, list) and isinstance(own, list):
        return shared + own
    return own
