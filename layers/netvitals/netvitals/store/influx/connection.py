"""Send requests to InfluxDB with limits of time and of the answer's size, whatever the other side does."""

import logging
import queue
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from influxdb_client import InfluxDBClient, WriteService
from urllib3 import BaseHTTPResponse, PoolManager

from netvitals.bounded_http import Limits, limited_pools
from netvitals.store.access import InfluxAccess

MAX_TEXT_BYTES = 64 * 1024
"""Bytes of an answer's text that are read; InfluxDB 1 quotes each refused line in it."""
MAX_ANSWER_BYTES = 1024 * 1024
"""Limit of an answer with its headers: InfluxDB 1 repeats the text in one."""


class ForeignAnswer(Exception):
    """Raised for an answer of success that is not InfluxDB's, such as a page of a proxy."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class InfluxConnection:
    """Keeps connections to one InfluxDB alive between requests.

    No proxy of the environment is used and no redirect followed: the token goes to the URL's host and
    nowhere else. Certificates are verified, by `ca_file` where one is given. Answers are not decompressed.
    """

    def __init__(self, access: InfluxAccess, ca_file: str | None = None) -> None:
        self.access = access
        token = access.token.reveal().strip()
        client = InfluxDBClient(
            access.url, token, org=access.org, ssl_context=ssl.create_default_context(cafile=ca_file)
        )
        # The client has set another level, at which all of a malformed answer is logged.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        rest = client.api_client.rest_client
        rest.pool_manager = _ShortAnswers(rest.pool_manager, self.redacted)
        self._writes = WriteService(client.api_client)

    def redacted(self, text: str) -> str:
        """Return the text without the token, which the other side may have repeated."""
        return text.replace(self.access.token.reveal().strip() or "\0", "…")

    def post(self, body: bytes, seconds: float) -> None:
        """Write lines, compressed by gzip.

        A thread waits for the answer, as no timeout reaches the resolving of a name. Where it comes too
        late it ends by itself: its sockets keep to the time as well.

        Raises:
            TimeoutError: the answer was not complete in time; the lines may have been written.
            ForeignAnswer: the lines were not written.
            Exception: whatever influxdb-client and urllib3 raise.
        """
        answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        threading.Thread(target=self._post, args=(body, seconds, answers), daemon=True).start()
        try:
            error = answers.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error

    def _post(self, body: bytes, seconds: float, answers: queue.SimpleQueue[Exception | None]) -> None:
        try:
            _, status, _ = self._writes.post_write_with_http_info(
                self.access.org,
                self.access.bucket,
                body,
                precision="ns",
                content_encoding="gzip",
                content_type="text/plain; charset=utf-8",
                _request_timeout=(seconds * 1000, seconds * 1000),
            )
        except Exception as error:  # noqa: BLE001, carried over to the waiting thread
            answers.put(error)
        else:
            # Every version answers 204 (docs.influxdata.com, "Handle write responses").
            answers.put(None if status == HTTPStatus.NO_CONTENT else ForeignAnswer(status))


class _Answer(msgspec.Struct):
    """The parts of an answer that influxdb-client reads."""

    status: int
    reason: str
    headers: Any
    data: bytes
    """The body, not decompressed, cut after `MAX_TEXT_BYTES`."""


class _ShortAnswers:
    """Replaces influxdb-client's pool manager, which would read and decompress answers of any size."""

    def __init__(self, pools: PoolManager, redacted: Callable[[str], str]) -> None:
        self._pools, self._redacted = pools, redacted
        pools.pool_classes_by_scheme = limited_pools(Limits(MAX_ANSWER_BYTES))

    def request(self, method: str, url: str, **options: Any) -> _Answer:
        options |= {"preload_content": False, "decode_content": False}
        response = self._pools.request(method, url, **options)
        try:
            data = _beginning_of(response)
        except BaseException:
            response.close()
            raise
        # Before the text is cut: half a token would not be recognised.
        text = self._redacted(data.decode(errors="replace"))
        return _Answer(
            response.status, self._redacted(response.reason or ""), response.headers, text.encode()
        )


def _beginning_of(response: BaseHTTPResponse) -> bytes:
    data = response.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        response.close()  # what is left of it is not waited for
    response.release_conn()
    return data[:MAX_TEXT_BYTES]
