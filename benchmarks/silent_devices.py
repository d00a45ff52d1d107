"""What silent devices add to the collectors' bill: `python benchmarks/silent_devices.py [devices]`.

Fan-out's own bundles say in how many messages the polls of a fleet travel, with 0, 1 and 3 % of its devices
silent. The collector's handler polls such bundles, of devices 50 ms away and of silent ones, with the
processor that Lambda gives with the template's memory. From both follow a month's GB-seconds and requests, at
list prices. Needs root, for a control group.
"""

import os
from typing import Any, NamedTuple

from collector_handler import INTERVALS, deployed, world
from lambda_share import failed_polls, limited
from sizes import QUICK, given

from netvitals.cli.cost.invocations import SECONDS
from netvitals.cli.cost.model import Deployment
from netvitals.cli.cost.prices import prices_in
from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import due_times
from netvitals.domain.ports import QueuedJobs
from netvitals.usecases.bundles import Bundles, Group

(DEVICES,) = given((10_000,), 60) if __name__ == "__main__" else (0,)
SHARES = (0.0, 0.03) if QUICK else (0.0, 0.01, 0.03)
WINDOW_SECONDS = 300
"""A whole number of every interval and slot."""
POINTS: dict[Kind, int] = {"status": 0, "metrics": 200}
"""That fan-out expects of a switch of 24 ports."""


class Traffic(NamedTuple):
    """The messages of a window, and the jobs in one, rounded."""

    messages: int
    jobs: int


def traffic(kind: Kind, silent: float, group: Group) -> Traffic:
    """Return what fan-out sends of a group; every device whose number falls into the share is silent."""
    bundles, sent = Bundles(kind), list[QueuedJobs]()
    for number in range(DEVICES):
        is_silent = number * 7919 % DEVICES < silent * DEVICES
        if is_silent == (group is Group.SILENT):
            for due_at in due_times(f"sw-{number}", kind, INTERVALS[kind], 0, WINDOW_SECONDS):
                sent += bundles.add(b"job", due_at, INTERVALS[kind], group, POINTS[kind])
    sent += bundles.rest()
    return Traffic(len(sent), round(sum(len(each.jobs) for each in sent) / max(len(sent), 1)))


def usd(kind: Kind, where: dict[str, Any], silent: float) -> float:
    """Return what the collectors of a kind cost a month; no device that answers may fail."""
    live, mute = traffic(kind, silent, Group.LIVE), traffic(kind, silent, Group.SILENT)
    memory_mb, prices = 1024 if QUICK else Deployment().memory_mb(kind), prices_in()
    took = limited(kind, memory_mb, where["snmp"], live.jobs, mute.jobs)
    failed = failed_polls(where["postgres"])
    assert not failed, f"{failed} polls failed"
    seconds = live.messages * took["later"] + mute.messages * took["silent"]
    gb_seconds = seconds * memory_mb / 1024
    windows = SECONDS / WINDOW_SECONDS
    requests = live.messages + mute.messages
    print(f"  {kind}, {silent:.0%} silent: {live.messages} bundles of {live.jobs} in {took['later']:.2f} s, "
          f"{mute.messages} silent ones of {mute.jobs} in {took['silent']:.2f} s", flush=True)  # fmt: skip
    return windows * (gb_seconds * prices.lambda_gb_second + requests * prices.lambda_request)


def main() -> None:
    print(f"{DEVICES:,} devices, {WINDOW_SECONDS} s; load {os.getloadavg()[0]:.1f}\n")
    with world() as (where, _), deployed(where):
        costs = [usd("status", where, each) + usd("metrics", where, each) for each in SHARES]
    print("\n| silent | collectors, US$ a month | of none |\n| ---: | ---: | ---: |")
    for share, cost in zip(SHARES, costs, strict=True):
        print(f"| {share:.0%} | {cost:.2f} | {cost / costs[0]:.2f} |")


if __name__ == "__main__":
    main()
