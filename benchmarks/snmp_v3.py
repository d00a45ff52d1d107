"""What SNMPv3 costs beside v2c: CPU of the same walk of the same snmpd, in one run.

Run it with `python benchmarks/snmp_v3.py`.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sizes import QUICK

from local.servers.snmpd import HOST, Snmpd
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire.security import CommunitySecurity, Security
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.settings.secret import Secret

ROWS, COLUMNS = 48, 20
"""Of a 48-port switch's interface tables."""
TABLE = "1.3.6.1.4.1.99999.1.1"
WALKS, ROUNDS = (1, 1) if QUICK else (60, 5)
TARGET = 2.5
COMMUNITY = "public"
KEY = "benchmark-key"

USERS = {
    "v3 authNoPriv SHA-1": SnmpCredential(version="3", user="sha", auth="SHA1", auth_key=Secret(KEY)),
    "v3 authPriv SHA-1/AES-128": SnmpCredential(
        version="3", user="aes128", auth="SHA1", auth_key=Secret(KEY), priv="AES128", priv_key=Secret(KEY)
    ),
    "v3 authPriv SHA-256/AES-256": SnmpCredential(
        version="3", user="aes256", auth="SHA256", auth_key=Secret(KEY), priv="AES256", priv_key=Secret(KEY)
    ),
    "v3 authPriv SHA-512/AES-256": SnmpCredential(
        version="3", user="sha512", auth="SHA512", auth_key=Secret(KEY), priv="AES256", priv_key=Secret(KEY)
    ),
    "v3 authPriv MD5/DES": SnmpCredential(
        version="3", user="des", auth="MD5", auth_key=Secret(KEY), priv="DES", priv_key=Secret(KEY)
    ),
}


def configuration() -> str:
    table = (
        f"override {TABLE}.{column}.{row} uinteger {column * 1_000_003 + row}"
        for column in range(1, COLUMNS + 1)
        for row in range(1, ROWS + 1)
    )
    lines = [
        f"rocommunity {COMMUNITY}",
        *(f"rouser {user.user} auth" for user in USERS.values()),
        f"createUser sha SHA {KEY}",
        f"createUser aes128 SHA {KEY} AES {KEY}",
        f"createUser aes256 SHA-256 {KEY} AES-256 {KEY}",
        f"createUser sha512 SHA-512 {KEY} AES-256 {KEY}",
        f"createUser des MD5 {KEY} DES {KEY}",
    ]
    return "\n".join([*lines, *table, ""])


async def walk(agent: Snmpd, security: Security) -> None:
    session = SnmpSession(HOST, security, SnmpSettings(port=agent.port), time.monotonic() + 30)
    result = await session.walk([f"{TABLE}.{column}" for column in range(1, COLUMNS + 1)])
    assert result.error is None, result.error
    assert len(result.tables) == ROWS * COLUMNS


async def cpu_ms(agent: Snmpd, make: Callable[[], Security]) -> float:
    """CPU milliseconds of this process per walk."""
    await walk(agent, make())
    start = time.process_time()
    for _ in range(WALKS):
        await walk(agent, make())
    return (time.process_time() - start) * 1000 / WALKS


async def measure(agent: Snmpd) -> dict[str, float]:
    makers: dict[str, Callable[[], Security]] = {
        "v2c": lambda: CommunitySecurity("2c", Secret(COMMUNITY)),
        **{name: lambda user=user: UserSecurity(user, HOST, agent.port) for name, user in USERS.items()},  # type: ignore[misc] # a default binds it
    }
    best = dict.fromkeys(makers, float("inf"))
    for _ in range(ROUNDS):
        for name, make in makers.items():
            best[name] = min(best[name], await cpu_ms(agent, make))
    return best


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        agent = Snmpd(Path(folder), configuration())
        agent.start()
        try:
            costs = asyncio.run(measure(agent))
        finally:
            agent.stop()
    print(f"walk of {ROWS} rows x {COLUMNS} columns, CPU per walk, best of {ROUNDS} x {WALKS}")
    for name, cost in costs.items():
        print(f"{name:30} {cost:7.2f} ms   {cost / costs['v2c']:.2f} x v2c")
    worst = max(costs.values()) / costs["v2c"]
    print(f"{worst:.2f} x v2c at worst, at most {TARGET} is the aim")
    return int(worst > TARGET and not QUICK)


if __name__ == "__main__":
    sys.exit(main())
