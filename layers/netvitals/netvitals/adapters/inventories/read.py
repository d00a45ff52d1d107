"""Read the inventory of another system from its API or from a file, and make devices of its rows."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from netvitals.adapters.files.inventory import InventoryFile
from netvitals.adapters.files.strict_yaml import load
from netvitals.adapters.inventories import librenms, netbox, zabbix
from netvitals.adapters.inventories.http_json import JsonApi
from netvitals.adapters.inventories.source import SourceRows, Wishes
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import device_from
from netvitals.domain.settings.secret import Secret

_MODULES: Mapping[str, ModuleType] = {"netbox": netbox, "librenms": librenms, "zabbix": zabbix}
_NAMES = {"netbox": "NetBox", "librenms": "LibreNMS", "zabbix": "Zabbix"}
_MAX_BYTES = 256 * 1024 * 1024

ONCE = frozenset(("credential", "settings"))
"""Columns that are set for new devices only, because other systems have no exact values of them."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Devices of another system."""

    file: InventoryFile
    notes: list[str]
    prefix: str
    """Prefix of the ids of all its devices."""


def is_url(source: str) -> bool:
    return urlsplit(source).scheme in {"http", "https"}


def read_system(system: str, source: str, token: Callable[[], str], wishes: Wishes) -> Imported:
    """Read all devices of a system from its URL, with the token, or from a file.

    Raises:
        Unavailable: they can't be read, or not all of them.
    """
    rows = _rows(system, source, token, wishes)
    file = InventoryFile(rows=[], bad_rows=[], columns=set(rows.columns), ignored=[])
    for where, row in rows.rows:
        device = device_from({name: row.get(name) for name in rows.columns}, f"device {where!r}")
        if isinstance(device, Device):
            file.rows.append((f"device {where!r}", device))
        else:
            file.bad_rows.extend(device)
    return Imported(file=file, notes=rows.notes, prefix=f"{system}-")


def _rows(system: str, source: str, token: Callable[[], str], wishes: Wishes) -> SourceRows:
    module, name = _MODULES[system], _NAMES[system]
    try:
        if is_url(source):
            api = JsonApi(name, source, module.headers(_usable(token(), name)))
            rows: SourceRows = module.read_api(api, wishes)
        else:
            rows = module.read_document(_document(Path(source)), wishes)
    except (TypeError, ValueError, OverflowError) as error:  # whose text may quote a community
        raise Unavailable(
            f"{name} answers with values that it should not have ({type(error).__name__}); "
            "nothing was changed"
        ) from None
    return rows


def _usable(token: str, system: str) -> Secret:
    """Return a token without the blanks around it.

    Raises:
        Unavailable: it is empty, or no header can hold it; the text does not quote it.
    """
    stripped = token.strip()
    if not stripped or not all("!" <= character <= "~" for character in stripped):
        raise Unavailable(
            f"the token of {system} is empty or holds characters that no token has: "
            "set NETVITALS_SOURCE_TOKEN anew"
        )
    return Secret(stripped)


def _document(path: Path) -> Any:
    """Return the JSON or YAML in a file."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return load(text.decode())
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{path} is neither JSON nor YAML: {error}") from None
