"""The demo's InfluxDB: a small store of its own that can be away, or the real one that is given."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import urllib3

from local.influx.http import Answer, InfluxServer
from local.influx.store import MemoryStore

BUCKET = "network_metrics"
_TOKEN = "demo-token"
_TIMEOUT_SECONDS = 10.0


class Unreadable(Exception):
    """Points can't be read back; says why, and what to do."""


class Interrupted:
    """A store that answers 503 while it is away; see `http.Store`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.away = False

    def write(self, bucket: str, text: bytes, precision: str) -> None:
        self._check()
        self._store.write(bucket, text, precision)

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        self._check()
        return self._store.query(bucket, statement)

    def _check(self) -> None:
        if self.away:
            raise Answer(503, "unavailable", "the demo has taken InfluxDB away for a moment")


class Influx:
    """Where points are written and read back; `access` is the content of the functions' secret."""

    def __init__(self, access: Mapping[str, str], own: Interrupted | None = None) -> None:
        self.access = dict(access)
        self._own = own
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)

    @property
    def is_own(self) -> bool:
        """Whether it is the demo's, and not a real one."""
        return self._own is not None

    def go_away(self, *, away: bool) -> None:
        """Only the demo's own does."""
        if self._own is not None:
            self._own.away = away

    def query(self, statement: str) -> list[dict[str, Any]]:
        """What an InfluxQL statement gives: a row's columns and the tags of its group.

        Raises:
            Unreadable: the server does not say.
        """
        asked = urlencode({"db": self.access["bucket"], "q": statement, "epoch": "ns"})
        headers = {"Authorization": f"Token {self.access['token']}"}
        try:
            answer = self._pool.request("GET", f"{self._url}/query?{asked}", headers=headers)
            document = answer.json()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._unreadable(f"{type(error).__name__}") from None
        results = document.get("results") if isinstance(document, dict) else None
        if answer.status != 200 or not results or "error" in results[0]:
            raise self._unreadable(f"{answer.status} {str(document)[:200]}")
        return [
            dict(zip(series["columns"], row, strict=True)) | series.get("tags", {})
            for series in results[0].get("series", [])
            for row in series["values"]
        ]

    @property
    def _url(self) -> str:
        return self.access["url"].rstrip("/")

    def _unreadable(self, cause: str) -> Unreadable:
        return Unreadable(
            f"{self._url}/query does not give back what is in bucket {self.access['bucket']}: {cause}. It is "
            "read by InfluxQL: the token must be allowed to read the bucket, and InfluxDB 2 needs a mapping "
            "(influx v1 dbrp create --db BUCKET --rp autogen --default --bucket-id ID)"
        )


def given_influx(environ: Mapping[str, str]) -> Influx:
    """The one that the environment names.

    Raises:
        ValueError: something is missing.
        Unreadable: it can't be used to read points back.
    """
    wanted = {"url": "INFLUXDB_URL", "token": "INFLUXDB_TOKEN", "org": "INFLUXDB_ORG"}
    missing = [name for name in wanted.values() if not environ.get(name)]
    if missing:
        raise ValueError(f"INFLUXDB_URL is set, so {', '.join(missing)} must be as well")
    access = {key: environ[name] for key, name in wanted.items()}
    influx = Influx({**access, "bucket": environ.get("INFLUXDB_BUCKET") or BUCKET})
    influx.query("SELECT value FROM device_metrics LIMIT 1")
    return influx


@contextmanager
def own_influx(retention_seconds: float) -> Iterator[Influx]:
    store = Interrupted(MemoryStore([BUCKET], retention_seconds))
    server = InfluxServer(store, _TOKEN)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield Influx({"url": server.url, "token": _TOKEN, "org": server.org, "bucket": BUCKET}, store)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
