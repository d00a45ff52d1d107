"""Opening the session that a device's credential asks for."""

import time
from typing import Any

from netvitals.collectors.snmp.community import CommunitySecurity
from netvitals.collectors.snmp.engines import MEMORY_KEY
from netvitals.collectors.snmp.security import Security
from netvitals.collectors.snmp.session import SnmpSession
from netvitals.domain.credential import SnmpCredential
from netvitals.domain.errors import CredentialMissing
from netvitals.domain.ports import Target

_RESERVE_SECONDS = 0.5
"""Of the device's time: what was read until then still has to become points."""
_RESERVE_SHARE = 0.1


class Opened:
    """A session, and what its security has learnt for the next poll."""

    def __init__(self, session: SnmpSession, security: Security) -> None:
        self.session = session
        self._security = security

    def memory(self) -> dict[str, Any]:
        """Changes for the device's memory; nothing but for v3."""
        return self._security.remember()


def open_session(target: Target, repetitions: int | None) -> Opened:
    """The session for a target; nothing is sent yet.

    Raises:
        CredentialMissing: the target's credential is none for SNMP, or none for the version it shall speak.
    """
    settings = target.job.settings.snmp
    security = _security(target, _credential(target))
    now = time.monotonic()
    left = target.deadline - now
    deadline = target.deadline - min(_RESERVE_SECONDS, left * _RESERVE_SHARE)
    return Opened(
        SnmpSession(target.address, security, settings, deadline, repetitions=repetitions), security
    )


def _credential(target: Target) -> SnmpCredential:
    credential = target.credential.snmp
    if credential is None:
        name = target.job.credential
        raise CredentialMissing(
            f"credential {name!r} has no snmp part" if name else "the device names no credential for SNMP"
        )
    wanted = target.job.settings.snmp.version
    if wanted is not None and (wanted == "3") != (credential.version == "3"):
        raise CredentialMissing(
            f"the device is set to SNMP version {wanted}, "
            f"but credential {target.job.credential!r} is for version {credential.version}"
        )
    return credential


def _security(target: Target, credential: SnmpCredential) -> Security:
    settings = target.job.settings.snmp
    if credential.version == "3":
        from netvitals.collectors.snmp.v3 import UserSecurity  # noqa: PLC0415, its ciphers cost a cold start

        return UserSecurity(credential, target.address, settings.port, target.job.memory.get(MEMORY_KEY))
    assert credential.community is not None  # noqa: S101, SnmpCredential has checked it
    version = credential.version if settings.version in (None, "3") else settings.version
    return CommunitySecurity(version, credential.community)
