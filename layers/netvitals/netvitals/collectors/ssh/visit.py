"""What happens on a thread: log in, by way of a jump host where there is one, and run the probe."""

from collections.abc import Mapping
from typing import Any

import paramiko

from netvitals.collectors.ssh.greeting import DeviceSocket
from netvitals.collectors.ssh.keys import KnownHost, line_of
from netvitals.collectors.ssh.probe import COMMAND, Output, Probe
from netvitals.collectors.ssh.protocol import HOST_KEYS, SshCredential, SshSettings
from netvitals.collectors.ssh.session import Session
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target


def visit(
    target: Target[SshSettings, SshCredential], reading: Reading, sock: DeviceSocket, probe: Probe | None
) -> Output:
    """What the probe printed; without a probe nothing, once the device has shown that it speaks SSH.

    The socket is connected to the device, or to its jump host, and is closed in the end.

    Raises:
        Refused: the credential is not accepted.
        SshFault: anything else.
    """
    session = Session(sock, target.settings, target.credential, target.deadline)
    try:
        return _Visit(session, target, reading).run(probe)
    finally:
        session.close()


class _Visit:
    def __init__(
        self, session: Session, target: Target[SshSettings, SshCredential], reading: Reading
    ) -> None:
        self._session = session
        self._target = target
        self._reading = reading
        self._ssh = target.settings

    def run(self, probe: Probe | None) -> Output:
        channel = self._behind_jump_host() if self._ssh.jump else None
        if probe is None:
            if channel is not None:
                self._session.greeting(channel)
            return Output()
        known = self._known()
        transport = self._session.meet(channel, known, "the server")
        self._reading.alive = True
        key = transport.get_remote_server_key()
        if not known and self._ssh.trust_on_first_use:
            self._reading.memory[HOST_KEYS] = [line_of(key)]
        else:
            known.check(key)
        self._session.log_in(transport, "the server")
        return self._session.execute(transport, COMMAND, probe.stdin, probe.end)

    def _behind_jump_host(self) -> paramiko.Channel:
        """A jump host is known by its pinned keys alone: it would be trusted anew for each device."""
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
    """What was trusted on first use. What can't be read is no key, and nothing else is trusted then."""
    kept = memory.get(HOST_KEYS)
    if kept is None:
        return ()
    return tuple(map(str, kept)) if isinstance(kept, list) and kept else (str(kept),)
