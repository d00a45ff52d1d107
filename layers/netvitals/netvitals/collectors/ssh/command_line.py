"""Define the options of `netvitals poll ADDRESS` for a host that is polled over SSH."""

from collections.abc import Mapping
from typing import Any

from netvitals.collectors.command_line import PASSWORD, USER, CommandLine, Option, Prompt, password, user

_NOT_ENCRYPTED = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
"""Beginning of an OpenSSH key without a passphrase: `openssh-key-v1`, cipher `none` (PROTOCOL.key)."""
_PASSPHRASE = "NETVITALS_KEY_PASSPHRASE"  # noqa: S105, the name of a variable


def _credential(given: Mapping[str, Any], prompt: Prompt) -> dict[str, Any]:
    part = {"user": user(given, prompt)}
    if given["key"] is None:
        return {**part, "password": password(given, prompt)}
    key = part["private_key"] = prompt.content(given["key"], "--key")
    if given["password"] is not None:
        part["password"] = given["password"]
    passphrase = prompt.variable(_PASSPHRASE)
    if passphrase is None and _is_encrypted(key):
        passphrase = prompt.secret(None, _PASSPHRASE, f"Passphrase of {given['key']}")
    return part if passphrase is None else {**part, "passphrase": passphrase}


def _is_encrypted(key: str) -> bool:
    return _NOT_ENCRYPTED not in key if "BEGIN OPENSSH" in key else "ENCRYPTED" in key


SSH = CommandLine(
    options=(
        USER,
        PASSWORD,
        Option(
            flag="--key",
            name="key",
            is_file=True,
            metavar="FILE",
            needs=USER.name,
            help="With --user: its private SSH key.",
        ),
        Option(
            flag="--host-key",
            name="host_keys",
            multiple=True,
            metavar="KEY",
            sets="host_keys",
            help="With ADDRESS: its SSH host key, `ssh-ed25519 AAAA…`. Repeatable.",
        ),
        Option(
            flag="--trust-host-key",
            name="trust_host_key",
            is_flag=True,
            sets="trust_on_first_use",
            help="With ADDRESS: log in whatever its SSH host key is.",
        ),
    ),
    chosen_by=(USER.name,),
    credential=_credential,
)
