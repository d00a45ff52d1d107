"""What a run of the status function costs: `python benchmarks/update_status.py [devices …]`.

On a real PostgreSQL; points and events go to counters, each request to which takes 10 ms. Four runs: the
first, in which every device has a heartbeat; one in which nothing has changed; one after each tenth device
died; one after all others died with their sites. Each size is measured in a process of its own.
"""

import subprocess
import sys
import time
from collections.abc import Collection, Sequence

import psycopg
from fleets import Meter, fleet_database
from sizes import given

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.decision.status import OutboxMessage
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.secret import Secret
from netvitals.store.outcome import WriteOutcome
from netvitals.usecases.update_status import UpdateStatus

SIZES = (1_000, 10_000, 100_000)
LATENCY_SECONDS = 0.01
EVENTS_PER_REQUEST = 10
FAIL = (
    "UPDATE device_state SET failures = 4, successes = 0, reason = 'timeout', last_attempt_at = now(),"
    " last_seen_at = now() - interval '2 minutes', streak_since = now() - interval '90 seconds' WHERE "
)
ALL = "true"
EACH_TENTH = "right(device_id, 1) = '7'"


class Ears:
    """Takes everything."""

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:  # noqa: ARG002, the port's
        time.sleep(LATENCY_SECONDS)
        return WriteOutcome(accepted=len(lines))

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        time.sleep(LATENCY_SECONDS * len(messages) / EVENTS_PER_REQUEST)
        return {message.id for message in messages}


def measure(url: str) -> None:
    ears = Ears()
    use_case = UpdateStatus(
        store=PostgresStatusStore(Database(lambda: Secret(url))),
        policy=Configuration().policy,
        sink=ears,
        events=ears,
    )
    for name, condition in (
        ("first run", None),
        ("no change", None),
        ("each tenth fails", EACH_TENTH),
        ("all fail", ALL),
    ):
        if condition is not None:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute((FAIL + condition).encode())
        with Meter() as meter:
            report = use_case.run(time.time())
        print(
            f"{report.devices:7,} devices, {name:16}: {meter}, {report.transitions:,} transitions, "
            f"{report.events_published:,} events, {report.points_published + report.heartbeats:,} points",
            flush=True,
        )


def main() -> None:
    for size in given(SIZES, 100):
        with fleet_database(size) as url:
            subprocess.run([sys.executable, __file__, "--measure", url], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        main()
