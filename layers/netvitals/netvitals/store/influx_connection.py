"""One request to InfluxDB, with an end to its time whatever the other side does."""

import queue
import threading

from influxdb_client import InfluxDBClient, WriteService

from netvitals.store.access import InfluxAccess


class InfluxConnection:
    """Connections to one InfluxDB, kept alive between requests.

    No proxy of the environment is used and no redirect followed: the token goes to the URL's host and
    nowhere else. Certificates are verified, by `ca_file` where one is given.
    """

    def __init__(self, access: InfluxAccess, ca_file: str | None = None) -> None:
        self._access = access
        token = access.token.reveal().strip()
        client = InfluxDBClient(access.url, token, org=access.org, ssl_ca_cert=ca_file)
        self._writes = WriteService(client.api_client)

    def redacted(self, text: str) -> str:
        """The text without the token, should the other side have repeated it."""
        return text.replace(self._access.token.reveal().strip() or "\0", "…")

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
                self._access.org,
                self._access.bucket,
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
