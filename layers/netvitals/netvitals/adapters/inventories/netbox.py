"""Read devices and virtual machines from NetBox (REST API, 3.6 and newer), or from a saved answer of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from netvitals.adapters.inventories.http_json import JsonApi
from netvitals.adapters.inventories.source import SourceRows, Types, Wishes, left_out
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret

_PAGE = 500
_MAX_PAGES = 2000
_LISTS = {"netbox-": "/api/dcim/devices/", "netbox-vm-": "/api/virtualization/virtual-machines/"}
"""API paths by the prefix of their rows' ids."""
_V2_TOKEN = "nbt_"  # noqa: S105, how a token begins, NetBox 4.5
CREDENTIAL_FIELD = "netvitals_credential"
"""The custom field that names a device's credential."""
COLUMNS = frozenset(("id", "hostname", "ip_address", "device_type", "site", "enabled"))


def headers(token: Secret) -> dict[str, Secret]:
    """Return the header for a token of version 2 (NetBox 4.5 and newer), or 1 (40 hexadecimal digits)."""
    kind = "Bearer" if token.reveal().startswith(_V2_TOKEN) else "Token"
    return {"Authorization": Secret(f"{kind} {token.reveal()}")}


def read_api(api: JsonApi, wishes: Wishes) -> SourceRows:
    """Read all pages of both lists.

    Raises:
        Unavailable: an answer is missing, or fewer objects came than NetBox counts.
    """
    found = [(prefix, each) for prefix, path in _LISTS.items() for each in _objects(api, path)]
    return rows_of(found, wishes)


def read_document(document: Any, wishes: Wishes) -> SourceRows:
    """Read the devices in a saved answer: a list, or a page with `results`.

    Raises:
        Unavailable: it is neither.
    """
    listed = document.get("results") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Unavailable("the file holds no devices of NetBox: save what /api/dcim/devices/?limit=0 answers")
    return rows_of([("netbox-", each) for each in listed], wishes)


def _objects(api: JsonApi, path: str) -> Iterator[Mapping[str, Any]]:
    """Yield a list's objects page by page; only path and query of `next` count: proxies change its host."""
    following = f"{api.path_of(path)}?limit={_PAGE}&exclude=config_context"
    count, seen = 0, 0
    for _ in range(_MAX_PAGES):
        page = api.get(following)
        if not isinstance(page, dict) or not isinstance(page.get("results"), list):
            raise api.unavailable(f"answers {path} without results: is the URL NetBox's own?")
        count, seen = page.get("count") or 0, seen + len(page["results"])
        yield from (each for each in page["results"] if isinstance(each, dict))
        following = _text(page.get("next"))
        if not following or not page["results"]:
            break
    if seen < count:
        raise api.unavailable(f"counts {count} objects in {path} and gave {seen}")


def rows_of(found: list[tuple[str, Mapping[str, Any]]], wishes: Wishes) -> SourceRows:
    """Return the rows of the objects that have a primary address."""
    types, without = Types(wishes), 0
    rows = []
    credentials = wishes.credential is not None
    for prefix, each in found:
        address = _address(each)
        if not address:
            without += 1
            continue
        credential = _text(_part(each, "custom_fields").get(CREDENTIAL_FIELD)) or wishes.credential or ""
        credentials = credentials or bool(credential)
        row = {
            "id": f"{prefix}{each.get('id')}",
            "hostname": _text(each.get("name")),
            "ip_address": address,
            "device_type": types.of(
                _slug(each, "role") or _slug(each, "device_role"), _slug(each, "platform")
            ),
            "site": _slug(each, "site"),
            "enabled": _part(each, "status").get("value") == "active",
            "credential": credential,
        }
        rows.append((f"{prefix}{each.get('id')}", row))
    notes = left_out(without, "no primary IP address (members of a chassis, patch panels, unfinished ones)")
    columns = COLUMNS | {"credential"} if credentials else COLUMNS
    return SourceRows(rows=rows, columns=columns, notes=notes + types.notes())


def _address(each: Mapping[str, Any]) -> str:
    """Return the primary address without its prefix length."""
    for name in ("primary_ip", "primary_ip4", "primary_ip6"):
        address = _text(_part(each, name).get("address"))
        if address:
            return address.partition("/")[0]
    return ""


def _slug(each: Mapping[str, Any], name: str) -> str:
    return _text(_part(each, name).get("slug"))


def _part(each: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = each.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
