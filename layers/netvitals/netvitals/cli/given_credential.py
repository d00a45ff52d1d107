"""The credential that options, environment and, on a terminal, answers make up."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netvitals.cli.poll_inputs import Options

type Part = dict[str, Any]

_NOT_ENCRYPTED = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
"""How an OpenSSH key begins that has no passphrase: `openssh-key-v1`, cipher `none` (PROTOCOL.key)."""


def given_credential(options: "Options", protocols: Sequence[str]) -> dict[str, Part]:
    """An entry of the credential map for those of the device's protocols that something was given for.

    Where nothing was given at all, the first protocol's is asked for.

    Raises:
        click.UsageError: something is missing, and there is no terminal to ask on.
    """
    snmp_given = options.user is not None or options.community is not None
    given = {"snmp": snmp_given, "ssh": options.login is not None, "winrm": options.login is not None}
    wanted = [name for name in protocols if given[name]] or list(protocols[:1])
    return {name: _PARTS[name](options) for name in wanted}


def _snmp(options: "Options") -> Part:
    if options.user is None:
        community = _secret(options.community, "NETVITALS_COMMUNITY", "SNMP community")
        return {"version": options.snmp_version, "community": community}
    snmp = {"version": "3", "user": options.user, "context": options.context}
    for name, protocol in (("auth", options.auth), ("priv", options.priv)):
        if protocol:
            snmp[name] = protocol
            snmp[f"{name}_key"] = _secret(None, f"NETVITALS_{name.upper()}_KEY", f"SNMPv3 {name} passphrase")
    return snmp


def _ssh(options: "Options") -> Part:
    user = _user(options)
    if options.key is None:
        return {"user": user, "password": _secret(options.password, "NETVITALS_PASSWORD", "Password")}
    ssh = {"user": user, "private_key": _text_of(options.key, "--key")}
    if options.password is not None:
        ssh["password"] = options.password
    passphrase = os.environ.get("NETVITALS_KEY_PASSPHRASE")
    if passphrase is None and _is_encrypted(ssh["private_key"]):
        passphrase = _secret(None, "NETVITALS_KEY_PASSPHRASE", f"Passphrase of {options.key}")
    if passphrase is not None:
        ssh["passphrase"] = passphrase
    return ssh


def _is_encrypted(key: str) -> bool:
    return _NOT_ENCRYPTED not in key if "BEGIN OPENSSH" in key else "ENCRYPTED" in key


def _winrm(options: "Options") -> Part:
    winrm = {
        "user": _user(options),
        "password": _secret(options.password, "NETVITALS_PASSWORD", "Password"),
    }
    if options.transport is not None:
        winrm["transport"] = options.transport
    if options.certificate_sha256 is not None:
        winrm["certificate_sha256"] = options.certificate_sha256
    if options.ca is not None:
        winrm["ca"] = _text_of(options.ca, "--ca")
    return winrm


_PARTS: dict[str, Callable[["Options"], Part]] = {"snmp": _snmp, "ssh": _ssh, "winrm": _winrm}


def _user(options: "Options") -> str:
    if options.login is not None:
        return options.login
    if not sys.stdin.isatty():
        raise click.UsageError("give the user to log in as with --user")
    return str(click.prompt("User", err=True))


def _text_of(file: Path, option: str) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"{option} {file} can't be read: {error}") from None


def _secret(given: str | None, variable: str, prompt: str) -> str:
    text = given if given is not None else os.environ.get(variable)
    if text is not None:
        return text
    if not sys.stdin.isatty():
        raise click.UsageError(f"set {variable}, or run this on a terminal to be asked for it")
    return str(click.prompt(prompt, hide_input=True, err=True))
