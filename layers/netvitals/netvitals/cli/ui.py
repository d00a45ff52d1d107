"""Implement `netvitals ui`: serve a page with the fleet, its sites, events and devices."""

import errno
import os
import sys
from importlib.util import find_spec

import click

from netvitals.domain.errors import ConfigurationError
from netvitals.reading.readers import readers
from netvitals.wiring.parts import Parts

DEFAULT_PORT = 8765
_EPILOG = """\b
Examples:
  netvitals ui                      on http://127.0.0.1:8765
  netvitals ui --port 0             on a free port
  ssh -L 8765:127.0.0.1:8765 host   then the same URL on your machine

It reads what the functions read: DATABASE_URL or NETVITALS_DATABASE_SECRET_ARN; INFLUXDB_URL, INFLUXDB_TOKEN
and INFLUXDB_ORG, or NETVITALS_INFLUXDB_SECRET_ARN. The token needs the right to read the bucket. It writes
nothing, and polls no device.

The page has no login: whoever reaches it sees names, addresses and values of all devices. So it listens on
loopback unless --host says otherwise."""


@click.command(epilog=_EPILOG, short_help="Serve a page with the fleet, its events and devices.")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
              help="TCP port to listen on; 0 takes a free one.")  # fmt: skip
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; anything but loopback opens the page to everybody who reaches it.",
)
@click.option("--every", type=click.FloatRange(1, 3600), default=30, show_default=True,
              metavar="SECONDS",
              help="Interval of InfluxDB queries, which InfluxDB Cloud bills.")  # fmt: skip
def ui(port: int, host: str, every: float) -> None:
    """Serve a read-only page: the fleet, sites, events, and each device with its vital signs over time.

    Prints the page's URL, and ends with Ctrl-C.
    """
    if find_spec("nicegui") is None:
        raise ConfigurationError("the page needs the extra `ui`: in a clone, pip install '.[ui]'")
    from netvitals.ui import server  # noqa: PLC0415, takes a second and is an extra

    parts = Parts(os.environ)
    _ = parts.database  # so that a missing variable is reported at once
    try:
        listener = server.listening(host, port)
    except OSError as error:
        option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise click.UsageError(
            f"can't listen on {host} port {port}: {error.strerror or error}; choose another with {option}"
        ) from None
    if not server.is_loopback(host):
        click.secho(
            f"netvitals: WARNING: the page has no login, and {host} lets other machines see it",
            fg="yellow",
            err=True,
        )
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"

    def ready() -> None:
        click.echo(url)
        sys.stdout.flush()

    server.serve(readers(parts, every), listener, host, every, ready)
