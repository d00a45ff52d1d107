"""What answers in PostgreSQL's place hangs, drips, floods or talks nonsense: whoever asks hears of it in
time, in little memory, and nothing of it is believed.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from fixtures.limits import ends_within
from netvitals.adapters.postgres import connection as limits
from netvitals.adapters.postgres import database as postgres
from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.settings.secret import Secret

MOST_SECONDS = 6
MOST_MEGABYTES = 64
PASSWORD = "canary-pa55word"


def message(kind: bytes, content: bytes = b"") -> bytes:
    """A message of version 3 of the protocol."""
    return kind + struct.pack("!I", len(content) + 4) + content


def row_description(columns: int) -> bytes:
    column = b"a\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    return message(b"T", struct.pack("!h", columns) + column * columns)


def row(value: bytes, columns: int = 1) -> bytes:
    column = struct.pack("!i", len(value)) + value
    return message(b"D", struct.pack("!h", columns) + column * columns)


READY = message(b"Z", b"I")
IN_TRANSACTION = message(b"Z", b"T")
WELCOME = message(b"R", struct.pack("!I", 0)) + message(b"S", b"server_version\x00" + b"15.1\x00") + READY
BEGUN = message(b"C", b"BEGIN\0") + message(b"C", b"SET\0") * 6 + IN_TRANSACTION
NOTICE = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0M" + b"x" * 4000 + b"\0\0")


class Lie(NamedTuple):
    beginning: bytes
    again: bytes = b""
    """Sent for ever after that, as fast as it is read, or each `pause` seconds."""
    pause: float = 0


GREETINGS = {
    "nothing": Lie(b""),
    "a drip": Lie(b"R", b"\0", pause=0.05),
    "parameters for ever": Lie(WELCOME[:-6], message(b"S", b"x\0" + b"y" * 2000 + b"\0")),
    "parameters with ever other names": Lie(
        WELCOME[:-6], b"".join(message(b"S", b"name%d\0y\0" % n) for n in range(2000))
    ),
    "notices for ever": Lie(WELCOME[:-6], NOTICE),
    "a giant": Lie(b"E\x7f\xff\xff\xff", b"x" * 65536),
    "an unknown way to log in": Lie(message(b"R", struct.pack("!I", 99))),
    "a wish for the password, and nothing": Lie(message(b"R", struct.pack("!I", 3))),
    "HTTP": Lie(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10),
    "noise": Lie(os.urandom(5000)),
}
ANSWERS = {
    "nothing": Lie(b""),
    "a drip of a row": Lie(
        row_description(1) + b"D\x00\x00\x10\x00\x00\x01\x00\x00\x0f\xf6", b"x", pause=0.05
    ),
    "a drip of notices": Lie(b"", NOTICE, pause=0.05),
    "rows for ever": Lie(row_description(1), row(b"x" * 60_000)),
    "small rows for ever": Lie(row_description(1), row(b"x") * 4000),
    "one giant row": Lie(row_description(1) + b"D\x3f\xff\xff\xff\x00\x01\x3f\xff\xff\xf5", b"x" * 65536),
    "notices for ever": Lie(b"", NOTICE * 10),
    "notifications for ever": Lie(b"", message(b"A", b"\0\0\0\1a\0" + b"b" * 1000 + b"\0") * 10),
    "a description of more than there is": Lie(message(b"T", b"\x7f\xff" + b"a\0" * 10)),
    "a row that does not fit its description": Lie(row_description(1) + row(b"x", columns=9)),
    "the end of a copy": Lie(message(b"G", b"\0\0\0")),
    "rows that nobody described": Lie(row(b"x")),
    "another database's words": Lie(b"\x4a\0\0\0\x0a8.0.33\0"),
    "noise": Lie(os.urandom(5000)),
    "a fault with an endless text": Lie(b"E\x00\xff\xff\xff", b"SFATAL\0"),
    "the end": Lie(message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mgone\0\0")),
    "success": Lie(message(b"C", b"SELECT 0\0") + IN_TRANSACTION),
}


class Liar:
    """Greets a client as PostgreSQL does, lets it begin, and lies from then on."""

    def __init__(self, greeting: Lie | None = None, answer: Lie | None = None) -> None:
        self._greeting, self._answer = greeting, answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._stopped = threading.Event()
        self.url = f"postgresql://u:{PASSWORD}@127.0.0.1:{self._listener.getsockname()[1]}/d?sslmode=disable"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            client.recv(65536)
            if self._greeting is not None:
                self._tell(client, self._greeting)
            else:
                client.sendall(WELCOME)
            while said := client.recv(65536):
                if b"BEGIN" in said:
                    client.sendall(BEGUN)
                elif self._answer is not None:
                    self._tell(client, self._answer)

    def _tell(self, client: socket.socket, lie: Lie) -> None:
        client.sendall(lie.beginning)
        while lie.again and not self._stopped.wait(lie.pause or None if lie.pause else 0):
            client.sendall(lie.again)


@contextmanager
def lying(greeting: Lie | None = None, answer: Lie | None = None) -> Iterator[Database]:
    liar = Liar(greeting, answer)
    database = Database(lambda: Secret(liar.url))
    try:
        yield database
    finally:
        database.close()
        liar.stop()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setitem(postgres._CONNECTION_DEFAULTS, "connect_timeout", 2)  # libpq knows no shorter one
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES", 8 * 1024 * 1024)


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def refused(act: Callable[[], object]) -> str:
    """What is said of a lie, which must come in time and in little memory."""
    before = resident()
    with ends_within(MOST_SECONDS), pytest.raises(Unavailable) as caught:
        act()
    assert resident() - before < MOST_MEGABYTES
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def one(cursor: Cursor) -> object:
    cursor.execute("SELECT 1")
    return cursor.fetchall()


@pytest.mark.parametrize("lie", GREETINGS)
def test_a_server_that_greets_so_can_not_be_used(lie: str) -> None:
    with lying(greeting=GREETINGS[lie]) as database:
        assert "database 127.0.0.1:" in refused(lambda: database.run(one))


OBSERVED = Observation(device_id="d", kind="status", attempted_at_ns=1, reachable=True, reason=Reason.OK)
WORK: dict[str, Callable[[Database], object]] = {
    "the inventory": lambda database: list(PostgresInventory(database).devices(lambda _: None)),
    "an observation": lambda database: PostgresObservationStore(database).record([OBSERVED]),
    "a status run": lambda database: PostgresStatusStore(database).run(lambda _: None),
    "a delivery": lambda database: PostgresStatusStore(database).deliver("event", lambda _: []),
}


@pytest.mark.parametrize("lie", ANSWERS)
def test_a_server_that_answers_so_can_not_be_used(lie: str) -> None:
    with lying(answer=ANSWERS[lie]) as database:
        refused(lambda: database.run(one, timeout_seconds=1))


@pytest.mark.parametrize("lie", ["nothing", "rows for ever", "noise"])
@pytest.mark.parametrize("work", WORK)
def test_nobody_waits_for_such_a_server_or_believes_it(
    work: str, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("inventory.CHUNK", "state.RECORD", "status.RUN", "status.DELIVERY"):
        monkeypatch.setattr(f"netvitals.adapters.postgres.{name}_SECONDS", 1)
    with lying(answer=ANSWERS[lie]) as database:
        refused(lambda: WORK[work](database))
