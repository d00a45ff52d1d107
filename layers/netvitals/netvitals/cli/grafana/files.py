"""Make the files for Grafana, by their names."""

import json
from collections.abc import Mapping

import yaml

from netvitals.cli.grafana.device import device_dashboard
from netvitals.cli.grafana.fleet import fleet
from netvitals.cli.grafana.interface import interface_dashboard
from netvitals.cli.grafana.panels import POSTGRESQL, Json
from netvitals.cli.grafana.polling import polling
from netvitals.cli.grafana.rules import FOLDER, INFLUXDB_UID, RuleOptions, rule_files
from netvitals.cli.grafana.site import site

POSTGRESQL_UID = "netvitals-postgresql"
ALERTING = "provisioning/alerting/netvitals.yaml"
_RULES = """\
# Alert rules for all devices. Others for some of them: netvitals grafana rules --help
# Generated: netvitals grafana write
"""
_SOURCES = """\
# The data sources that dashboards and rules ask. Grafana takes $NAMES from its environment.
# Generated: netvitals grafana write
"""
_PROVIDER = """\
# Where Grafana finds the dashboards: put the JSON files there, or change the path.
# Generated: netvitals grafana write
"""


def dashboards() -> Mapping[str, Json]:
    """Return the dashboards by file name."""
    made = [fleet(), site(), device_dashboard(), interface_dashboard(), polling()]
    return {f"{each['uid'].removeprefix('netvitals-')}.json": each for each in made}


def files() -> Mapping[str, str]:
    """Return the text of every file by its path in the folder `dashboards`."""
    shown = {
        name: json.dumps(each, indent=1, ensure_ascii=False) + "\n" for name, each in dashboards().items()
    }
    return {
        **shown,
        "provisioning/dashboards/netvitals.yaml": _PROVIDER + in_yaml(_provider()),
        "provisioning/datasources/netvitals.yaml": _SOURCES + in_yaml(_sources()),
        ALERTING: _RULES + in_yaml(rule_files(RuleOptions())),
    }


def in_yaml(document: Json) -> str:
    """Return a document as YAML whose long texts stay on one line each."""
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10**9)
    return text


def _provider() -> Json:
    provider = {
        "name": "netvitals",
        "orgId": 1,
        "folder": FOLDER,
        "type": "file",
        "disableDeletion": False,
        "updateIntervalSeconds": 60,
        "allowUiUpdates": False,
        "options": {"path": "/var/lib/grafana/dashboards/netvitals"},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _sources() -> Json:
    influxdb = {
        "name": "netvitals InfluxDB",
        "type": "influxdb",
        "uid": INFLUXDB_UID,
        "access": "proxy",
        "url": "$NETVITALS_INFLUXDB_URL",
        # With many devices a query is longer than a URL may be.
        "jsonData": {
            "dbName": "network_metrics",
            "httpMode": "POST",
            "timeInterval": "5m",
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": "Token $NETVITALS_INFLUXDB_TOKEN"},
    }
    postgresql = {
        "name": "netvitals PostgreSQL",
        "type": POSTGRESQL["type"],
        "uid": POSTGRESQL_UID,
        "access": "proxy",
        "url": "$NETVITALS_POSTGRESQL_HOST:5432",
        "user": "$NETVITALS_POSTGRESQL_USER",
        "jsonData": {"database": "$NETVITALS_POSTGRESQL_DATABASE", "sslmode": "require"},
        "secureJsonData": {"password": "$NETVITALS_POSTGRESQL_PASSWORD"},
    }
    return {"apiVersion": 1, "datasources": [influxdb, postgresql]}
