"""Decode credentials of the credential map, by name; a job carries only the name."""

import re
from typing import TYPE_CHECKING, Any

import msgspec

from netvitals.domain.errors import CredentialMissing
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.secret import decode_secret
from netvitals.domain.settings.section import extended
from netvitals.domain.settings.validation import allowed, fields, unknown

_UNKNOWN = re.compile(r"Object contains unknown field `([^`]{1,64})`")


def _with_a_part_for_each_protocol[S: msgspec.Struct](credential: type[S]) -> type[S]:
    return extended(credential, ((each.name, each.credential | None, None) for each in PROTOCOLS.values()))


@_with_a_part_for_each_protocol
class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of the credential map: a part for each protocol, or None."""

    if TYPE_CHECKING:

        def __init__(self, **parts: CredentialPart | None) -> None: ...


def part_of[C: CredentialPart](credential: Credential, protocol: Protocol[Any, C], name: str) -> C:
    """Return a credential's part for a protocol; `name` is the credential's in the map.

    Raises:
        CredentialMissing: the credential is not for this protocol.
    """
    part = protocol.part_of(credential)
    if part is None:
        raise CredentialMissing(
            f"credential {name!r} has no {protocol.name!r} part: add it to the credential map"
        )
    return part


def credential_from(name: str, value: Any) -> Credential:
    """Return the credential that decoded JSON describes.

    Raises:
        CredentialMissing: it is malformed; the text names the key at fault, never its value.
    """
    try:
        return msgspec.convert(value, Credential, dec_hook=decode_secret)
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise CredentialMissing(f"credential {name!r} is malformed: {_without_values(str(error))}") from None


def _without_values(text: str) -> str:
    """Return what msgspec says, the key first, without the one text in which it shows a value.

    That may be a secret under the wrong key.
    """
    cause, found, where = text.rpartition(" - at `$")
    if not found:
        return text
    key = where.strip(".`")
    if cause.startswith("Invalid enum value"):
        cause = f"must be {_allowed(key)}"
    if named := _UNKNOWN.fullmatch(cause):
        part: Any = PROTOCOLS[key].credential
        cause = unknown("key", named[1], fields(part))
    return f"{key}: {cause}"


def _allowed(key: str) -> str:
    """Return what a key such as `snmp.auth` takes."""
    protocol, _, name = key.partition(".")
    part: type[msgspec.Struct] = PROTOCOLS[protocol].credential
    return allowed(fields(part)[name]).removesuffix(" or null")
