"""Read devices from LibreNMS (`/api/v0/devices`), or from a saved answer of it.

Its answer has communities and passphrases in clear text: they are compared, to tell credentials apart, and
are stored nowhere.
"""

from collections.abc import Mapping
from typing import Any

from netvitals.adapters.inventories.http_json import JsonApi
from netvitals.adapters.inventories.source import CredentialNames, Row, SourceRows, Types, Wishes, left_out
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.row import FIELDS
from netvitals.domain.settings.secret import Secret

PREFIX = "librenms-"
_PORT = 161
_FOR_EVER = "infinity"
COLUMNS = frozenset(FIELDS) - {"mac_address", "collector"}


def headers(token: Secret) -> dict[str, Secret]:
    return {"X-Auth-Token": token}


def read_api(api: JsonApi, wishes: Wishes) -> SourceRows:
    """Read all devices, disabled ones included, in one request: LibreNMS has no paging.

    Raises:
        Unavailable: an answer is missing, or fewer devices came than LibreNMS counts.
    """
    return read_document(api.get(api.path_of("/api/v0/devices?type=all")), wishes)


def read_document(document: Any, wishes: Wishes) -> SourceRows:
    """Read an answer, saved or not; raises as `read_api` does."""
    listed = document.get("devices") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Unavailable("there are no devices in LibreNMS's answer: is the URL LibreNMS's own?")
    told = document.get("count") if isinstance(document, dict) else None
    count = len(listed) if told is None else _number(told)
    if len(listed) != count:
        raise Unavailable(f"LibreNMS counts {count} devices and gave {len(listed)}; nothing was changed")
    return _rows(sorted(listed, key=lambda each: _number(each.get("device_id"))), wishes)


def _rows(listed: list[Mapping[str, Any]], wishes: Wishes) -> SourceRows:
    types, credentials = Types(wishes), CredentialNames("librenms", wishes)
    rows = [(f"{PREFIX}{each.get('device_id')}", _row(each, types, credentials)) for each in listed]
    ids = {where for where, _ in rows}
    for _, row in rows:
        row["parent_id"] = row["parent_id"] if row["parent_id"] in ids else None
    several = sum(1 for each in listed if len(_parents(each)) > 1)
    notes = left_out(several, "the parents of devices that have several: netvitals has one")
    return SourceRows(rows=rows, columns=COLUMNS, notes=notes + types.notes() + credentials.notes())


def _row(each: Mapping[str, Any], types: Types, credentials: CredentialNames) -> Row:
    os, parents = _text(each.get("os")), _parents(each)
    type_ = types.of(os, os, _text(each.get("type")))
    address = _text(each.get("overwrite_ip")) or _text(each.get("ip"))
    hostname = _text(each.get("hostname"))
    return {
        "id": f"{PREFIX}{each.get('device_id')}",
        "hostname": hostname,
        "ip_address": address or (hostname if hostname.replace(".", "").isdigit() else None),
        "device_type": type_,
        "credential": _credential(each, credentials),
        "site": _text(each.get("location")),
        "parent_id": f"{PREFIX}{parents[0]}" if len(parents) == 1 else None,
        "enabled": not _number(each.get("disabled")),
        # LibreNMS polls ignored devices, and announces nothing of them.
        "maintenance_until": _FOR_EVER if _number(each.get("ignore")) else None,
        "settings": _settings(each, type_),
    }


def _credential(each: Mapping[str, Any], credentials: CredentialNames) -> str:
    version = _text(each.get("snmpver"))
    if _number(each.get("snmp_disable")) or not version:
        return ""
    if version != "v3":
        return credentials.of(version, "", _text(each.get("community")))
    user = _text(each.get("authname"))
    secrets = [
        _text(each.get(name)) for name in ("authlevel", "authalgo", "authpass", "cryptoalgo", "cryptopass")
    ]
    return credentials.of(version, user, *secrets)


def _settings(each: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """Return settings that differ from the type's: LibreNMS polls hosts over SNMP, and some by ping alone."""
    if _number(each.get("snmp_disable")):
        return {"protocols": []}
    settings: dict[str, Any] = {"protocols": ["snmp"]} if type_ in {"linux", "windows"} else {}
    port = _number(each.get("port")) or _PORT
    return settings if port == _PORT else settings | {"snmp": {"port": port}}


def _parents(each: Mapping[str, Any]) -> list[str]:
    """Return the ids of the devices that this one depends on."""
    listed = each.get("dependency_parent_id")
    return [text.strip() for text in str(listed).split(",") if text.strip()] if listed else []


def _number(value: Any) -> int:
    """Return a number, which LibreNMS also writes as a text or a boolean; 0 for anything else."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
