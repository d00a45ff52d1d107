"""A vital sign that is added to the table of them is read without another line of code."""

import json
import subprocess
import sys
from pathlib import Path

from netvitals.domain.polling import metrics

FAN = (
    'Vital(metric="fan_speed_rpm", unit="revolutions per minute", minimum=0, maximum=100_000, combine="all")'
)

DEVICE = """
import asyncio, json, sys, types
from pathlib import Path

path = Path(sys.argv[1])
source = path.read_text().replace('    "disk": Vital(', '    "fan": FAN,\\n    "disk": Vital(')
module = types.ModuleType("netvitals.domain.polling.metrics")
sys.modules[module.__name__] = module
exec(compile(source, path, "exec"), module.__dict__)

from fixtures.snmp_poll import poll
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.store.line_protocol import encode

folder, branch = Path(sys.argv[2]), "1.3.6.1.4.1.99999"
agent = Agent({**system("r", branch), f"{branch}.1.2.1": 7, f"{branch}.3.2.1": 4200, f"{branch}.3.2.2": 4300})

def book(profile):
    (folder / "acme.yaml").write_text(f"match: [{{sysobjectid: [{branch}]}}]\\n" + profile)
    (folder / "_standard.yaml").write_text("description: nothing\\n")
    write_index(read_folder(folder), folder / "index")
    return ProfileBook(folder / "index")

def lines(reading):
    assert reading.reason == "ok", reading.detail
    fans = [line for line in encode("r", reading.points) if "fan" in line]
    return [line.partition(",")[2].rpartition(" ")[0] for line in fans]

async def main():
    cpu = f"cpu: [{{percent: {branch}.1.2 acmeLoad}}]\\n"
    fan = f"fan: [{{value: {branch}.3.2 acmeFan, instance: 'Fan {{index}}'}}]\\n"
    before = await poll(agent, profiles=book(cpu))
    # What an older version left, which knew no fans.
    del before.memory["snmp"]["sources"]["fan"]
    after = await poll(agent, profiles=book(cpu + fan), memory=before.memory)
    again = await poll(agent, profiles=book(cpu + fan), memory=before.memory | after.memory)
    print(json.dumps([lines(before), lines(after), lines(again)]))

asyncio.run(main())
""".replace("FAN", FAN)


def test_a_row_in_the_table_and_yaml_are_enough_and_a_known_device_is_asked_at_its_next_poll(
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[3]
    source = Path(metrics.__file__)
    assert '    "disk": Vital(' in source.read_text()
    done = subprocess.run(
        [sys.executable, "-c", DEVICE, str(source), str(tmp_path)],
        env={"PYTHONPATH": f"{root}:{root / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    before, after, again = json.loads(done.stdout)
    assert before == []
    assert (
        after
        == again
        == [
            r"device_id=r,instance=Fan\ 1,metric_name=fan_speed_rpm value=4200.0",
            r"device_id=r,instance=Fan\ 2,metric_name=fan_speed_rpm value=4300.0",
        ]
    )
