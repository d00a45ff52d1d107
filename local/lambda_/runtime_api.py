"""AWS's Lambda Runtime API on a loopback port, for one execution environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any, ClassVar, Literal, NamedTuple

_PREFIX = "/2018-06-01/runtime"


class Invocation(NamedTuple):
    request_id: str
    event: bytes
    deadline_ms: int
    """On the clock of `time.time`."""
    function_arn: str


class Message(NamedTuple):
    """What the runtime has said: it is ready for an event, or how the last one ended."""

    kind: Literal["ready", "response", "error", "init_error"]
    body: Any = None


class RuntimeApi:
    """Hands invocations to the runtime and its answers to whoever waits for them."""

    def __init__(self) -> None:
        self.messages: Queue[Message] = Queue()
        self._invocations: Queue[Invocation | None] = Queue()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def invoke(self, invocation: Invocation) -> None:
        self._invocations.put(invocation)

    def next(self) -> Invocation | None:
        """The next invocation, once there is one; None when the environment is shut down."""
        self.messages.put(Message("ready"))
        return self._invocations.get()

    def close(self) -> None:
        self._invocations.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[RuntimeApi]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}/invocation/next":
            self._answer(HTTPStatus.NOT_FOUND)
            return
        invocation = self.api.next()
        if invocation is None:  # the runtime is gone, and nobody is there to be answered
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        }
        self._answer(HTTPStatus.OK, invocation.event, headers)

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"null")
        if self.path == f"{_PREFIX}/init/error":
            self.api.messages.put(Message("init_error", body))
        elif self.path.endswith("/response"):
            self.api.messages.put(Message("response", body))
        else:
            self.api.messages.put(Message("error", body))
        self._answer(HTTPStatus.ACCEPTED, b'{"status": "OK"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are the runtime's business and no news."""
