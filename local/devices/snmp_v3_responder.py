"""An SNMPv3 agent made of pysnmp's engine, for what snmpd does not offer: 3DES, Cisco's AES, contexts."""

import socket
from collections.abc import Sequence
from typing import Any

from pysnmp.carrier.asyncio.dgram.udp import DOMAIN_NAME, UdpAsyncioTransport
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.rfc1902 import Integer32, ObjectName, OctetString
from pysnmp.smi.exval import endOfMibView, noSuchInstance
from pysnmp.smi.instrum import AbstractMibInstrumController

from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire.usm import AUTH_MODELS, PRIV_MODELS

HOST = "127.0.0.1"
TABLE = "1.3.6.1.4.1.99999.2.1"
"""Column 1: row number; column 2: the context's name."""
ROWS = 30


class _Table(AbstractMibInstrumController):  # type: ignore[misc] # pysnmp has no types
    """A table of two columns, the same in each context but for its name."""

    def __init__(self, name: str) -> None:
        self._cells: dict[tuple[int, ...], Any] = {}
        prefix = tuple(map(int, TABLE.split(".")))
        for row in range(1, ROWS + 1):
            self._cells[*prefix, 1, row] = Integer32(row)
            self._cells[*prefix, 2, row] = OctetString(name or "default")

    def read_variables(self, *varbinds: Any, **_context: Any) -> list[Any]:
        return [(name, self._cells.get(tuple(name), noSuchInstance)) for name, _ in varbinds]

    def read_next_variables(self, *varbinds: Any, **_context: Any) -> list[Any]:
        return [self._next(tuple(name)) for name, _ in varbinds]

    def _next(self, name: tuple[int, ...]) -> tuple[Any, Any]:
        after = min((cell for cell in self._cells if cell > name), default=None)
        return (ObjectName(after), self._cells[after]) if after else (ObjectName(name), endOfMibView)


class Responder:
    """Serves these users until it is closed."""

    def __init__(self, users: Sequence[SnmpCredential], contexts: Sequence[str] = ("",)) -> None:
        self._engine = SnmpEngine()
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((HOST, 0))
        self.port: int = listener.getsockname()[1]
        transport = UdpAsyncioTransport().open_server_mode(sock=listener)
        config.add_transport(self._engine, DOMAIN_NAME, transport)
        for user in users:
            self._add(user, contexts)
        served = context.SnmpContext(self._engine)
        served.unregister_context_name(b"")
        for name in contexts:
            served.register_context_name(name.encode(), _Table(name))
        for operation in ("Get", "Next", "Bulk"):
            getattr(cmdrsp, f"{operation}CommandResponder")(self._engine, served)

    def _add(self, user: SnmpCredential, contexts: Sequence[str]) -> None:
        config.add_v3_user(
            self._engine,
            user.user,
            AUTH_MODELS[user.auth].oid if user.auth else config.USM_AUTH_NONE,
            user.auth_key.reveal().encode() if user.auth_key else None,
            PRIV_MODELS[user.priv].expansion.SERVICE_ID if user.priv else config.USM_PRIV_NONE,
            user.priv_key.reveal().encode() if user.priv_key else None,
        )
        level = "authPriv" if user.priv else "authNoPriv" if user.auth else "noAuthNoPriv"
        for name in contexts:
            config.add_vacm_user(self._engine, 3, user.user, level, (1, 3, 6), contextName=name.encode())

    def close(self) -> None:
        self._engine.close_dispatcher()
