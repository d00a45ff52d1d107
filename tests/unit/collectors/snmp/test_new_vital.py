"""A vital sign that is added to the table of them is read without another line of code."""

import json
import subprocess
import sys
from pathlib import Path

from netvitals.domain.polling import metrics

HUMIDITY = 'Vital(title="Humidity", metric="humidity_percent", combine="all", deadband=2)'

DEVICE = """
import asyncio, json, sys, types
from pathlib import Path

path = Path(sys.argv[1])
source = path.read_text().replace('    "disk": Vital(', '    "humidity": HUMIDITY,\\n    "disk": Vital(')
module = types.ModuleType("netvitals.domain.polling.metrics")
sys.modules[module.__name__] = module
exec(compile(source, path, "exec"), module.__dict__)

from fixtures.snmp_poll import poll
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.cli.grafana.device import device_dashboard
from netvitals.cli.schema.documents import document
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.settings.configuration import key_faults
from netvitals.store.line_protocol import encode

folder, branch = Path(sys.argv[2]), "1.3.6.1.4.1.99999"
agent = Agent({**system("r", branch), f"{branch}.1.2.1": 7, f"{branch}.3.2.1": 42, f"{branch}.3.2.2": 43})

def book(profile):
    (folder / "acme.yaml").write_text(f"match: [{{sysobjectid: [{branch}]}}]\\n" + profile)
    (folder / "_standard.yaml").write_text("description: nothing\\n")
    write_index(read_folder(folder), folder / "index")
    return ProfileBook(folder / "index")

def lines(reading):
    assert reading.reason == "ok", reading.detail
    found = [line for line in encode("r", reading.points) if "humidity" in line]
    return [line.partition(",")[2].rpartition(" ")[0] for line in found]

async def main():
    cpu = f"cpu: [{{percent: {branch}.1.2 acmeLoad}}]\\n"
    humidity = f"humidity: [{{percent: {branch}.3.2 acmeHumidity, instance: 'Probe {{index}}'}}]\\n"
    before = await poll(agent, profiles=book(cpu))
    # What an older version left, which knew no humidity.
    del before.memory["snmp"]["sources"]["humidity"]
    after = await poll(agent, profiles=book(cpu + humidity), memory=before.memory)
    memory = before.memory | after.memory
    again = await poll(agent, profiles=book(cpu + humidity), memory=memory)
    without = await poll(agent, profiles=book(cpu + humidity), memory=memory, vitals={"humidity": False})
    print(json.dumps({
        "lines": [lines(each) for each in (before, after, again, without)],
        "fault": next(iter(key_faults({"defaults": {"vitals": {"humidty": True}}}))),
        "schema": document("configuration")["$defs"]["VitalSettings"]["properties"]["humidity"],
        "panels": [panel["title"] for panel in device_dashboard()["panels"]],
        "held": not METRICS["humidity_percent"].every_poll,
    }))

asyncio.run(main())
""".replace("HUMIDITY", HUMIDITY)


def test_a_row_in_the_table_and_yaml_are_enough_and_a_known_device_is_asked_at_its_next_poll(
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[4]
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
    found = json.loads(done.stdout)
    before, after, again, without = found["lines"]
    assert (before, without) == ([], [])
    assert (
        after
        == again
        == [
            r"device_id=r,instance=Probe\ 1,metric_name=humidity_percent value=42.0",
            r"device_id=r,instance=Probe\ 2,metric_name=humidity_percent value=43.0",
        ]
    )
    assert found["held"]
    assert "defaults.vitals.humidty: unknown key; did you mean 'humidity'?" in found["fault"]
    assert found["schema"] == {
        "type": "boolean",
        "default": True,
        "description": "True where `humidity_percent` is collected.",
    }
    assert "Humidity" in found["panels"]
