"""Store points and observations, and spool what can't be stored now: nothing measured is lost."""

import logging
from collections.abc import Sequence

import msgspec

from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation
from netvitals.domain.ports import ObservationStore
from netvitals.store.outcome import Refusal, StoreReport
from netvitals.store.ports import PointSink, Spool

SPOOL_RESERVE_SECONDS = 5.0
"""Seconds of the given time that are reserved for the spool."""
_logger = logging.getLogger(__name__)


class StorePoints:
    """Writes lines to InfluxDB, and what it does not take to the spool."""

    def __init__(
        self,
        sink: PointSink,
        spool: Spool,
        rejects: Spool,
        *,
        reserve_seconds: float = SPOOL_RESERVE_SECONDS,
    ) -> None:
        self._sink, self._spool, self._rejects, self._reserve = sink, spool, rejects, reserve_seconds

    def keep(self, lines: Sequence[str], deadline: float) -> StoreReport:
        """Return when every line is safe: written, spooled, or set aside. Blocks until then.

        Raises:
            Unavailable: some are not, so their messages have to come again. Writing again does no harm.
        """
        outcome = self._sink.write(lines, deadline - self._reserve)
        unsent, detail = outcome.unsent, outcome.detail
        refused = len(outcome.refused)
        if outcome.refused:
            detail = detail or outcome.refused[0].reason
            try:
                set_aside(self._rejects, outcome.refused)
            except Unavailable as error:  # a replay will set them aside
                unsent = [*unsent, *(refusal.line for refusal in outcome.refused)]
                refused, detail = 0, str(error)
        if unsent:
            self._spool.put("lines", unsent, detail)
        return StoreReport(
            written=outcome.accepted,
            spooled=len(unsent),
            refused=refused,
            detail=detail,
        )


class StoreObservations:
    """Records observations, and spools what the database does not take."""

    def __init__(self, store: ObservationStore, spool: Spool) -> None:
        self._store, self._spool = store, spool

    def keep(self, observations: Sequence[Observation]) -> int:
        """Return how many were spooled.

        Raises:
            Unavailable: neither the database nor the spool took them.
        """
        try:
            self._store.record(observations)
        except Unavailable as error:
            records = [msgspec.json.encode(observation).decode() for observation in observations]
            self._spool.put("observations", records, str(error))
            _logger.warning(
                "%d observations are safe in the spool, to be recorded later: %s", len(records), error
            )
            return len(records)
        return 0


def set_aside(rejects: Spool, refusals: Sequence[Refusal]) -> None:
    """Put refused lines where a person finds them with the reason.

    Raises:
        Unavailable: not all of them were kept.
    """
    if refusals:
        records = [msgspec.json.encode(refusal).decode() for refusal in refusals]
        rejects.put("refusals", records, refusals[0].reason)
