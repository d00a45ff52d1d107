"""The options that say how one device, named by its address, is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

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
        "--profile", metavar="NAME", help="With ADDRESS: this SNMP profile, whatever it says it is."
    ),
    click.option("--credential", metavar="NAME", help="With ADDRESS: a name in the credential map."),
    click.option("--community", envvar="NETVITALS_COMMUNITY", help="With ADDRESS: SNMP v1 or v2c."),
    click.option("--snmp-version", type=click.Choice(["1", "2c"]), default="2c", show_default=True),
    click.option("--v3", "user", metavar="USER", help="With ADDRESS: SNMP v3, as this user."),
    click.option("--auth", metavar="PROTOCOL", help="With --v3: MD5, SHA1, SHA224, SHA256, SHA384, SHA512."),
    click.option(
        "--priv", metavar="PROTOCOL", help="With --v3: DES, AES128, AES192, AES256, AES192C, AES256C."
    ),
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
)


def device_options[F: Callable[..., Any]](command: F) -> F:
    """Give a command the options of an ad hoc device, as `poll_inputs.Options` names them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
