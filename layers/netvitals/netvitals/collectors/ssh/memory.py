"""Define what a poll over SSH leaves in device memory for the next one."""

import msgspec

from netvitals.collectors.cpu_usage import CpuSample, is_recent, is_same_boot
from netvitals.collectors.ssh.findings import Findings


class KeptTicks(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of CPU time, and when it was taken."""

    busy: int
    total: int
    uptime: float | None
    """Uptime of the host, in seconds."""
    at: int
    """Time of the sample in seconds since the epoch, by our clock."""

    def is_recent(self, now: float) -> bool:
        """Return whether this sample is recent enough for an average since then."""
        return is_recent(now - self.at)

    def sample_before(self, uptime: float | None, now: float) -> CpuSample | None:
        """Return the sample, unless the host, which is up for so long now, has booted since."""
        booted = None if self.uptime is None else self.at - self.uptime
        same_boot = is_same_boot(booted, None if uptime is None else now - uptime)
        return CpuSample(self.busy, self.total) if same_boot else None


class SshMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of device memory under the key `ssh`."""

    cpu: KeptTicks | None = None
    df_after: int = 0
    """Time before which df is not run, in seconds since the epoch; 0 where it has not hung."""


def kept_ticks(findings: Findings, now: float) -> KeptTicks | None:
    """Return the last sample of CPU time among the findings, for the next poll."""
    if not findings.cpu:
        return None
    _, sample = findings.cpu[-1]
    return KeptTicks(busy=sample.busy, total=sample.total, uptime=findings.uptime, at=int(now))
