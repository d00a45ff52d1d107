"""Coverage-guided fuzzing of all that reads what a host sends over SSH: the probe's output, and messages.

Run as `python tests/faults/fuzz_ssh_output.py MINUTES [-runs=N …]`, with `tests` and the project on
PYTHONPATH and any options of libFuzzer: it begins with what hosts of four systems print. In an input, `@`
at a line's beginning stands for the probe's marker. Only `SshFault` may come out, every point is one that
can be stored, what is remembered can be read again, and nothing takes more than its share of processor
time.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["netvitals.collectors.ssh", "netvitals.domain"]):
    from netvitals.collectors.ssh.collector import _conclude
    from netvitals.collectors.ssh.faults import SshFault
    from netvitals.collectors.ssh.greeting import check_version
    from netvitals.collectors.ssh.memory import SshMemory
    from netvitals.collectors.ssh.parse import SYSTEMS
    from netvitals.collectors.ssh.probe import Output, Probe
    from netvitals.collectors.ssh.transport import _check

import paramiko
from faults.libfuzzer import check_reading, fuzz

from fixtures.ssh_device import LINUX
from netvitals.domain.polling.observation import Reading

RECORDED = Path(__file__).parents[1] / "unit/collectors/ssh/hosts"
SECTIONS = {
    "df -kPl": "df", "ifconfig -a": "ifconfig", "netstat -ibn": "netstat", "netstat -in": "netstat2",
    "sysctl.txt": "sysctl", "vmstat -s": "sysctl", "date +%s": "clock", "vm_stat": "vm_stat",
    "top -l 2 -n 0 -s 1": "top",
}  # fmt: skip
"""By the command whose output was recorded, the section of the probe that it is of."""
WORDS = (
    *("@begin Linux", "@begin FreeBSD", "@cpu2", "@exit 137", "@end", "@mounts", "@temperature"),
    *("status: ", "media: ", "hwmon ", "zone ", "<Link#", "kern.cp_time", "MemTotal:", "@/dev/"),
    *("18446744073709551616", "inf", "nan", "-1", "/.zfs/snapshot/"),
)
NOW = 1_800_000_000.0


def _output(data: bytes) -> None:
    probe = Probe(second_sample=bool(data[:1] == b"\n"), disks=True)
    mark = probe.end.removesuffix(b"end\n")
    text = (b"\n" + data).replace(b"\n@", b"\n" + mark)
    halves = [(1, text[: len(text) // 2]), (2, text[len(text) // 2 :])]
    output = Output(halves, data[-100:], complete=probe.end in text, fault="it ended early")
    outcome = probe.outcome(output)
    if isinstance(outcome, SshFault):
        _told(outcome)
        return
    reading = Reading()
    _conclude(probe, outcome, reading, SshMemory(), NOW)
    check_reading(reading, "ssh", SshMemory)


def _told(fault: SshFault) -> None:
    assert str(fault).isprintable()


def _message(data: bytes) -> None:
    """A message of any kind: refused, or one whose counts paramiko may believe."""
    if not data:
        return
    try:
        _check(data[0], paramiko.Message(data[1:]))
    except paramiko.SSHException:
        return
    if data[0] in {7, 60}:
        text = paramiko.Message(data[1:])
        if data[0] == 60:
            for _ in range(3):
                text.get_string()
        assert text.get_int() <= len(data)


def _greeting(data: bytes) -> None:
    try:
        check_version(data.decode("utf-8", "replace"))
    except SshFault as fault:
        _told(fault)


def seeds() -> Iterator[bytes]:
    yield LINUX.encode()
    for system, folder in (("FreeBSD", "freebsd"), ("OpenBSD", "openbsd"), ("Darwin", "macos")):
        assert system in SYSTEMS
        texts = {file.name: file.read_text() for file in (RECORDED / folder).iterdir()}
        parts = [f"@{section}\n{texts[name]}" for name, section in SECTIONS.items() if name in texts]
        yield "\n".join([f"@begin {system}", *parts, "@exit 0", "@end", ""]).encode()
    yield b"@begin Linux\n@temperature\nhwmon h0 temp1 45000 coretemp Core 0\nzone tz0 temp 40000 x\n@end\n"
    yield b"\x07\x00\x00\x00\x01" + b"\x00\x00\x00\x01a" * 2
    yield b"\x3c" + b"\x00\x00\x00\x00" * 3 + b"\x00\x00\x00\x01\x00\x00\x00\x02ab\x00"
    yield b"SSH-2.0-OpenSSH_9.2\r\n"


def main(minutes: float, *options: str) -> int:
    checks = (_output, _message, _greeting)
    return fuzz(checks, seeds(), minutes, "-max_len=8000", "-len_control=0", *options, words=WORDS)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
