"""Decide the status of every device, and publish what changed."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from math import inf
from time import monotonic
from typing import Any

import msgspec

from netvitals.domain.decision.status import Channel, Monitored, OutboxMessage
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.ports import Publisher, StatusRun, StatusStore
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings
from netvitals.store.ports import PointSink
from netvitals.usecases.status_pass import BATCH, StatusPass, StatusReport

_logger = logging.getLogger(__name__)
type Send = Callable[[Sequence[OutboxMessage]], Collection[str]]


class UpdateStatus:
    """Runs the status decision and publishes its outbox.

    A transition, its row of history, its point, and its event are written in one transaction. They are
    published after that, and again by later runs until they were accepted: at least once, each time under
    the same id (events) or the same time (points). Where there is no publisher of a kind, no messages of
    that kind are written. `policy` maps a device type and its overrides to timeouts and intervals.
    """

    def __init__(
        self,
        *,
        store: StatusStore,
        policy: Callable[[str, Mapping[str, Any]], Policy],
        sink: PointSink,
        settings: StatusSettings | None = None,
        events: Publisher | None = None,
        digests: Publisher | None = None,
    ) -> None:
        self._store = store
        self._policy = lru_cache(maxsize=4096)(_from_json(policy))
        self._sink = sink
        self._settings = settings or StatusSettings()
        self._events = events
        self._digests = digests

    def run(self, now: float, deadline: float = inf) -> StatusReport:
        """Decide as of `now` (seconds since the epoch), then publish until `deadline` (`time.monotonic`).

        Raises:
            Unavailable: the database can't be used; what was decided before that stays decided.
        """
        decided = self._store.run(lambda run: self._decide(run, float(now)))
        report = StatusReport(busy=True) if decided is None else decided.report
        # Alarms first: an InfluxDB that does not answer may take all the time there is.
        if self._events is not None:
            report.events_published = self._publish("event", self._events.send, report, deadline)
        if self._digests is not None:
            report.digests_published = self._publish("digest", self._digests.send, report, deadline)
        report.points_published = self._publish("point", self._writing(deadline), report, deadline)
        if decided is not None:
            report.heartbeats = self._write_heartbeats(decided.heartbeats, deadline)
        return report

    def _decide(self, run: StatusRun, now: float) -> StatusPass:
        passing = StatusPass(run, now, self._settings, self._policy_of)
        passing.run(self._channels())
        if passing.report.bad_rows:
            _logger.warning("%d devices have settings that can't be used", passing.report.bad_rows)
        return passing

    def _channels(self) -> set[Channel]:
        """Return the channels that have a publisher."""
        wanted: dict[Channel, object] = {"point": self._sink, "event": self._events, "digest": self._digests}
        return {channel for channel, publisher in wanted.items() if publisher is not None}

    def _policy_of(self, device: Monitored) -> Policy | None:
        try:
            return self._policy(device.device_type, device.settings)
        except ConfigurationError:
            return None

    def _write_heartbeats(self, lines: Sequence[str], deadline: float) -> int:
        """Write the heartbeats and return how many were accepted; the others are dropped."""
        taken = 0
        for start in range(0, len(lines), BATCH * 5):
            outcome = self._sink.write(lines[start : start + BATCH * 5], deadline)
            taken += outcome.accepted
            if outcome.unsent:
                _logger.warning("heartbeats were not written: %s", outcome.detail)
                break
        return taken

    def _writing(self, deadline: float) -> Send:
        def write(messages: Sequence[OutboxMessage]) -> Collection[str]:
            outcome = self._sink.write([message.body for message in messages], deadline)
            for refusal in outcome.refused:  # InfluxDB would refuse it for ever, so it is not sent again
                _logger.warning("a status was refused: %s: %s", refusal.reason, refusal.line[:200])
            unsent = set(outcome.unsent)
            if unsent:
                _logger.warning("%d statuses were not written and are kept: %s", len(unsent), outcome.detail)
            return {message.id for message in messages if message.body not in unsent}

        return write

    def _publish(self, channel: Channel, send: Send, report: StatusReport, deadline: float) -> int:
        """Send batches until the outbox is empty, nothing of a batch is accepted, or the deadline is over."""
        published = 0
        while True:
            delivery = self._store.deliver(channel, send, BATCH)
            published += delivery.published
            if not delivery.published or monotonic() >= deadline:
                report.unpublished += delivery.left
                if channel != "point":
                    waiting = max(report.announcement_wait_seconds, delivery.waiting_seconds)
                    report.announcement_wait_seconds = waiting
                return published


def _from_json(
    policy: Callable[[str, Mapping[str, Any]], Policy],
) -> Callable[[str, str], Policy]:
    """Return `policy` for overrides as JSON text, which can be cached."""

    def of(device_type: str, settings: str) -> Policy:
        try:
            overrides = msgspec.json.decode(settings) if settings else {}
        except (msgspec.DecodeError, RecursionError):
            overrides = None
        if not isinstance(overrides, Mapping):
            raise ConfigurationError("settings are no JSON object")
        return policy(device_type, overrides)

    return of
