"""Runs a built function once, as `sam local invoke` does, but without Docker.

make build-host
python -m local.invoke FanoutFunction --event events/fanout-status.json --env events/env.json
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from local.aws.template import Resolver, load
from local.lambda_.sandbox import Function, Sandbox

BUILD_DIR = Path(".aws-sam/host/build")
_ENV_EXAMPLE = '{"FanoutFunction": {"NAME": "value"}}'


def function_from(
    build_dir: Path,
    name: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Function:
    """A function of a built template, under parameters; the environment beats the template's.

    Raises:
        LookupError: nothing is built there, or there is no such function.
    """
    path = build_dir / "template.yaml"
    if not path.exists():
        raise LookupError(f"{path} does not exist: run `make build-host` first")
    resources = Resolver(load(path), parameters).resources()
    functions = [key for key in resources if resources[key]["Type"] == "AWS::Serverless::Function"]
    if name not in functions:
        raise LookupError(f"the template has no function {name}; it has {', '.join(functions)}")
    properties = resources[name]["Properties"]
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=name,
        code=(build_dir / properties["CodeUri"]).resolve(),
        path=[
            (build_dir / resources[layer]["Properties"]["ContentUri"] / "python").resolve()
            for layer in properties.get("Layers", [])
        ],
        handler=properties["Handler"],
        environment={key: str(value) for key, value in variables.items()} | dict(environment or {}),
        timeout_seconds=float(properties["Timeout"]),
        memory_mb=int(properties["MemorySize"]),
        log_format=properties.get("LoggingConfig", {}).get("LogFormat", "Text"),
    )


def variables_of(path: Path, name: str) -> dict[str, str]:
    """Return a function's variables of an `--env-vars` file: those for all, overridden by its own.

    Raises:
        OSError: the file can't be read.
        ValueError: it holds something else than an object of variables for each function.
    """
    try:
        given = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Any]])
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}; write {_ENV_EXAMPLE}") from None
    return {key: str(value) for key, value in (given.get("Parameters", {}) | given.get(name, {})).items()}


def parameters_from(pairs: Sequence[str]) -> dict[str, str]:
    """Return what `NAME=VALUE` texts say.

    Raises:
        ValueError: one has no name, or no "=".
    """
    parameters = {}
    for pair in pairs:
        name, mark, parameters[name] = pair.partition("=")
        if not name or not mark:
            raise ValueError(f"--parameter {pair}: write it as NAME=VALUE")
    return parameters


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description=__doc__.splitlines()[0])
    parser.add_argument("function", help="its logical id in template.yaml, such as FanoutFunction")
    parser.add_argument("-e", "--event", type=Path, help="a JSON file; {} where none is given")
    parser.add_argument("-n", "--env", type=Path, help="a JSON file as for `sam local invoke --env-vars`")
    parser.add_argument("--build-dir", type=Path, default=BUILD_DIR)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    try:
        environment = variables_of(given.env, given.function) if given.env else {}
        parameters = parameters_from(given.parameter)
        function = function_from(given.build_dir, given.function, parameters, environment)
        event = given.event.read_bytes() if given.event else b"{}"
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    except (LookupError, ValueError) as error:
        parser.error(str(error))
    with Sandbox(function) as sandbox:
        outcome = sandbox.invoke(event)
    print(outcome.log, end="", file=sys.stderr)
    print(outcome.report, file=sys.stderr)
    print(json.dumps(outcome.error or outcome.payload))
    return 1 if outcome.error else 0


if __name__ == "__main__":
    sys.exit(main())
