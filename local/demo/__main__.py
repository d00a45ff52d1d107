"""The whole pipeline on this machine: `make demo`, and `make demo WATCH=1`, which runs until Ctrl-C.

INFLUXDB_URL with INFLUXDB_TOKEN, INFLUXDB_ORG and INFLUXDB_BUCKET, and DATABASE_URL, name real ones to use.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from types import FrameType

from rich.markup import escape

from local.demo.environment import Environment, environment
from local.demo.influx import TOKEN
from local.demo.page import page_of, write_variables
from local.demo.result import Result
from local.demo.scenario import Scenario
from local.demo.ui import Screen
from local.lambda_.sandbox import FunctionError
from netvitals.domain.errors import NetvitalsError

METRICS_SECONDS, METRICS_SECONDS_WATCHED = 10, 30
FAULTS_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--watch", action="store_true", help="keep running until Ctrl-C")
    watch = parser.parse_args(arguments).watch
    for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, _interrupt)
    screen = Screen()
    try:
        result = _perform(screen, watch=watch)
    except KeyboardInterrupt:
        result = Result(0, 0, 0, ["interrupted"])
    except (NetvitalsError, FunctionError, ValueError, RuntimeError, OSError) as error:
        result = Result(0, 0, 0, [str(error)])
    screen.finish()
    for fault in result.faults[1:FAULTS_SHOWN]:
        screen.line(escape(fault))
    screen.line(escape(str(result)))
    return 1 if result.faults else 0


def _interrupt(*_: int | FrameType | None) -> None:
    """End the run at the first signal; ignore later ones, so that cleaning up is not disturbed."""
    for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, signal.SIG_IGN)
    raise KeyboardInterrupt


def _perform(screen: Screen, *, watch: bool) -> Result:
    began = time.monotonic()
    screen.line("starting PostgreSQL, InfluxDB, AWS, devices and functions …")
    with ExitStack() as stack:
        built = stack.enter_context(environment(METRICS_SECONDS_WATCHED if watch else METRICS_SECONDS))
        page = stack.enter_context(page_of(built))
        screen.line(f"ready after {time.monotonic() - began:.0f} s" + (", ends with Ctrl-C" if watch else ""))
        _say_where(built, page, screen)
        _say_what_to_try(built, screen, watch=watch)
        screen.start()
        scenario = Scenario(built, screen)
        return scenario.watch() if watch else scenario.run()


def _say_where(built: Environment, page: str, screen: Screen) -> None:
    """Print where its servers and logs are; not the URLs that were given, which may hold a secret."""
    places = {
        "page": page,
        "InfluxDB": f"{built.influx.url} (token {TOKEN}), a small one",
        "PostgreSQL": built.database_url,
        "AWS": f"{built.cloud.url}, by moto",
        "logs": str(built.logs),
    }
    if built.influx.own is None:
        places["InfluxDB"] = "the one of INFLUXDB_URL"
    if not built.database_is_own:
        places["PostgreSQL"] = "the one of DATABASE_URL, in a schema that goes with the demo"
    for name, place in places.items():
        screen.line(f"  {name:<11}{escape(place)}")
    screen.keep_in_view(page)


def _say_what_to_try(built: Environment, screen: Screen, *, watch: bool) -> None:
    """Print how to look at it by hand, in another terminal: commands, and a query of InfluxDB."""
    variables = write_variables(built)
    query = "SELECT last(value) FROM device_metrics WHERE metric_name = 'cpu_percent' GROUP BY device_id"
    lines = {
        "try": f". {variables} && netvitals show core-sw",
        "or": "netvitals top cpu, netvitals events, netvitals ui, netvitals poll --inventory $DEVICES",
        "query": (
            'curl -H "Authorization: Token $INFLUXDB_TOKEN" "$INFLUXDB_URL/query?db=$INFLUXDB_BUCKET"'
            f' --data-urlencode "q={query}"'
        ),
    }
    if not watch:
        lines["keep it"] = "make demo WATCH=1"
    for name, line in lines.items():
        screen.line(f"  {name:<11}{escape(line)}")
    screen.keep_in_view(lines["try"])


if __name__ == "__main__":
    sys.exit(main())
