"""Put events onto an EventBridge bus; their detail is documented in `domain/decision/announcement.py`."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.backoff import pauses
from netvitals.domain.decision.status import OutboxMessage

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef as Entry

SOURCE = "netvitals"
DETAIL_TYPES = {
    "device": "Device Status Change",
    "site": "Site Path Change",
    "fleet": "Fleet Polling Change",
}
MAX_ENTRIES = 10
TRIES = 4
TRIES_OF_ONE_AWAY = 2
"""Tries of a bus that does not answer, or not as a bus: other publications should not wait for it."""
_BACKOFF_INITIAL_SECONDS = 0.4
_BACKOFF_MAXIMUM_SECONDS = 5.0
_logger = logging.getLogger(__name__)


class _Detail(msgspec.Struct):
    scope: str
    decided_at: datetime


class EventBus:
    """Puts each message's body as an event's detail; an entry that fails is retried with growing pauses."""

    def __init__(
        self,
        client: "EventBridgeClient",
        bus_name: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._bus_name = bus_name
        self._sleep = sleep

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        """Put the events, and return the ids of those that were accepted; see `ports.Publisher`.

        Where no entry of a whole request is accepted, the rest is not tried.
        """
        taken: set[str] = set()
        for start in range(0, len(messages), MAX_ENTRIES):
            batch = messages[start : start + MAX_ENTRIES]
            accepted = self._put(batch)
            taken |= accepted
            if not accepted:
                break
        return taken

    def _put(self, batch: Sequence[OutboxMessage]) -> set[str]:
        left = {message.id: message for message in batch}
        cause, away = "", 0
        for pause in (0.0, *pauses(TRIES, _BACKOFF_INITIAL_SECONDS, _BACKOFF_MAXIMUM_SECONDS)):
            self._sleep(pause)
            tried = list(left.values())
            try:
                response = self._client.put_events(Entries=[self._entry(message) for message in tried])
                for message, result in zip(tried, response["Entries"], strict=True):
                    if result.get("EventId") and "ErrorCode" not in result:
                        del left[message.id]
                    else:
                        cause = f"{result.get('ErrorCode', '')}: {result.get('ErrorMessage', '')}"
            except AWS_FAULTS as error:
                cause = f"{type(error).__name__}: {error}"
                away += not isinstance(error, ClientError)
            if not left or away >= TRIES_OF_ONE_AWAY:
                break
        if left:
            _logger.warning(
                "event bus %s: %d events were not taken and are kept: %s", self._bus_name, len(left), cause
            )
        return {message.id for message in batch} - left.keys()

    def _entry(self, message: OutboxMessage) -> "Entry":
        detail = msgspec.json.decode(message.body, type=_Detail)
        return {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[detail.scope],
            "Detail": message.body,
            "Time": detail.decided_at,
            "EventBusName": self._bus_name,
        }
