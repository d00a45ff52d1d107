"""Version 2's interface in front of a real InfluxDB 1: buckets are databases, what it stores is its own."""

import json
from typing import Any
from urllib.parse import urlencode

import urllib3

from local.influx.http import Answer

PRECISIONS = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}


class RealInflux:
    """A running influxd, as `local.influx.http.Store`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, bucket: str) -> None:
        self._ask("/query", {"q": f'CREATE DATABASE "{bucket}"'}, b"")

    def drop(self, bucket: str) -> None:
        self._ask("/query", {"q": f'DROP DATABASE "{bucket}"'}, b"")

    def write(self, bucket: str, text: bytes, precision: str) -> None:
        self._ask("/write", {"db": bucket, "precision": PRECISIONS[precision]}, text)

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        answer = self._ask("/query", {"db": bucket, "q": statement, "epoch": "ns"}, None)
        document: dict[str, Any] = json.loads(answer)
        return document

    def _ask(self, path: str, asked: dict[str, str], body: bytes | None) -> bytes:
        method = "GET" if body is None else "POST"
        answer = urllib3.request(method, f"{self._url}{path}?{urlencode(asked)}", body=body, timeout=60)
        if answer.status >= 400:
            code = {404: "not found", 400: "invalid"}.get(answer.status, "internal error")
            raise Answer(answer.status, code, answer.json()["error"])
        return answer.data
