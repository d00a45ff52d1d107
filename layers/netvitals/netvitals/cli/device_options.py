"""The options that say how one device, named by its address, is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from netvitals.domain.settings.credential import AuthProtocol, PrivProtocol


def _one_of(protocols: Any) -> dict[str, Any]:
    """An option of `--v3` that takes one of these names, in upper or lower case."""
    names = get_args(protocols)
    return {
        "type": click.Choice(names, case_sensitive=False),
        "metavar": "PROTOCOL",
        "help": f"With --v3: {', '.join(names)}.",
    }


_OPTIONS = (
    click.option(
        "--type",
        "device_type",
        default="network",
        show_default=True,
        metavar="TYPE",
        help="With ADDRESS: its device type.",
    ),
    click.option(
        "--port", type=click.IntRange(1, 65535), help="With ADDRESS: the port of its first protocol."
    ),
    click.option(
        "--profile", metavar="NAME", help="With ADDRESS: this SNMP profile, in place of the one that fits."
    ),
    click.option("--credential", metavar="NAME", help="With ADDRESS: a name in the credential map."),
    click.option("--community", envvar="NETVITALS_COMMUNITY", help="With ADDRESS: SNMP v1 or v2c."),
    click.option("--snmp-version", type=click.Choice(["1", "2c"]), default="2c", show_default=True),
    click.option("--v3", "user", metavar="USER", help="With ADDRESS: SNMP v3, as this user."),
    click.option("--auth", **_one_of(AuthProtocol)),
    click.option("--priv", **_one_of(PrivProtocol)),
    click.option("--context", default="", help="With --v3: the context."),
    click.option(
        "--user", "login", metavar="USER", help="With ADDRESS: log in over SSH or WinRM, as this user."
    ),
    click.option("--password", envvar="NETVITALS_PASSWORD", help="With --user: its password."),
    click.option(
        "--key", type=click.Path(path_type=Path), metavar="FILE", help="With --user: its private SSH key."
    ),
    click.option(
        "--host-key",
        "host_keys",
        multiple=True,
        metavar="KEY",
        help="With ADDRESS: its SSH host key, `ssh-ed25519 AAAA…`. Repeatable.",
    ),
    click.option("--trust-host-key", is_flag=True, help="With ADDRESS: log in whatever its SSH host key is."),
    click.option(
        "--transport",
        type=click.Choice(["ntlm", "basic", "kerberos"]),
        help="With --user: how to log in over WinRM. [default: ntlm]",
    ),
    click.option(
        "--certificate-sha256", metavar="HEX", help="With --user: its WinRM server has this certificate."
    ),
    click.option(
        "--ca",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="With --user: who issued its WinRM server's certificate, PEM.",
    ),
    click.option("--no-verify", is_flag=True, help="With ADDRESS: accept any WinRM server's certificate."),
    click.option("--no-tls", is_flag=True, help="With ADDRESS: WinRM without TLS, which NTLM encrypts."),
)


def device_options[F: Callable[..., Any]](command: F) -> F:
    """Give a command the options of an ad hoc device, as `poll_inputs.Options` names them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
