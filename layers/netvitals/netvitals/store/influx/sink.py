"""Write points to InfluxDB through its version 2 API, which versions 1.8, 2 and 3 have."""

import gzip
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from netvitals.domain.backoff import pauses
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.store.access import InfluxAccess
from netvitals.store.influx.answers import Fault, Remedy, fault_of
from netvitals.store.influx.connection import InfluxConnection
from netvitals.store.influx.delivery import Delivery
from netvitals.store.outcome import Obstacle, WriteOutcome

MAX_LINES = 5000
"""Lines in one request, as InfluxData advises."""
MAX_BYTES = 4_000_000
"""Bytes of one request before compression; the smallest limit of a hosted InfluxDB is 10 MB."""
SHORTEST_REQUEST_SECONDS = 0.05
CAUTION_SECONDS = 60.0
"""Seconds after failed retries in which requests are not retried: in an outage retries multiply the load."""

_NO_TIME = Fault(Remedy.KEEP, Obstacle.NO_TIME, "no time was left to write to InfluxDB")


class InfluxSink:
    """Writes lines synchronously, in gzip, with bounded retries; see `ports.PointSink`.

    `access` returns the secret's content; `refresh`, called where that was refused, reads the secret
    again and returns whether it has changed. The connection is made at the first write.
    """

    def __init__(
        self,
        access: Callable[[], InfluxAccess],
        settings: InfluxSettings,
        refresh: Callable[[], bool] = lambda: False,
        *,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access, self._settings, self._refresh = access, settings, refresh
        self._ca_file, self._sleep, self._clock = ca_file, sleep, clock
        self._connection: InfluxConnection | None = None
        self._cautious_until = float("-inf")

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:
        delivery = Delivery(lambda some: self.send(some, deadline))
        for request in requests_of(lines):
            delivery.deliver(request)
        return delivery.outcome()

    def check(self, deadline: float) -> WriteOutcome:
        """Return whether lines could be written now, by a request that holds only a comment."""
        fault = self.send(["# netvitals"], deadline)
        if fault is None or fault.remedy is Remedy.ISOLATE:  # some versions complain that it is empty
            return WriteOutcome()
        return WriteOutcome(obstacle=fault.obstacle, detail=fault.detail)

    def send(self, lines: Sequence[str], deadline: float) -> Fault | None:
        """Send one request, with retries until the deadline; return None once it was accepted."""
        body = gzip.compress("\n".join(lines).encode(), compresslevel=1)
        fault = self._attempt(body, deadline)
        if fault is not None and fault.obstacle is Obstacle.AUTH and self._has_new_access():
            fault = self._attempt(body, deadline)
        retries = self._settings.retries if self._clock() >= self._cautious_until else 0
        first, longest = self._settings.backoff_initial_seconds, self._settings.backoff_maximum_seconds
        for step in pauses(retries + 1, first, longest):
            if fault is None or fault.remedy is not Remedy.RETRY:
                break
            pause = max(step, fault.retry_after or 0)
            if self._clock() + pause + SHORTEST_REQUEST_SECONDS > deadline:
                break
            self._sleep(pause)
            fault = self._attempt(body, deadline)
        caution = fault is not None and fault.remedy is Remedy.RETRY
        self._cautious_until = self._clock() + CAUTION_SECONDS if caution else float("-inf")
        return fault

    def _attempt(self, body: bytes, deadline: float) -> Fault | None:
        seconds = min(self._settings.timeout_seconds, deadline - self._clock())
        if seconds < SHORTEST_REQUEST_SECONDS:
            return _NO_TIME
        try:
            self._connected().post(body, seconds)
        except Exception as error:  # noqa: BLE001, the client lets many kinds through; `fault_of` knows all
            return self._judged(error)
        return None

    def _connected(self) -> InfluxConnection:
        if self._connection is None:
            self._connection = InfluxConnection(self._access(), self._ca_file)
        return self._connection

    def _has_new_access(self) -> bool:
        """Return whether the secret, read again, has changed; then the next request connects anew."""
        refused = self._connection.access if self._connection is not None else None
        try:
            renewed = self._refresh() or self._access() != refused
        except NetvitalsError:
            return False
        if renewed:
            self._connection = None
        return renewed

    def _judged(self, error: Exception) -> Fault:
        fault = fault_of(error)
        if self._connection is not None:
            fault = msgspec.structs.replace(
                fault,
                detail=self._connection.redacted(fault.detail),
                message=self._connection.redacted(fault.message),
            )
        if fault.obstacle is Obstacle.TIMEOUT:
            self._connection = None  # its thread may still hang on an answer
        return fault


def requests_of(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines in portions that fit in one request each."""
    portion: list[str] = []
    size = 0
    for line in lines:
        length = 4 * len(line) if not line.isascii() else len(line)
        if portion and (len(portion) == MAX_LINES or size + length > MAX_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += length + 1
    if portion:
        yield portion
