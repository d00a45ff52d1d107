"""Replace the spool and the reject queue in a local run that has none."""

import logging
from collections.abc import Sequence

from netvitals.domain.errors import Unavailable
from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import Content

_MOST_LOGGED = 20
_logger = logging.getLogger(__name__)


class NoSpool:
    """Refuses every record, so that the jobs' messages go back to their queue and are polled again."""

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        raise Unavailable(
            f"{len(records)} {content} can't be kept: {cause}; no spool, set NETVITALS_SPOOL_QUEUE_URL"
        )

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        pass


class RejectLog:
    """Logs refused lines, at most 20 of each refusal; there is no reject queue."""

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        _logger.error("%d %s set aside for good: %s", len(records), content, cause)
        for record in records[:_MOST_LOGGED]:
            _logger.error("set aside: %s", record[:1000])
