"""Define the options of `netvitals poll ADDRESS` for an SNMP agent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, get_args

from netvitals.collectors.command_line import CommandLine, Option, Prompt
from netvitals.collectors.snmp.profiles.packaged import packaged_profiles, tried_profiles
from netvitals.collectors.snmp.protocol import (
    MIN_KEY_CHARACTERS,
    AuthProtocol,
    PrivProtocol,
    SpelledAuth,
    SpelledPriv,
)
from netvitals.domain.errors import ConfigurationError


def _one_of(flag: str, names: tuple[str, ...], spelled: tuple[str, ...], note: str) -> Option:
    return Option(
        flag=flag,
        name=flag.removeprefix("--"),
        metavar="PROTOCOL",
        choices=spelled,
        any_case=True,
        needs="v3_user",
        help=f"With --v3: {', '.join(names)}; {note}.",
    )


def _credential(given: Mapping[str, Any], prompt: Prompt) -> dict[str, Any]:
    if given["v3_user"] is None:
        community = prompt.secret(given["community"], "NETVITALS_COMMUNITY", "SNMP community")
        return {"version": given["snmp_version"], "community": community}
    part = {"version": "3", "user": given["v3_user"], "context": given["context"]}
    for name in ("auth", "priv"):
        if given[name]:
            part[name] = given[name]
            variable = f"NETVITALS_{name.upper()}_KEY"
            part[f"{name}_key"] = prompt.secret(None, variable, f"SNMPv3 {name} passphrase")
            if len(part[f"{name}_key"]) < MIN_KEY_CHARACTERS:
                raise ConfigurationError(f"{variable} has fewer than {MIN_KEY_CHARACTERS} characters")
    return part


@contextmanager
def _prepared(given: Mapping[str, Any]) -> Iterator[None]:
    """Try the profiles of a folder; a profile that is named must be there."""
    with tried_profiles(given["profiles"]) if given["profiles"] else nullcontext():
        if given["profile"]:
            packaged_profiles().load(given["profile"])
        yield


SNMP = CommandLine(
    options=(
        Option(
            flag="--profile",
            name="profile",
            metavar="NAME",
            sets="profile",
            help="With ADDRESS: this SNMP profile, in place of the one that fits.",
        ),
        Option(
            flag="--profiles",
            name="profiles",
            metavar="DIR",
            is_folder=True,
            help="Try the SNMP profiles in this folder beside the package's; nothing is built.",
        ),
        Option(
            flag="--community",
            name="community",
            variable="NETVITALS_COMMUNITY",
            excludes="v3_user",
            help="With ADDRESS: SNMP v1 or v2c.",
        ),
        Option(
            flag="--snmp-version",
            name="snmp_version",
            choices=("1", "2c"),
            default="2c",
            excludes="v3_user",
            help="With --community.",
        ),
        Option(flag="--v3", name="v3_user", metavar="USER", help="With ADDRESS: SNMP v3, as this user."),
        _one_of("--auth", get_args(AuthProtocol), get_args(SpelledAuth), "SHA is SHA1"),
        _one_of("--priv", get_args(PrivProtocol), get_args(SpelledPriv), "AES is AES128"),
        Option(flag="--context", name="context", default="", needs="v3_user", help="With --v3: the context."),
    ),
    chosen_by=("community", "v3_user"),
    credential=_credential,
    prepared=_prepared,
)
