"""Write what fleets cost into README.md and docs/deploying.md: `python -m local.cost_tables`.

The tables are output of the model behind `netvitals cost`, between marks that this program looks for.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from netvitals.cli.cost.invocations import KINDS, DeviceGroup, all_failing
from netvitals.cli.cost.model import Cost, Deployment, cost_of
from netvitals.cli.cost.prices import prices_in

ROOT = Path(__file__).parents[1]
README, GUIDE = ROOT / "README.md", ROOT / "docs/deploying.md"
PRICES = prices_in()
SIZES = (100, 1_000, 10_000, 100_000)
LARGE = 10_000
_WITHOUT_CLOUD = "interface endpoints, and a store in the VPC (`--nat endpoints`)"
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

_FLEET = partial(DeviceGroup, number=LARGE)
VARIANTS = {
    "as above": (_FLEET(), Deployment()),
    "3 % silent": (_FLEET(silent=0.03), Deployment()),
    "30 % silent": (_FLEET(silent=0.3), Deployment()),
    "no port in use": (_FLEET(used=0), Deployment()),
    "all ports in use": (_FLEET(used=1), Deployment()),
    "48 ports": (_FLEET(ports=48), Deployment()),
    "status every 60 s, metrics every 10 min":
        (_FLEET(status_interval=60, metrics_interval=600), Deployment()),
    "metrics every minute": (_FLEET(metrics_interval=60), Deployment()),
    "`store: everything`": (_FLEET(), Deployment(everything=True)),
    "a NAT instance (`--nat instance`)": (_FLEET(), Deployment(nat="instance")),
    _WITHOUT_CLOUD: (_FLEET(), Deployment(nat="endpoints")),
    "no VPC: devices with public addresses (`--nat none`)": (_FLEET(), Deployment(nat="none")),
    "PostgreSQL outside (`--outside postgresql`)":
        (_FLEET(), Deployment(outside=frozenset({"postgresql"}))),
    "InfluxDB in another region or cloud (`--outside influxdb`)":
        (_FLEET(), Deployment(outside=frozenset({"influxdb"}))),
    "devices behind a VPN, whose connections come on top (`--outside devices`)":
        (_FLEET(), Deployment(outside=frozenset({"devices"}))),
}  # fmt: skip
"""What is otherwise than in the table of fleets."""


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
    for name, (devices, deployment) in VARIANTS.items():
        cost = cost_of([devices], deployment, PRICES)
        rows[name] = [_usd(cost.aws_usd), _usd(cost.influxdb_usd), _usd(cost.total_usd)]
    rows[_WITHOUT_CLOUD][1:] = ["-", "-"]
    return _table([f"{LARGE:,} devices, US$ a month", "AWS", "InfluxDB", "together"], rows)


def ceilings() -> str:
    """Return how many devices collectors serve while all of them fail: the worst hour."""
    plain, devices = Deployment(), [_FLEET()]
    given = plain.status_concurrency, int(PRICES.quotas.lambda_concurrency)
    rows = {
        f"`{kind.capitalize()}Concurrency`": [
            f"{_rounded(LARGE * most / all_failing(devices, kind, plain.memory_mb(kind))):,} devices"
            for most in given
        ]
        for kind in KINDS
    }
    return _table(["collectors at once", f"{given[0]}, the default", f"{given[1]:,}"], rows)


def _rounded(number: float) -> int:
    return int(number / 1000) * 1000


def headline() -> str:
    """Return README's sentence."""
    cost = cost_of([_FLEET()], Deployment(), PRICES)
    return (
        f"{LARGE:,} switches of 24 ports cost [US$ {_usd(cost.aws_usd)} a month on AWS and "
        f"{_usd(cost.influxdb_usd)} for\n  InfluxDB Cloud's data in](docs/deploying.md#what-it-costs), "
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
