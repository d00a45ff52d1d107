"""Compose the probe that is sent to a shell, and interpret its outcome."""

import functools
import secrets
from importlib.resources import files

import msgspec

from netvitals.collectors.ssh.faults import EXPIRED, SshFault, tells_of_expiry
from netvitals.collectors.ssh.findings import Findings, ProbeSection
from netvitals.collectors.ssh.parse import SYSTEMS, read, sections_of
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

COMMAND = "sh"
_SPARE_LINES = 4
"""Times that the first line is sent again: a login profile that reads standard input takes lines of it."""
_KILLED = frozenset({"124", "137", "143"})
"""Exit codes of a command that `timeout` ended, coreutils' and busybox's."""

_LONGEST_COMPLAINT = 4096
"""Bytes of standard error that are searched."""


class Output(msgspec.Struct):
    """Output of a command as it arrived (time, octets), and how it ended."""

    chunks: list[tuple[int, bytes]] = []
    stderr: bytes = b""
    complete: bool = False
    """True where the end marker was there."""
    fault: str = ""
    """Text for a person that says why it is not complete."""
    timed_out: bool = False
    broken: bool = False
    """True where the connection broke, and the command did not end it."""


class Probe:
    """Composes one run of the probe, and reads its outcome."""

    def __init__(self, *, second_sample: bool, disks: bool) -> None:
        self._nonce = secrets.token_hex(8)
        self._line = f"N={self._nonce} S={int(second_sample) or ''} D={'' if disks else 1} R=\n"
        self.end = f"@@{self._nonce} end\n".encode()
        self.df_hung = False
        """True where df hung; set when the findings are read."""

    @property
    def stdin(self) -> bytes:
        spare = f'[ "$N" = {self._nonce} ] || {{ {self._line.rstrip()}; }}\n'
        return f"{self._line}{spare * _SPARE_LINES}".encode() + script()

    def outcome(self, output: Output) -> Findings | SshFault:
        """Return the findings, or the fault that keeps the probe from running."""
        try:
            return self.findings(output)
        except SshFault as fault:
            return fault

    def findings(self, output: Output) -> Findings:
        """Return the device's findings, with what is missing of them.

        Raises:
            SshFault: the probe did not run.
        """
        sections = sections_of(output.chunks, self._nonce)
        begin = sections.get("begin")
        if begin is None:
            raise _not_run(output)
        if begin.word not in SYSTEMS:
            raise SshFault(
                Reason.UNSUPPORTED,
                f"nothing is known of its system, {first_line(begin.word)!r}: poll it by SNMP",
            )
        findings = read(sections)
        ended = sections.get("exit", ProbeSection())
        asked = "df" in sections or "mounts" in sections
        self.df_hung = ended.word in _KILLED or (asked and "exit" not in sections and not output.complete)
        if self.df_hung:
            findings.faults = [fault for fault in findings.faults if not fault.startswith("disk:")]
        elif not output.complete:
            findings.faults.append(f"the probe was cut short, {output.fault}")
        return findings


@functools.cache
def script() -> bytes:
    """Return the probe's text without its comments."""
    text = files(__package__).joinpath("probe.sh").read_text()
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#")).encode()


def _not_run(output: Output) -> SshFault:
    said = first_line(b"".join(data for _, data in output.chunks)) or first_line(output.stderr)
    # sshd says it on standard error, whatever the login shell prints.
    if tells_of_expiry(output.stderr[:_LONGEST_COMPLAINT].decode("utf-8", "replace")):
        return SshFault(Reason.AUTH, EXPIRED)
    if not said and output.timed_out:
        return SshFault(Reason.TIMEOUT, "the login works, but its shell says nothing within the time limit")
    if not said and output.broken:
        return SshFault(Reason.PROTOCOL, f"the login works, but then {output.fault}")
    return SshFault(
        Reason.UNSUPPORTED,
        f"the login runs no POSIX shell, it says {repr(said) if said else 'nothing'}: "
        "give the user a shell and no forced command, or poll the device by SNMP",
    )
