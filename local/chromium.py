"""Debian's Chromium without a window, driven by its DevTools protocol over a web socket.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import urllib3
from websockets.sync.client import ClientConnection, connect

from local.servers.process import running

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_PATIENCE_SECONDS = 60.0
_OPTIONS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--metrics-recording-only", "--mute-audio",
    "--hide-scrollbars", "--force-color-profile=srgb", "--no-proxy-server",
)  # fmt: skip


def installed_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium(folder: Path) -> Iterator["Browser"]:
    """Run a browser with its profile in this folder."""
    port_file = folder / "DevToolsActivePort"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses root
    command: list[str | Path] = [
        installed_chromium() or "chromium",
        *_OPTIONS,
        *sandbox,
        f"--user-data-dir={folder}",
    ]
    with running(command, folder, lambda: port_file.exists() and len(port_file.read_text().split()) > 1):
        yield Browser(int(port_file.read_text().split()[0]))


class Browser:
    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    @contextmanager
    def page(self) -> Iterator["Page"]:
        """Open a tab of its own."""
        target = urllib3.request("PUT", f"{self._url}/json/new?about:blank", timeout=_PATIENCE_SECONDS).json()
        with connect(target["webSocketDebuggerUrl"], max_size=_MAX_MESSAGE_BYTES, compression=None) as socket:
            yield Page(socket).prepared()
        urllib3.request("GET", f"{self._url}/json/close/{target['id']}", timeout=_PATIENCE_SECONDS)


class Page:
    """A tab: what it shows, what its scripts complain about, and where it sends requests."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def prepared(self) -> Self:
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are noted."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            message = json.loads(self._socket.recv(timeout=max(0.1, deadline - time.monotonic())))
            if message.get("id") != number:
                self._note(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error'].get('message')}")
            else:
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """Return what an expression gives, promises awaited.

        Raises:
            RuntimeError: it threw.
        """
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 60, ready: Callable[[Any], object] = bool) -> Any:
        """Return an expression's value as soon as it is as wanted.

        Raises:
            TimeoutError: it never was; says what it was at last.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                value = self.run(script)
            except RuntimeError as error:  # the page is being loaded
                value = error
            else:
                if ready(value):
                    return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{script} is still {value!r}")
            time.sleep(0.05)

    def show_as(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Give the page a screen of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(data))

    def _note(self, message: dict[str, Any]) -> None:
        match message:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.requests.append(url)
            case {"method": "Network.webSocketCreated", "params": {"url": url}}:
                self.requests.append(url)
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                exception = details.get("exception", {})
                self.complaints.append(exception.get("description") or str(details))
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error", **entry}}}:
                self.complaints.append(f"{entry.get('text')} {entry.get('url', '')}")
            case {
                "method": "Runtime.consoleAPICalled",
                "params": {"type": "error" | "warning", "args": args},
            }:
                self.complaints.append(
                    " ".join(str(each.get("value", each.get("description"))) for each in args)
                )
            case _:
                pass
