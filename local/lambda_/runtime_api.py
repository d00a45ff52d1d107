"""AWS's Lambda Runtime API on a loopback port, for one execution environment and without a thread.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import socket
import time
from contextlib import suppress
from http.client import parse_headers
from typing import Any, Literal, NamedTuple

_NEXT = "/2018-06-01/runtime/invocation/next"
_READ_SECONDS = 60.0


class Message(NamedTuple):
    """Message of the runtime: it is ready for an event, or how the last one ended."""

    kind: Literal["ready", "response", "error"]
    body: Any = None


class RuntimeApi:
    """Takes the runtime's requests one after another; that for the next event is answered by `invoke`."""

    def __init__(self, function_arn: str) -> None:
        self._function_arn = function_arn
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._waiting: socket.socket | None = None

    @property
    def address(self) -> str:
        return "{}:{}".format(*self._listener.getsockname())

    @property
    def is_ready(self) -> bool:
        """Return whether the runtime waits for an event."""
        return self._waiting is not None

    def invoke(self, request_id: str, event: bytes, timeout_seconds: float) -> None:
        """Hand an event to the runtime, which must be ready."""
        assert self._waiting is not None  # noqa: S101, see is_ready
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout_seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
        }
        _answer(self._waiting, "200 OK", event, headers)
        self._waiting = None

    def receive(self, seconds: float) -> Message | None:
        """Return what the runtime says within this time; None where it says nothing."""
        self._listener.settimeout(seconds)
        try:
            client, _ = self._listener.accept()
        except TimeoutError:
            return None
        client.settimeout(_READ_SECONDS)
        with client.makefile("rb") as stream:
            target = stream.readline().decode().partition(" ")[2].partition(" ")[0]
            # AWS's client says how long a body is, and sends none in chunks.
            body = stream.read(int(parse_headers(stream).get("Content-Length", 0))) if target else b""
        if not target:  # it has died before it could ask
            client.close()
            return None
        if target == _NEXT:
            self._waiting = client
            return Message("ready")
        _answer(client, "202 Accepted", b'{"status": "OK"}')
        return Message("response" if target.endswith("/response") else "error", json.loads(body or b"null"))

    def reset(self) -> None:
        """Forget a runtime that has gone."""
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None

    def close(self) -> None:
        self.reset()
        self._listener.close()


def _answer(client: socket.socket, status: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    fixed = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"}
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in {**(headers or {}), **fixed}.items()),
    ]
    with client, suppress(ConnectionError):  # a runtime that has gone is seen by who waits for it
        client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
