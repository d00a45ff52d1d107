"""Is line encoding of our own needed, and compression of our own? Printed as ratios of one run.

    .venv/bin/python benchmarks/influx_encoding.py

Encodes what 10 switches of 48 ports give in one poll, in the ways that influxdb-client offers and in ours,
up to the bytes that go over the wire. CPU time, best of five.
"""

import gzip
import time
from collections.abc import Callable
from functools import partial

from influxdb_client import Point as ClientPoint

from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.point import Point
from netvitals.store.line_protocol import encode

NOW = 1_763_913_600_000_000_000
COUNTERS = [name for name, spec in METRICS.items() if name.startswith("net_") and spec.kind == "counter"]
DEVICES = {
    f"switch-{n:03}": [
        Point(
            name,
            1 if name == "net_oper_status" else n * port * 7919 + 10**10,
            NOW + port,
            f"GigabitEthernet1/0/{port}",
            10100 + port,
        )
        for port in range(1, 49)
        for name in (*COUNTERS, "net_speed_bps", "net_oper_status")
    ]
    for n in range(10)
}
COUNT = sum(map(len, DEVICES.values()))


def own() -> str:
    return "\n".join(line for device, points in DEVICES.items() for line in encode(device, points))


def client_points() -> str:
    return "\n".join(
        ClientPoint("device_metrics")
        .tag("device_id", device)
        .tag("metric_name", point.metric_name)
        .tag("instance", point.instance)
        .field("value", float(point.value))
        .field("if_index", point.if_index)
        .time(point.time_ns)
        .to_line_protocol()
        for device, points in DEVICES.items()
        for point in points
    )


def client_dictionaries() -> str:
    return "\n".join(
        ClientPoint.from_dict(
            {
                "measurement": "device_metrics",
                "tags": {
                    "device_id": device,
                    "metric_name": point.metric_name,
                    "instance": point.instance,
                },
                "fields": {"value": float(point.value), "if_index": point.if_index},
                "time": point.time_ns,
            }
        ).to_line_protocol()
        for device, points in DEVICES.items()
        for point in points
    )


def cpu_ms(work: Callable[[], object]) -> float:
    def once() -> float:
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    return min(once() for _ in range(5))


def main() -> None:
    body = own().encode()
    assert own().count("\n") == client_points().count("\n") == COUNT - 1
    base = cpu_ms(own)
    print(f"{COUNT} points; CPU relative to encoding of our own, {base / COUNT * 1000:.1f} µs a point here")
    for name, work in {"own": own, "Points": client_points, "dictionaries": client_dictionaries}.items():
        print(f"  {name:<14}{cpu_ms(work) / base:6.1f}")
    print(f"compression of {len(body) / 1000:.0f} kB, relative to the same; influxdb-client's is level 9")
    for level in (1, 6, 9):
        packed = len(gzip.compress(body, level)) / 1000
        cost = cpu_ms(partial(gzip.compress, body, level)) / base
        print(f"  gzip level {level}  {cost:6.1f}  {packed:.0f} kB")


if __name__ == "__main__":
    main()
