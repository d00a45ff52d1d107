"""A Windows host for tests: what it knows, how it is polled, and certificates for it."""

import datetime as dt
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.simulators.winrm_host import WinrmHost
from local.simulators.winrm_machine import Machine, Row
from netvitals.collectors.winrm.collector import WinrmCollector
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target
from netvitals.domain.settings.credential import credential_from
from netvitals.domain.settings.policy import WinrmSettings
from simulators.polling import job

USER, PASSWORD = "monitor", "S3cret!pässword"
PROCESSOR = "Win32_PerfRawData_Counters_ProcessorInformation"
OLD_PROCESSOR = "Win32_PerfRawData_PerfOS_Processor"
THERMAL = "Win32_PerfRawData_Counters_ThermalZoneInformation"
NETWORK = "Win32_PerfRawData_Tcpip_NetworkInterface"
IDLE_SHARE = 0.75


def processor() -> list[Row]:
    clock = time.time_ns() // 100
    idle = {"0,0": 0.5, "0,_Total": IDLE_SHARE, "_Total": IDLE_SHARE}
    return [
        {"Name": name, "PercentProcessorTime": int(clock * share), "Timestamp_Sys100NS": clock}
        for name, share in idle.items()
    ]


def nic(name: str, count: int = 1, speed: int = 10**9) -> Row:
    return {
        "Name": name,
        "BytesReceivedPersec": count * 1000,
        "BytesSentPersec": count * 500,
        "PacketsReceivedErrors": 3,
        "PacketsOutboundErrors": 0,
        "PacketsReceivedDiscarded": 1,
        "PacketsOutboundDiscarded": 0,
        "CurrentBandwidth": speed,
    }


def windows() -> Machine:
    """A virtual machine with Windows Server 2012 or later: no thermal zone has an instance."""
    return Machine(
        {
            "Win32_OperatingSystem": [
                {
                    "Caption": "Microsoft Windows Server 2022 Standard",
                    "LastBootUpTime": "2026-11-20T08:00:00.5-06:00",
                    "LocalDateTime": "2026-11-21T08:00:00.5-06:00",
                    "TotalVisibleMemorySize": 8_000_000,
                    "FreePhysicalMemory": 2_000_000,
                }
            ],
            PROCESSOR: processor,
            "Win32_LogicalDisk": [
                {"DeviceID": "A:", "Size": None, "FreeSpace": None, "DriveType": 2},
                {"DeviceID": "C:", "Size": 1000, "FreeSpace": 400, "DriveType": 3},
                {"DeviceID": "D:", "Size": None, "FreeSpace": None, "DriveType": 3},
                {"DeviceID": "E:", "Size": 2000, "FreeSpace": 2000, "DriveType": 3},
                {"DeviceID": "Z:", "Size": 9000, "FreeSpace": 1, "DriveType": 4},
            ],
            NETWORK: [nic("vmxnet3 Ethernet Adapter"), nic("vmxnet3 Ethernet Adapter _2", 2)],
            THERMAL: [],
        }
    )


class Device:
    """A Windows host in the inventory: its settings, its credential, and what the last poll left."""

    def __init__(self, host: WinrmHost, **winrm: Any) -> None:
        self.address = str(host.server_address[0])
        self.hostname = ""
        self.settings: dict[str, Any] = {"port": host.port, "tls": host.context is not None, **winrm}
        self.credential: dict[str, Any] = {"user": USER, "password": PASSWORD}
        self.memory: dict[str, Any] = {}
        self.collector = WinrmCollector(threads=4)
        self.seconds = 10.0

    def target(self, kind: str = "metrics") -> Target:
        this = job(
            kind=kind,
            address=self.address,
            hostname=self.hostname,
            memory=self.memory,
            winrm=WinrmSettings(**self.settings),
        )
        credential = credential_from("c", {"winrm": self.credential})
        return Target(
            job=this, address=self.address, credential=credential, deadline=time.monotonic() + self.seconds
        )

    async def poll(self, kind: str = "metrics") -> Reading:
        reading = Reading()
        await self.collector.collect(self.target(kind), reading)
        kept = {**self.memory, **reading.memory}
        self.memory = {key: value for key, value in kept.items() if value is not None}
        return reading


def values(reading: Reading) -> dict[tuple[str, str], float]:
    return {(point.metric_name, point.instance): point.value for point in reading.points}


class Certified(NamedTuple):
    certificate: Path
    key: Path
    sha256: str

    @property
    def files(self) -> tuple[Path, Path]:
        return self.certificate, self.key

    @property
    def pem(self) -> str:
        return self.certificate.read_text()


def certified(folder: Path, *names: str) -> Certified:
    """A certificate that signs itself, as `New-SelfSignedCertificate` makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    own = Certified(
        folder / f"{names[0]}.crt", folder / f"{names[0]}.key", certificate.fingerprint(hashes.SHA256()).hex()
    )
    own.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    own.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return own


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
