"""Write what fleets cost into README.md and docs/deploying.md: `python -m local.cost_tables`.

The tables are output of the model behind `netvitals cost`, between marks that this program looks for.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from netvitals.cli.cost.invocations import KINDS, DeviceGroup, all_failing
from netvitals.cli.cost.model import Cost, Deployment, cost_of
from netvitals.cli.cost.prices import prices_in

ROOT = Path(__file__).parents[1]
README, GUIDE = ROOT / "README.md", ROOT / "docs/deploying.md"
PRICES = prices_in()
SIZES = (100, 1_000, 10_000, 100_000)
LARGE = 10_000
TOGETHER = {
    "collectors": ("status collectors", "metrics collectors"),
    "fan-out, status function": ("fan-out", "status function", "Scheduler"),
    "SQS": ("SQS",),
    "NAT gateway, its address and data": ("NAT gateway", "NAT data"),
    "traffic to PostgreSQL": ("traffic to PostgreSQL",),
    "CloudWatch: metrics, alarms, logs": ("CloudWatch metrics", "CloudWatch alarms", "CloudWatch logs"),
    "secrets, events, S3": ("secrets", "events and S3"),
}
"""Rows of the table, and the items of the bill that they sum up."""


DEVICE = DeviceGroup(number=LARGE)


class Variant(NamedTuple):
    """Something that is otherwise than in the table of fleets."""

    what: str
    devices: DeviceGroup = DeviceGroup(number=LARGE)
    deployment: Deployment = Deployment()
    cloud: bool = True
    """Whether points go to InfluxDB Cloud."""


VARIANTS = (
    Variant("as above"),
    Variant("3 % silent", DeviceGroup(number=LARGE, silent=0.03)),
    Variant("30 % silent", DeviceGroup(number=LARGE, silent=0.3)),
    Variant("no port in use", DeviceGroup(number=LARGE, used=0)),
    Variant("all ports in use", DeviceGroup(number=LARGE, used=1)),
    Variant("48 ports", DeviceGroup(number=LARGE, ports=48)),
    Variant("status every 60 s, metrics every 10 min",
            DeviceGroup(number=LARGE, status_interval=60, metrics_interval=600)),
    Variant("metrics every minute", DeviceGroup(number=LARGE, metrics_interval=60)),
    Variant("`store: everything`", deployment=Deployment(everything=True)),
    Variant("a NAT instance (`--nat instance`)", deployment=Deployment(nat="instance")),
    Variant("interface endpoints, and a store in the VPC (`--nat endpoints`)",
            deployment=Deployment(nat="endpoints"), cloud=False),
    Variant("no VPC: devices with public addresses (`--nat none`)", deployment=Deployment(nat="none")),
    Variant("PostgreSQL outside (`--outside postgresql`)",
            deployment=Deployment(outside=frozenset({"postgresql"}))),
    Variant("InfluxDB in another region or cloud (`--outside influxdb`)",
            deployment=Deployment(outside=frozenset({"influxdb"}))),
    Variant("devices behind a VPN, whose connections come on top (`--outside devices`)",
            deployment=Deployment(outside=frozenset({"devices"}))),
)  # fmt: skip


def blocks() -> dict[str, str]:
    """Return the blocks of docs/deploying.md by their marks."""
    return {"cost of fleets": fleets(), "cost of variants": variants(), "ceilings": ceilings()}


def fleets() -> str:
    costs = [cost_of([DeviceGroup(number=size)], Deployment(), PRICES) for size in SIZES]
    rows = {name: [_usd(_sum(cost, items)) for cost in costs] for name, items in TOGETHER.items()}
    rows["**AWS**"] = [f"**{_usd(cost.aws_usd)}**" for cost in costs]
    rows["**InfluxDB Cloud, data in**"] = [f"**{_usd(cost.influxdb_usd)}**" for cost in costs]
    rows["a device"] = [f"{cost.total_usd / cost.devices:.2f}" for cost in costs]
    return _table(["US$ a month", *(f"{size:,}" for size in SIZES)], rows)


def variants() -> str:
    rows = {}
    for each in VARIANTS:
        cost = cost_of([each.devices], each.deployment, PRICES)
        sums = [cost.influxdb_usd, cost.total_usd] if each.cloud else []
        rows[each.what] = [_usd(cost.aws_usd), *(map(_usd, sums) if sums else ("-", "-"))]
    return _table([f"{LARGE:,} devices, US$ a month", "AWS", "InfluxDB", "together"], rows)


def ceilings() -> str:
    """Return how many devices collectors serve while all of them fail: the worst hour."""
    given = Deployment().status_concurrency, int(PRICES.quotas.lambda_concurrency)
    rows = {
        f"`{kind.capitalize()}Concurrency`": [
            f"{_rounded(LARGE * most / all_failing([DEVICE], kind, Deployment().memory_mb(kind))):,} devices"
            for most in given
        ]
        for kind in KINDS
    }
    return _table(["collectors at once", f"{given[0]}, the default", f"{given[1]:,}"], rows)


def _rounded(number: float) -> int:
    return int(number / 1000) * 1000


def headline() -> str:
    """Return README's sentence."""
    cost = cost_of([DEVICE], Deployment(), PRICES)
    return (
        f"{LARGE:,} switches of 24 ports cost [US$ {_usd(cost.aws_usd)} a month on AWS and "
        f"{_usd(cost.influxdb_usd)} for\nInfluxDB Cloud's data in](docs/deploying.md#what-it-costs), "
        f"{100 * cost.total_usd / cost.devices:.0f} cents each"
    )


def _sum(cost: Cost, items: Sequence[str]) -> float:
    return sum(item.usd for item in cost.aws if item.name in items)


def _usd(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}"


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *([name, *cells] for name, cells in rows.items())]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with a block in the place of the one of this name."""
    before, mark, rest = page.partition(f"<!-- {name} -->\n\n")
    _, end, after = rest.partition("\n\n<!-- end -->")
    if not mark or not end:
        raise ValueError(f"the page has no block {name!r}")
    return f"{before}{mark}{text}{end}{after}"


def main() -> None:
    guide, readme = GUIDE.read_text(), README.read_text()
    for name, text in blocks().items():
        guide = replaced(guide, name, text)
    GUIDE.write_text(guide)
    sentence = re.compile(rf"{LARGE:,} switches of 24 ports cost.*?cents each", re.DOTALL)
    README.write_text(sentence.sub(lambda _: headline(), readme))


if __name__ == "__main__":
    main()
