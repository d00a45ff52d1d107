"""Collectors, replays and status runs at once on a PostgreSQL whose sessions are killed, again and again.

Run as `make fuzz ARGS=status_races`; tests/fixtures/status_races.py says what must hold. Who meets whom is
the machine's choice too: a number plays the same polls again, and not always the same meeting.
"""

import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from faults.fuzzing import play

from fixtures.postgres import create_database, drop_database
from fixtures.status_races import Races
from local.servers.postgres import postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

ROUND_SECONDS = 20


def one_round(chance: random.Random, server: str) -> int:
    """Returns how many batches of observations, status runs and killed sessions met."""
    url = create_database(server)
    database = Database(lambda: Secret(url))
    migrate(database)
    database.close()
    races = Races(url, chance.randrange(1 << 30))
    races.run(ROUND_SECONDS)
    drop_database(server, url)
    assert not races.broken, races.broken[:20]
    return races.batches + races.runs + races.kills


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="netvitals-") as folder,
        postgres_server(Path(folder, "postgres"), password="secret") as server,
    ):
        code = play({"rounds, by what met": partial(one_round, server=server)})
    sys.exit(code)
