"""WQL over a real connection, in the forms that the collector's own queries do not have."""

from fixtures.windows import PASSWORD, USER, Device, windows
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm.access import access_of
from netvitals.collectors.winrm.connection import WinrmConnection, connect
from netvitals.collectors.winrm.transport import guarded_protocol
from netvitals.collectors.winrm.wql import rows_of


async def test_whole_instances_are_rows_like_projections() -> None:
    with WinrmHost(Service(windows()), users={USER: PASSWORD}) as host:
        target = Device(host).target()
        connection = WinrmConnection(
            target.address, host.port, (await connect(target.address, host.port, 5))[0]
        )
        try:
            protocol = guarded_protocol(connection, access_of(target))
            rows = rows_of(protocol, "SELECT * FROM Win32_LogicalDisk WHERE DriveType=3")
        finally:
            connection.close()
    assert [(row.values["DeviceID"], row.values["Size"]) for row in rows] == [
        ("C:", "1000"),
        ("D:", None),
        ("E:", "2000"),
    ]
