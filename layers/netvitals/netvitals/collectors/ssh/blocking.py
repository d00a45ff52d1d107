"""Run the part of a poll that blocks a thread: log in, through a jump host if there is one, run the probe."""

from collections.abc import Mapping
from typing import Any

import paramiko

from netvitals.collectors.ssh.faults import SshFault
from netvitals.collectors.ssh.findings import Findings
from netvitals.collectors.ssh.greeting import DeviceSocket
from netvitals.collectors.ssh.keys import KnownHost, line_of
from netvitals.collectors.ssh.probe import COMMAND, Probe
from netvitals.collectors.ssh.protocol import HOST_KEYS, SshCredential, SshSettings
from netvitals.collectors.ssh.session import Session
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target


def poll(
    target: Target[SshSettings, SshCredential], reading: Reading, sock: DeviceSocket, probe: Probe | None
) -> Findings | SshFault:
    """Return what the probe found out, or why it did not run although the login works.

    Without a probe there are no findings, once the device has sent its SSH greeting.

    The socket is connected to the device, or to its jump host, and is closed in the end.

    Raises:
        Refused: the credential is not accepted.
        SshFault: anything else.
    """
    session = Session(sock, target.settings, target.credential, target.deadline)
    try:
        return _Poll(session, target, reading).run(probe)
    finally:
        session.close()


class _Poll:
    def __init__(
        self, session: Session, target: Target[SshSettings, SshCredential], reading: Reading
    ) -> None:
        self._session = session
        self._target = target
        self._reading = reading
        self._ssh = target.settings

    def run(self, probe: Probe | None) -> Findings | SshFault:
        channel = self._behind_jump_host() if self._ssh.jump else None
        if probe is None:
            if channel is not None:
                self._session.greeting(channel)
            return Findings()
        known = self._known()
        transport = self._session.meet(channel, known, "the server")
        self._reading.alive = True
        key = transport.get_remote_server_key()
        if not known and self._ssh.trust_on_first_use:
            self._reading.memory[HOST_KEYS] = [line_of(key)]
        else:
            known.check(key)
        self._session.log_in(transport, "the server")
        return probe.outcome(self._session.execute(transport, COMMAND, probe.stdin, probe.end))

    def _behind_jump_host(self) -> paramiko.Channel:
        """Connect through the jump host, which must have pinned keys: on first use, any would be trusted."""
        who = f"jump host {self._ssh.jump}"
        known = KnownHost(who, "ssh.jump_host_keys", self._ssh.jump_host_keys)
        transport = self._session.meet(None, known, who)
        known.check(transport.get_remote_server_key())
        self._session.log_in(transport, who)
        return self._session.through(transport, who, self._target.address, self._ssh.port)

    def _known(self) -> KnownHost:
        keys = self._ssh.host_keys
        if not keys and self._ssh.trust_on_first_use:
            keys = remembered_keys(self._target.job.memory)
        return KnownHost("the server", "ssh.host_keys", keys)


def remembered_keys(memory: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key that was trusted on first use; what can't be read matches no key, so none is trusted."""
    kept = memory.get(HOST_KEYS)
    if kept is None:
        return ()
    return tuple(map(str, kept)) if isinstance(kept, list) and kept else (str(kept),)
