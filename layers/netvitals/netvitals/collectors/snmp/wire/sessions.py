"""Choose a device's session by its credential's version and protocols."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from netvitals.collectors.snmp.protocol import ENGINE_MEMORY, SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire.security import CommunitySecurity, Security
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.errors import CredentialMissing
from netvitals.domain.polling.budget import Budget
from netvitals.domain.ports import Target

_RESERVE_SECONDS = 0.5
"""Seconds of the device's time, a tenth at most, in which what was read still has to become points."""


class Opened(NamedTuple):
    """A session, and the memory that it leaves."""

    session: SnmpSession
    memory: Callable[[], dict[str, Any]]
    """Returns the changes for device memory; call it when the session has done its work."""


def open_session(
    target: Target[SnmpSettings, SnmpCredential],
    repetitions: int | None = None,
    budget: Budget | None = None,
) -> Opened:
    """Return a session with the target's agent; nothing is sent yet.

    Raises:
        CredentialMissing: the credential is for another version.
    """
    credential, settings = target.credential, target.settings
    security = _security(credential, target.address, settings, target.job.memory)
    left = target.deadline - time.monotonic()
    deadline = target.deadline - min(_RESERVE_SECONDS, left / 10)
    if _is_declined(credential):
        from netvitals.collectors.snmp.wire.pysnmp_session import PysnmpSession  # noqa: PLC0415, 200 ms, for few

        session: SnmpSession = PysnmpSession(
            target.address, credential, settings, deadline, repetitions=repetitions, budget=budget
        )
    else:
        session = SnmpSession(
            target.address, security, settings, deadline, repetitions=repetitions, budget=budget
        )
    return Opened(session, security.remember)


def _is_declined(credential: SnmpCredential) -> bool:
    """Return whether the fast session leaves this credential to pysnmp's engine."""
    if credential.version != "3":
        return False
    from netvitals.collectors.snmp.wire.usm import declined  # noqa: PLC0415, 70 ms, for v3 only

    return declined(credential)


def _security(
    credential: SnmpCredential, address: str, settings: SnmpSettings, memory: Mapping[str, Any]
) -> Security:
    if (credential.version == "3") != ((settings.version or credential.version) == "3"):
        raise CredentialMissing(
            f"the device is set to SNMP version {settings.version}, "
            f"its credential is for {credential.version}"
        )
    if credential.version == "3":
        from netvitals.collectors.snmp.wire.v3 import UserSecurity  # noqa: PLC0415, 70 ms, for v3 only

        # pysnmp's engine learns ids by itself; the keys of an engine that is remembered are none for it.
        engine = None if _is_declined(credential) else memory.get(ENGINE_MEMORY)
        return UserSecurity(credential, address, settings.port, engine)
    if credential.community is None:
        raise CredentialMissing(f"version {credential.version} needs a community")
    return CommunitySecurity(
        "1" if (settings.version or credential.version) == "1" else "2c", credential.community
    )
