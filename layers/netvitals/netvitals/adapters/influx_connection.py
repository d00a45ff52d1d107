"""One request to InfluxDB, with an end to its time whatever the other side does."""

import queue
import threading

import msgspec
from influxdb_client import InfluxDBClient, WriteService

from netvitals.domain.secret import Secret


class InfluxTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where to write, and by whose leave: the content of the InfluxDB secret."""

    url: str
    token: Secret
    org: str = ""
    bucket: str = "network_metrics"


class InfluxConnection:
    """Connections to one InfluxDB, kept alive between requests.

    No proxy of the environment is used and no redirect followed: the token goes to the URL's host and
    nowhere else. Certificates are verified, by `ca_file` where one is given.
    """

    def __init__(self, target: InfluxTarget, ca_file: str | None = None) -> None:
        self._target = target
        client = InfluxDBClient(target.url, target.token.reveal(), org=target.org, ssl_ca_cert=ca_file)
        self._writes = WriteService(client.api_client)

    def redacted(self, text: str) -> str:
        """The text without the token, should the other side have repeated it."""
        return text.replace(self._target.token.reveal() or "\0", "…")

    def post(self, body: bytes, seconds: float) -> None:
        """Write lines, compressed by gzip.

        The client's time limit starts anew with each piece of an answer, so a thread waits for it, and is
        left behind where the answer only drips.

        Raises:
            TimeoutError: the answer was not complete in time; the lines may have been written.
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
            self._writes.post_write(
                self._target.org,
                self._target.bucket,
                body,
                precision="ns",
                content_encoding="gzip",
                content_type="text/plain; charset=utf-8",
                _request_timeout=(seconds * 1000, seconds * 1000),
            )
        except Exception as error:  # noqa: BLE001, carried over to the waiting thread
            answers.put(error)
        else:
            answers.put(None)
