"""Serve the page with NiceGUI on uvicorn."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware

from netvitals.reading.readers import Readers
from netvitals.ui import data, pages
from netvitals.ui.guard import ANY_HOST, LOOPBACK_NAMES, OriginGuard

_STATIC = Path(__file__).parent / "static"
_BACKLOG = 128


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this address; port 0 takes a free port.

    Raises:
        OSError: the address is none of this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def serve(
    readers: Readers, listener: socket.socket, host: str, every: float, ready: Callable[[], None]
) -> None:
    """Serve until interrupted; `ready` is called when requests are accepted.

    `every` is the interval, in seconds, at which values of the fleet are read anew.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(data.routes(readers))
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=3)
    nicegui_app.add_static_files("/static", _STATIC, max_cache_age=0)
    pages.define(readers, refresh_seconds=min(10.0, max(2.0, every / 3)))
    ui.run_with(
        app, title="netvitals", favicon="📈", dark=None, language="en-US", tailwind=False,
        gzip_middleware_factory=None, show_welcome_message=False, binding_refresh_interval=None,
    )  # fmt: skip
    nicegui_app.on_startup(ready)
    guarded = OriginGuard(app, LOOPBACK_NAMES if is_loopback(host) else ANY_HOST)
    config = uvicorn.Config(
        guarded, log_level="warning", access_log=False, timeout_graceful_shutdown=2, server_header=False
    )
    uvicorn.Server(config).run(sockets=[listener])
