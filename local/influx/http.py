"""The part of InfluxDB's HTTP interface that netvitals and the demo use, in front of any store of points.

`POST /api/v2/write` (org, bucket, precision; gzip or plain), `GET|POST /query` (InfluxQL of the store),
`GET /health`, `GET /ping`. Listens on loopback only.
"""

import json
import threading
import zlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

from netvitals.domain.settings.secret import Secret
from netvitals.store.access import DEFAULT_BUCKET, InfluxAccess

NANOSECONDS = {"ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000}


class Answer(Exception):
    """An HTTP answer other than the good one."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Store(Protocol):
    def write(self, bucket: str, text: bytes, precision: str) -> None:
        """Write the lines that can be written.

        Raises:
            Answer: 404 where there is no such bucket, 400 or 422 naming the lines that were not written.
        """
        ...

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        """The answer to an InfluxQL statement, as InfluxDB 1 words it, times in nanoseconds.

        Raises:
            Answer: 400 where the statement is not understood.
        """
        ...


class InfluxServer(ThreadingHTTPServer):
    """`with InfluxServer(store, token) as server:` serves a store on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    org = "netvitals"

    def __init__(self, store: Store, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store, self.token, self.max_body_bytes = store, token, 10_000_000
        self.away = False
        """Every request is answered with 503."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def access(self, bucket: str = DEFAULT_BUCKET) -> InfluxAccess:
        return InfluxAccess(url=self.url, token=Secret(self.token), org=self.org, bucket=bucket)


class _Handler(BaseHTTPRequestHandler):
    server: InfluxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class names it
        """Say nothing: the demo's terminal is a table."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        status, document = HTTPStatus.OK, None
        try:
            document = self._handled(body)
        except Answer as answer:
            status, document = HTTPStatus(answer.status), {"code": answer.code, "message": str(answer)}
        if document is None:
            status = HTTPStatus.NO_CONTENT
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Influxdb-Version", "2.0-netvitals")
        content = b"" if document is None else json.dumps(document).encode()
        if content:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _handled(self, body: bytes) -> dict[str, Any] | None:
        """Do what is asked; return the document of the answer."""
        if self.server.away:
            raise Answer(503, "unavailable", "InfluxDB has been taken away for a moment")
        url = urlsplit(self.path)
        asked = _first(url.query)
        match self.command, url.path:
            case "GET", "/ping":
                return None
            case "GET", "/health":
                return {"name": "influxdb", "status": "pass", "message": "ready for queries and writes"}
            case "POST", "/api/v2/write":
                self._check_token()
                self._write(asked, body)
                return None
            case _, "/query":
                self._check_token()
                asked |= _first(body.decode(errors="replace"))
                return self.server.store.query(asked.get("db", ""), asked.get("q", ""))
        raise Answer(404, "not found", "path not found")

    def _write(self, asked: dict[str, str], body: bytes) -> None:
        if asked.get("org", "") not in ("", self.server.org):
            raise Answer(404, "not found", f'organization name "{asked["org"]}" not found')
        precision = asked.get("precision", "ns")
        if precision not in NANOSECONDS:
            raise Answer(400, "invalid", "precision must be one of ns, us, ms, s")
        self.server.store.write(asked.get("bucket", ""), self._unpacked(body), precision)

    def _check_token(self) -> None:
        if self.headers.get("Authorization") != f"Token {self.server.token}":
            raise Answer(401, "unauthorized", "unauthorized access")

    def _unpacked(self, body: bytes) -> bytes:
        """The body without its compression, never more of it than may be."""
        limit = self.server.max_body_bytes
        if self.headers.get("Content-Encoding") == "gzip":
            try:
                body = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(body, limit + 1)
            except zlib.error as error:
                raise Answer(400, "invalid", f"the body is no gzip: {error}") from None
        if len(body) > limit:
            raise Answer(413, "request too large", "unable to read data: points batch is too large")
        return body


def _first(query: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
