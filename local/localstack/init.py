#!/var/lang/bin/python3
"""Starts a function in a container of LocalStack: Lambda's runtime API inside, LocalStack's own outside.

It stands in for LocalStack's lambda-runtime-init, which no package registry has. LocalStack puts it into the
container as /var/rapid/init; the image has `runtime_api` of local/lambda_ beside AWS's runtime.
"""

import json
import os
import queue
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

sys.path.insert(0, "/var/runtime-api")
from runtime_api import Message, RuntimeApi  # type: ignore[import-not-found]  # the image has it

LOG = Path("/tmp/log")  # noqa: S108, of a container of one function
PORT = 9563
"""At which LocalStack expects an init to take invocations."""
NOBODY = 993
"""As whom Lambda runs functions."""
_LOOK_SECONDS = 0.5

_work: queue.Queue[dict[str, Any]] = queue.Queue()


class Invocations(BaseHTTPRequestHandler):
    """Takes invocations from LocalStack."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        _work.put(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the log is the function's."""


def tell(path: str, document: Any) -> None:
    """Report to LocalStack."""
    url = f"{os.environ['LOCALSTACK_RUNTIME_ENDPOINT']}/{path}"
    body = b"" if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310, http
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310, http
        answer.read()


def started(address: str) -> subprocess.Popen[bytes]:
    """Start AWS's runtime client as on Lambda: as nobody, with a /tmp to write to."""
    LOG.parent.chmod(0o1777)
    with LOG.open("ab") as log:
        return subprocess.Popen(
            ["/var/runtime/bootstrap"],
            cwd="/var/task",
            env={**os.environ, "AWS_LAMBDA_RUNTIME_API": address, "HOME": str(LOG.parent)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=NOBODY,
        )


def heard(api: RuntimeApi, process: subprocess.Popen[bytes], seconds: float) -> Message:
    """Return what the runtime says; where it says nothing in time or has ended, that as an error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = api.receive(_LOOK_SECONDS)
        if message is not None:
            return message
        if process.poll() is not None:
            said = f"Runtime exited with exit status {process.returncode}"
            return Message("error", {"errorType": "Runtime.ExitError", "errorMessage": said})
    said = f"Task timed out after {seconds:.2f} seconds"
    return Message("error", {"errorType": "Sandbox.Timedout", "errorMessage": said})


def run(api: RuntimeApi, process: subprocess.Popen[bytes], work: dict[str, Any], read: int) -> int:
    """Run one invocation and report it; return how much of the log has been read then."""
    seconds, request_id = float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"]), work["invoke-id"]
    began = time.monotonic()
    if not api.is_ready:
        heard(api, process, seconds)
    if api.is_ready:
        api.invoke(request_id, work["payload"].encode(), seconds)
    ended = heard(api, process, seconds)
    text = LOG.read_bytes()
    report = f"REPORT RequestId: {request_id}\tDuration: {(time.monotonic() - began) * 1e3:.2f} ms"
    said = text[read:].decode(errors="replace")
    tell(f"invocations/{request_id}/logs", {"logs": f"{said}{report}\n"})
    tell(f"invocations/{request_id}/{'response' if ended.kind == 'response' else 'error'}", ended.body)
    return len(text)


def main() -> None:
    name, region = os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["AWS_REGION"]
    own = f"status/{os.environ['LOCALSTACK_RUNTIME_ID']}"
    api = RuntimeApi(f"arn:aws:lambda:{region}:000000000000:function:{name}")
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Invocations)
    Thread(target=server.serve_forever, daemon=True).start()
    process = started(api.address)
    begun = heard(api, process, 60)
    if begun.kind != "ready":
        tell(f"{own}/error", begun.body)
        sys.exit(LOG.read_text(errors="replace"))
    tell(f"{own}/ready", None)
    read = 0
    while True:
        read = run(api, process, _work.get(), read)


if __name__ == "__main__":
    main()
