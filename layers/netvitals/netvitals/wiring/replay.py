"""Wire replay: from the spool to InfluxDB and `device_state`."""

from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.usecases.replay import Replay
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import rejects, sink, spool


def replay(parts: Parts) -> Replay:
    return Replay(
        parts.use(sink),
        PostgresObservationStore(parts.database),
        parts.use(spool),
        parts.use(rejects),
        parts.use(spool),
    )
