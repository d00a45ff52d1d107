"""`netvitals doctor --device`: the log of an invocation says how the poll went."""

import json
from typing import Any

import pytest

from netvitals.adapters.aws.deployment import Invocation
from netvitals.cli.doctor.poll import judged
from netvitals.domain.inventory.device import Device


def log(*lines: dict[str, Any]) -> Invocation:
    return Invocation("", b'cut off"}\n' + "\n".join(map(json.dumps, lines)).encode())


@pytest.mark.parametrize(
    ("invocation", "level", "text"),
    [
        (log({"_aws": {}, "DevicesPolled": [1], "PointsWritten": [42], "PollSeconds": [0.44]}), "ok",
         "core answered in 0.4 s, 42 points"),
        (log({"_aws": {}, "DevicesPolled": [1], "DevicesUnreachable": [1]}), "fail", "core did not answer"),
        (log({"device_id": "core", "message": "core: auth: wrong key"},
             {"_aws": {}, "DevicesPolled": [1], "DevicesUnreachable": [1]}), "fail", "core: auth: wrong key"),
        (log({"_aws": {}, "DevicesPolled": [1], "LinesSpooled": [9]}), "fail",
         "core answered, and the functions do not reach InfluxDB"),
        (log({"_aws": {}, "DevicesPolled": [1], "ObservationsSpooled": [1]}), "fail",
         "core answered, and the functions do not reach the database"),
        (log({"_aws": {}, "JobsFailed": [1]}), "fail", "core was not polled: its log says no more"),
        (Invocation("Sandbox.Timedout: too slow", b""), "fail",
         "the collector failed: Sandbox.Timedout: too slow"),
    ],
)  # fmt: skip
def test_the_log_of_the_invocation_says_how_the_poll_went(
    invocation: Invocation, level: str, text: str
) -> None:
    assert judged(Device(id="core"), invocation)[:2] == (level, text)
