"""A spool whose hours pass in seconds: SQS's visibility on a clock that a test moves."""

import heapq
from collections.abc import Sequence

from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import Content, encode_parcels

VISIBILITY_SECONDS = 180


class VirtualSpool:
    """A `Spool` and `SpoolQueue`; `now` is seconds of virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._visible_at: list[tuple[float, str]] = []
        self._messages: dict[str, SpoolMessage] = {}
        self._due: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        for body in encode_parcels(content, records, cause):
            name = f"{self.now}-{len(self._due)}"
            self._messages[name] = SpoolMessage(
                id=name, body=body, receipt=name, receive_count=0, sent_at=self.now
            )
            self._show(name, 0)

    def receive(self) -> list[SpoolMessage]:
        received: list[SpoolMessage] = []
        while self._visible_at and self._visible_at[0][0] <= self.now and len(received) < 10:
            due, name = heapq.heappop(self._visible_at)
            message = self._messages.get(name)
            if message is not None and self._due[name] == due:
                self._messages[name] = message = _received_again(message)
                self._show(name, VISIBILITY_SECONDS)
                received.append(message)
        return received

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        self._show(message.id, seconds)

    def delete(self, message: SpoolMessage) -> None:
        del self._messages[message.id]

    def _show(self, name: str, seconds: float) -> None:
        self._due[name] = self.now + seconds
        heapq.heappush(self._visible_at, (self._due[name], name))


def _received_again(message: SpoolMessage) -> SpoolMessage:
    return SpoolMessage(
        id=message.id,
        body=message.body,
        receipt=message.receipt,
        receive_count=message.receive_count + 1,
        sent_at=message.sent_at,
    )
