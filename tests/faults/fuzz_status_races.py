"""Collectors, replays and status runs at once on a PostgreSQL whose sessions are killed, again and again.

Run as `make fuzz ARGS=status_races`; tests/fixtures/status_races.py says what must hold.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

from fixtures.postgres import create_database, drop_database
from fixtures.status_races import Races
from local.servers.postgres import postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

ROUND_SECONDS = 20


def main(minutes: float) -> int:
    end = time.monotonic() + 60 * minutes
    rounds = batches = runs = kills = broken = 0
    with (
        tempfile.TemporaryDirectory(prefix="netvitals-") as folder,
        postgres_server(Path(folder, "postgres"), password="secret") as server,
    ):
        while rounds == 0 or time.monotonic() + ROUND_SECONDS < end:
            races = one_round(server, random.randrange(1 << 30))
            for fault in races.broken[:20]:
                print(f"round {rounds}: {fault}")
            rounds, batches, runs = rounds + 1, batches + races.batches, runs + races.runs
            kills, broken = kills + races.kills, broken + bool(races.broken)
    print(
        f"{rounds} rounds: {batches} batches of observations against {runs} status runs, "
        f"{kills} sessions killed; {broken} rounds ended wrong"
    )
    return int(broken > 0)


def one_round(server: str, seed: int) -> Races:
    url = create_database(server)
    database = Database(lambda: Secret(url))
    migrate(database)
    database.close()
    races = Races(url, seed)
    races.run(ROUND_SECONDS)
    drop_database(server, url)
    return races


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
