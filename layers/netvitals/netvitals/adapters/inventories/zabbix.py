"""Read hosts from Zabbix: its API (JSON-RPC, 6.4 and newer), or an export in JSON or YAML (5.4 and newer)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from netvitals.adapters.inventories.http_json import JsonApi
from netvitals.adapters.inventories.source import CredentialNames, Row, SourceRows, Types, Wishes, left_out
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import first_line

PREFIX = "zabbix-"
_PATH = "/api_jsonrpc.php"
_SNMP = {"2", "SNMP"}
_DISABLED = {"1", "DISABLED"}
_NO = {"0", "NO"}
_VERSIONS = {"1": "v1", "SNMPV1": "v1", "3": "v3", "SNMPV3": "v3"}
"""SNMP versions by Zabbix's names; the default is v2c, as an export leaves defaults out."""
_SITES = ("site/", "sites/")
_PORT = 161
COLUMNS = frozenset(
    (
        "id",
        "hostname",
        "ip_address",
        "mac_address",
        "device_type",
        "credential",
        "site",
        "enabled",
        "settings",
    )
)
_QUERY = {
    "output": ["host", "name", "status", "maintenanceid", "maintenance_status"],
    "selectInterfaces": ["type", "main", "useip", "ip", "dns", "port", "details"],
    "selectHostGroups": ["name"],
    "selectParentTemplates": ["name"],
    "selectInventory": ["macaddress_a", "location"],
}


def headers(token: Secret) -> dict[str, Secret]:
    return {"Authorization": Secret(f"Bearer {token.reveal()}")}


def read_api(api: JsonApi, wishes: Wishes) -> SourceRows:
    """Read all hosts and maintenance periods in one request each: the API has no paging.

    Raises:
        Unavailable: an answer is missing, or an error.
    """
    hosts = _called(api, "host.get", _QUERY)
    periods = _called(api, "maintenance.get", {"output": ["maintenanceid", "active_till"]})
    until = {str(each.get("maintenanceid")): each.get("active_till") for each in periods}
    for host in hosts:
        if str(host.get("maintenance_status")) == "1":
            host["maintenance_until"] = _time(until.get(str(host.get("maintenanceid"))))
    found = _rows(hosts, wishes)
    found.columns |= {"maintenance_until"}
    return found


def _called(api: JsonApi, method: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = api.post(api.path_of(_PATH), {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        said = first_line(f"{error.get('message')} {error.get('data')}", 200)
        raise api.unavailable(f"refuses {method}: {said}")
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
        raise api.unavailable(f"answers {method} without a result: is the URL Zabbix's own?")
    return result


def read_document(document: Any, wishes: Wishes) -> SourceRows:
    """Read an export.

    Raises:
        Unavailable: it is none.
    """
    export = document.get("zabbix_export") if isinstance(document, dict) else None
    hosts = export.get("hosts") if isinstance(export, dict) else None
    if not isinstance(hosts, list) or not all(isinstance(each, dict) for each in hosts):
        raise Unavailable(
            "the file holds no hosts of Zabbix: export them as JSON or YAML (Data collection, Hosts)"
        )
    return _rows(hosts, wishes)


def _rows(hosts: Sequence[Mapping[str, Any]], wishes: Wishes) -> SourceRows:
    types, credentials = Types(wishes), CredentialNames("zabbix", wishes)
    rows, without = [], 0
    for host in sorted(hosts, key=lambda each: _text(each.get("host"))):
        row = _row(host, types, credentials, wishes)
        if row is None:
            without += 1
        else:
            rows.append((row["id"], row))
    notes = left_out(without, "neither an SNMP interface nor a template for Linux or Windows")
    return SourceRows(rows=rows, columns=COLUMNS, notes=notes + credentials.notes())


def _row(host: Mapping[str, Any], types: Types, credentials: CredentialNames, wishes: Wishes) -> Row | None:
    templates = [*_names(host, "templates"), *_names(host, "parentTemplates")]
    groups = [*_names(host, "groups"), *_names(host, "hostgroups")]
    interface = _interface(host)
    is_snmp = str(interface.get("type")) in _SNMP
    wished = next((wishes.types[name] for name in (*templates, *groups) if name in wishes.types), None)
    type_ = wished or types.of("", *templates)
    if not is_snmp and not wished and type_ == "network":
        return None
    inventory = host.get("inventory") if isinstance(host.get("inventory"), dict) else {}
    by_name = str(interface.get("useip", "1")) in _NO
    return {
        "id": f"{PREFIX}{_text(host.get('host'))}",
        "hostname": _text(interface.get("dns")) or _text(host.get("name")) or _text(host.get("host")),
        "ip_address": None if by_name else _text(interface.get("ip")) or None,
        "mac_address": _text(inventory.get("macaddress_a")) if isinstance(inventory, dict) else "",
        "device_type": type_,
        "credential": _credential(interface, credentials) if is_snmp else wishes.credential or "",
        "site": _site(groups),
        "enabled": str(host.get("status")) not in _DISABLED,
        "maintenance_until": host.get("maintenance_until"),
        "settings": _settings(interface, type_) if is_snmp else {},
    }


def _interface(host: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the interface to ask: an SNMP one, the main one first."""
    listed = host.get("interfaces")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    found.sort(
        key=lambda each: (
            str(each.get("type")) not in _SNMP,
            str(each.get("main", each.get("default"))) in _NO,
        )
    )
    return found[0] if found else {}


def _credential(interface: Mapping[str, Any], credentials: CredentialNames) -> str:
    """Return a credential's name; a community is usually a macro, whose value is not read."""
    details = interface.get("details")
    told = details if isinstance(details, dict) else {}
    version = _VERSIONS.get(str(told.get("version")), "v2c")
    if version == "v3":
        return credentials.of(version, _text(told.get("securityname")), _text(told.get("contextname")))
    return credentials.of(version, "", _text(told.get("community")))


def _settings(interface: Mapping[str, Any], type_: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"protocols": ["snmp"]} if type_ in {"linux", "windows"} else {}
    port = str(interface.get("port", _PORT))
    return settings | {"snmp": {"port": int(port)}} if port.isdecimal() and int(port) != _PORT else settings


def _site(groups: Sequence[str]) -> str:
    """Return the site in a group's name that begins with Site/ or Sites/; other groups are no sites."""
    return next((name.partition("/")[2] for name in groups if name.lower().startswith(_SITES)), "")


def _names(host: Mapping[str, Any], key: str) -> Iterator[str]:
    listed = host.get(key)
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield each["name"]


def _time(seconds: Any) -> str | None:
    """Return a time in ISO 8601; one beyond the calendar as it is, which is told as a bad row of its host."""
    text = str(seconds)
    try:
        return datetime.fromtimestamp(int(text), UTC).isoformat() if text.isdecimal() else None
    except (ValueError, OverflowError, OSError):
        return text


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
