"""Points read back from an InfluxDB, and what names it to functions and commands."""

from collections.abc import Iterable
from typing import Any

from local.influx.http import InfluxServer
from netvitals.reading.influxql import InfluxQuery, Series
from netvitals.store.access import InfluxAccess

_TIMEOUT_SECONDS = 60.0


def rows_of(found: Iterable[Series]) -> list[dict[str, Any]]:
    """Return each row by column, with the tags of its group."""
    return [
        dict(zip(series.columns, row, strict=True)) | series.tags for series in found for row in series.values
    ]


class InfluxClient:
    """Reads one bucket of an InfluxDB."""

    def __init__(self, access: InfluxAccess, own: InfluxServer | None = None) -> None:
        """`own` is the server, where it is one of this process."""
        self.access, self.url, self.bucket, self.own = access, access.url, access.bucket, own
        self.influxql = InfluxQuery(lambda: access, seconds=_TIMEOUT_SECONDS)

    @property
    def secret(self) -> dict[str, str]:
        """What Secrets Manager holds of it."""
        token = self.access.token.reveal()
        return {"url": self.url, "token": token, "org": self.access.org, "bucket": self.bucket}

    @property
    def variables(self) -> dict[str, str]:
        """What names it to `netvitals`."""
        return {f"INFLUXDB_{key.upper()}": text for key, text in self.secret.items()}

    def go_away(self, *, away: bool) -> None:
        """Answer 503 for a while; only a server of this process does."""
        if self.own is not None:
            self.own.away = away

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Return an InfluxQL statement's rows, as `rows_of`; raises Unavailable."""
        return rows_of(self.influxql.series(statement))
