"""Define the options of `netvitals poll ADDRESS` for a Windows host."""

from collections.abc import Mapping
from typing import Any

from netvitals.collectors.command_line import PASSWORD, USER, CommandLine, Option, Prompt, password, user


def _credential(given: Mapping[str, Any], prompt: Prompt) -> dict[str, Any]:
    part = {"user": user(given, prompt), "password": password(given, prompt)}
    for name in ("transport", "certificate_sha256"):
        if given[name] is not None:
            part[name] = given[name]
    if given["ca"] is not None:
        part["ca"] = prompt.content(given["ca"], "--ca")
    return part


WINRM = CommandLine(
    options=(
        USER,
        PASSWORD,
        Option(
            flag="--transport",
            name="transport",
            choices=("ntlm", "basic", "kerberos"),
            needs=USER.name,
            help="With --user: how to log in over WinRM. [default: ntlm]",
        ),
        Option(
            flag="--certificate-sha256",
            name="certificate_sha256",
            metavar="HEX",
            needs=USER.name,
            help="With --user: its WinRM server has this certificate.",
        ),
        Option(
            flag="--ca",
            name="ca",
            is_file=True,
            metavar="FILE",
            needs=USER.name,
            help="With --user: who issued its WinRM server's certificate, PEM.",
        ),
        Option(
            flag="--no-verify",
            name="no_verify",
            is_flag=True,
            sets="verify",
            value=False,
            help="With ADDRESS: accept any WinRM server's certificate.",
        ),
        Option(
            flag="--no-tls",
            name="no_tls",
            is_flag=True,
            sets="tls",
            value=False,
            help="With ADDRESS: WinRM without TLS, which NTLM encrypts.",
        ),
    ),
    chosen_by=(USER.name,),
    credential=_credential,
)
