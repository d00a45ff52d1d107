"""A stand-in for awslambdaric's compiled HTTP client, which exists for Linux only.

Names and arguments are those that `awslambdaric.lambda_runtime_client` calls.
"""

import os
from http.client import HTTPConnection

_INVOCATION = "/2018-06-01/runtime/invocation"


def initialize_client(user_agent: str) -> None:
    """Do nothing: a connection is made for each request."""


def next() -> tuple[bytes, dict[str, str]]:  # noqa: A001, the name that it is called by
    """Wait for an event; return it and its headers."""
    return _request("GET", "next", b"", {})


def post_invocation_result(request_id: str, result: bytes, content_type: str, _: str | None) -> None:
    _request("POST", f"{request_id}/response", result, {"Content-Type": content_type})


def post_error(request_id: str, error: str, xray_cause: str, _: str | None) -> None:
    _request(
        "POST",
        f"{request_id}/error",
        error.encode(),
        {"Lambda-Runtime-Function-XRay-Error-Cause": xray_cause},
    )


def _request(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, f"{_INVOCATION}/{path}", body, headers)
    answer = connection.getresponse()
    return answer.read(), dict(answer.headers)
