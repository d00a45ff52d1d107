"""Points read back from an InfluxDB by InfluxQL, which versions 1, 2 and 3 understand."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

_TIMEOUT_SECONDS = 60.0


class Unreadable(Exception):
    """Points can't be read back; says why, and what to do."""


def rows_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a statement gave, each row by column, with the tags of its group."""
    return [
        dict(zip(series["columns"], row, strict=True)) | series.get("tags", {})
        for series in result.get("series", [])
        for row in series["values"]
    ]


class InfluxClient:
    """Reads one bucket; `access` is what the functions' secret holds: url, token, org, bucket."""

    def __init__(self, access: Mapping[str, str]) -> None:
        self.access = dict(access)
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Return a statement's rows, as `rows_of`.

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
        return rows_of(results[0])

    @property
    def _url(self) -> str:
        return self.access["url"].rstrip("/")

    def _unreadable(self, cause: str) -> Unreadable:
        return Unreadable(
            f"{self._url}/query does not give back what is in bucket {self.access['bucket']}: {cause}. It is "
            "read by InfluxQL: the token must be allowed to read the bucket, and InfluxDB 2 needs a mapping "
            "(influx v1 dbrp create --db BUCKET --rp autogen --default --bucket-id ID)"
        )
