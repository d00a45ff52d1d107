"""A web server that keeps what is posted to it, in the place of Slack, Teams, PagerDuty and a webhook."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Post(NamedTuple):
    path: str
    """With its query."""
    headers: dict[str, str]
    """By lower-case name."""
    body: Any


class Receiver:
    """`with Receiver(address) as receiver:` listens on a port of its own; `posts` grows with each request."""

    def __init__(self, address: str) -> None:
        posts: list[Post] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                posts.append(Post(self.path, headers, json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: what came is in `posts`."""

        self.posts = posts
        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, wanted: Callable[[Post], bool], seconds: float) -> Post | None:
        """Return the first post that is wanted; None where none comes in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = next((post for post in self.posts if wanted(post)), None)
            if found:
                return found
            time.sleep(0.2)
        return None
