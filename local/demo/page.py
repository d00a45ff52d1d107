"""Serve the demo's page, and write what a shell needs to look at the demo by `netvitals`."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec

from local.demo.devices import CREDENTIALS
from local.demo.environment import Environment
from local.servers.page import page_served
from netvitals.adapters.postgres.inventory import PostgresInventory


@contextmanager
def page_of(built: Environment) -> Iterator[str]:
    """Run `netvitals ui` and yield its URL, or what it needs where that is not installed."""
    if find_spec("nicegui") is None:
        yield "not served: it needs pip install '.[ui]'"
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(page_served(_variables(built), built.logs / "page"))
        except RuntimeError as error:
            url = f"not served: {error}"
        yield url


def write_variables(built: Environment) -> Path:
    """Write a file that a shell sources: where the demo's servers are, its devices, credentials, settings."""
    devices, credentials, document = (
        built.logs / name for name in ("devices.jsonl", "credentials.json", "netvitals.json")
    )
    document.write_bytes(msgspec.json.encode(built.document))
    rows = [row for chunk in PostgresInventory(built.database).rows(enabled_only=True) for row in chunk]
    lines = [{key: text for key, text in row.items() if text is not None} for row in rows]
    for line in lines:
        line["settings"] = msgspec.json.decode(line.get("settings", "{}"))
    devices.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    credentials.touch(mode=0o600)
    credentials.write_bytes(msgspec.json.encode(CREDENTIALS))
    files = {
        "DEVICES": devices, "NETVITALS_CREDENTIALS_FILE": credentials, "NETVITALS_CONFIG_FILE": document,
    }  # fmt: skip
    variables = _variables(built) | {name: str(path) for name, path in files.items()}
    file = built.logs / "variables.sh"
    file.touch(mode=0o600)
    exports = "".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items())
    file.write_text(f'{exports}export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n')
    return file


def _variables(built: Environment) -> dict[str, str]:
    return {"DATABASE_URL": built.database_url, **built.influx.variables}
