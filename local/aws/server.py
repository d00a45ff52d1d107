"""AWS on a loopback port, by moto, which writes down what it is asked."""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from local.aws.clients import client
from local.aws.template import ACCOUNT, REGION

RIGHTS = {
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "DeleteMessageBatch": "DeleteMessage",
    "SendMessageBatch": "SendMessage",
}
"""Calls that take the right to another."""
SERVICES = {"AmazonSQS": "sqs", "AmazonSSM": "ssm", "AWSEvents": "events", "secretsmanager": "secretsmanager"}


class Call(NamedTuple):
    """A call, by the right that it takes."""

    action: str
    resource: str


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing: who serves keeps what was asked."""


class Aws:
    """A region's services; `calls` grows with each request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[Call] = []
        self.answers = threading.Event()
        """Cleared, nothing is answered until it is set again."""
        self.answers.set()

    def client(self, service: str) -> Any:
        return client(self.url, service)


@contextmanager
def running() -> Iterator[Aws]:
    dispatcher = DomainDispatcherApplication(create_backend_app)
    aws = Aws("")

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        aws.calls += _calls(environ.get("HTTP_X_AMZ_TARGET", ""), environ.get("CONTENT_TYPE", ""), body)
        aws.answers.wait()
        answer: Iterable[bytes] = dispatcher(environ, start_response)
        return answer

    with serving(application) as aws.url:
        # moto keeps one world per process, and somebody may have been there before.
        moto_api_backend.reset()
        yield aws


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve a WSGI application on a loopback port of its own, each request in a thread; yield the URL."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _calls(target: str, content_type: str, body: bytes) -> list[Call]:
    """Return the calls in a request to one of the services that functions use."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return [Call(f"sns:{form['Action']}", form["TopicArn"])] if "TopicArn" in form else []
    prefix, _, action = target.partition(".")
    service = SERVICES.get(prefix)
    if service is None:
        return []
    resources = _resources(service, json.loads(body))
    return [Call(f"{service}:{RIGHTS.get(action, action)}", resource) for resource in resources]


def _resources(service: str, asked: dict[str, Any]) -> set[str]:
    own = f"{REGION}:{ACCOUNT}"
    if service == "sqs":
        name = asked.get("QueueUrl") or asked.get("QueueName", "")
        return {f"arn:aws:sqs:{own}:{re.sub('.*/', '', name)}"}
    if service == "events":
        names = {entry["EventBusName"] for entry in asked.get("Entries", [])}
        return {f"arn:aws:events:{own}:{re.sub('.*:event-bus/', '', name)}" for name in names}
    if service == "ssm":
        return {f"arn:aws:ssm:{own}:parameter{asked['Name']}"}
    return {asked.get("SecretId") or asked.get("Name", "")}
