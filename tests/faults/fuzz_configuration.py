"""Configuration documents and rows of an inventory: only the errors of netvitals come out, in no time.

Run as `make fuzz ARGS=configuration`. Documents are valid ones whose keys and
values were exchanged, and whose text was cut and mixed with what means something in YAML and JSON. What is
taken has to be whole: each type of device has a policy, and jobs can be made of it.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import yaml
from faults.fuzzing import play

from netvitals.adapters.files.configuration_document import decode_document
from netvitals.domain.errors import ConfigurationError, NetvitalsError
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.inventory.row import FIELDS, device_from
from netvitals.domain.polling.job import decode_jobs, encode_jobs, job_of
from netvitals.domain.settings.configuration import Configuration, configuration_from
from netvitals.settings import configuration

MOST_SECONDS = 2.0
"""Of processor time for one document of at most 256 KiB."""
LONGEST_ERROR = 100_000
CANARY = "canary-5ecret"
SECTIONS = msgspec.to_builtins(Configuration())
POLICY = msgspec.to_builtins(Configuration().policy("network", {}))
KEYS = [
    *SECTIONS,
    *POLICY,
    *("snmp", "ssh", "winrm", "ping", "extends", "host_keys", "port", "interfaces"),
    *("include_names", "exclude_names", "sysobjectid", "", "\0", "a" * 300, "Ключ", "network", "linux"),
    "x-1",
]
SCALARS: list[Any] = [
    *(None, True, False, 0, -1, 1, 30, 300, 10**400, 1.5, 1e308, float("nan"), float("inf"), "", "30", "30s"),
    *("5 minutes", "1e9 days", "9" * 5000 + "s", "10.0.0.0/8", "::/0", "0.0.0.0/0", "10.0.0.1/8"),
    "fe80::1%eth0",
    *("network", "snmp", "INFO", "\ud800", "\x1b[2J", "(a+)+$", "(?P<x>", "[", "x" * 70_000, "é", "~", "yes"),
    *("2026-11-26", "0x10", "1:30", "!!python/name:os.system", "&a", "*a", "<<", CANARY),
]
PIECES = [
    *("{", "}", "[", "]", ":", ": ", ",", "\n", "\n  ", "- ", "? ", "| ", "> ", "&a ", "*a", "!!", "!!set"),
    "#",
    *("---\n", "...\n", "%YAML 1.1\n", "\t", "\0", "\ufeff", "\u2028", "'", '"', "\\", "\\ud800", "<<: "),
    "1e999",
    *("[" * 3000, "{a: " * 500, "? " * 500, "- " * 3000, '{"a":' * 500, "a: &a [*a]\n", "=", "~", "null"),
    "NaN",
]


def value(chance: random.Random, depth: int = 0) -> Any:
    """Anything that a document may hold."""
    kind = chance.random()
    if depth > 4 or kind < 0.5:
        return chance.choice(SCALARS)
    if kind < 0.7:
        return [value(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randrange(6))}


def mutated(tree: Any, chance: random.Random) -> Any:
    """The same tree, with some of it exchanged."""
    if chance.random() < 0.04:
        return value(chance)
    if isinstance(tree, Mapping):
        return {
            chance.choice(KEYS) if chance.random() < 0.03 else key: mutated(inner, chance)
            for key, inner in tree.items()
            if chance.random() > 0.1
        }
    if isinstance(tree, list | tuple):
        return [mutated(each, chance) for each in tree]
    return tree


def tree(chance: random.Random) -> Any:
    own = {chance.choice(KEYS): mutated(POLICY, chance) for _ in range(chance.randrange(3))}
    return mutated({**SECTIONS, "defaults": POLICY, "device_types": own}, chance)


def text(chance: random.Random) -> str:
    """A document as a person may have left it."""
    document = tree(chance)
    try:
        written = (
            json.dumps(document) if chance.random() < 0.5 else yaml.safe_dump(document, allow_unicode=True)
        )
    except (ValueError, yaml.YAMLError):  # halves of surrogate pairs, and numbers that are too long
        written = ""
    for _ in range(chance.choice([0, 0, 1, 3, 20])):
        at = chance.randrange(len(written) + 1)
        written = written[:at] + chance.choice(PIECES) + written[at + chance.choice([0, 0, 1, 50]) :]
    return written[: chance.choice([300_000, 300_000, 500])]


def in_no_time(thing: Callable[[random.Random], bool]) -> Callable[[random.Random], bool]:
    def timed(chance: random.Random) -> bool:
        began = time.process_time()
        taken = thing(chance)
        assert time.process_time() - began < MOST_SECONDS, "it takes too long"
        return taken

    return timed


@in_no_time
def one_document(chance: random.Random) -> bool:
    """Returns whether it was taken."""
    written = text(chance)
    try:
        found = configuration_from(decode_document(written, "the document"), "the document")
    except ConfigurationError as error:
        if len(str(error)) < LONGEST_ERROR:
            return False
        raise AssertionError("the error is too long") from None
    for name in found.known_types:
        settings = found.policy(name, {}).poll_settings()
        msgspec.json.encode(settings)
    Guard(found.allowed_networks)
    return True


@in_no_time
def one_environment(chance: random.Random) -> bool:
    """A document with variables of the environment on top."""
    names = ["NETVITALS_LOG_LEVEL", "NETVITALS_STATUS_INTERVAL_SECONDS", "NETVITALS_ALLOWED_NETWORKS"]
    environ = {name: str(chance.choice(SCALARS)) for name in names if chance.random() < 0.5}
    try:
        configuration(tree(chance), "the document", environ)
    except ConfigurationError:
        return False
    return True


@in_no_time
def one_row(chance: random.Random) -> bool:
    """A row of the inventory: a device whose jobs can be sent, or faults that name it."""
    row: dict[str, Any] = {name: chance.choice(["", None, str(chance.choice(SCALARS))]) for name in FIELDS}
    if chance.random() < 0.8:
        row |= {"id": "sw-1", "ip_address": "10.0.0.1", "device_type": "network", "mac_address": ""}
        row |= {"parent_id": "", "maintenance_until": "", "enabled": "", "hostname": "", "site": "hq"}
    if chance.random() < 0.8:
        row["settings"] = json.dumps(mutated(POLICY, chance))
    found = device_from(row, "row 1")
    if not isinstance(found, Device):
        assert found, "it is refused without a reason"
        return False
    assert found.id.isprintable()
    try:
        settings = Configuration().policy(found.device_type, found.settings).poll_settings()
        job = job_of(found, "status", settings)
    except NetvitalsError:
        return False
    assert decode_jobs(encode_jobs([job])).jobs == [job], "a job does not arrive as it was sent"
    return True


if __name__ == "__main__":
    sys.exit(play({"documents": one_document, "environments": one_environment, "rows": one_row}))
