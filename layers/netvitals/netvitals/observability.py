"""Write structured logs and EMF metrics, in the forms that Powertools gives them.

Modules log through `logging.getLogger(__name__)`; this module formats records as JSON. Secrets print as
`Secret(…)`, and tracebacks hold no local variables.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TextIO, cast

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.protocols import PROTOCOLS

NAMESPACE = "netvitals"
MAX_VALUES = 10
"""Most values of one metric in a record."""
_LIBRARY_LEVELS = {
    # It logs servers' faults, which are results here, and quotes what hostile servers send.
    "urllib3": "ERROR",
    # They log every session that went well.
    "boto3": "WARNING",
    "botocore": "WARNING",
}
"""Loggers of libraries that several protocols use, and the lowest level that is logged."""

type Handler = Callable[[Any, Any], Any]
_logger = logging.getLogger("netvitals")


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Looks up `sys.stdout` at each write, because the runtime and tests replace it."""

    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, _: TextIO) -> None:
        pass


def set_level(level: str) -> None:
    _logger.setLevel(level)


def emit(values: Mapping[str, float | Sequence[float]], **dimensions: str) -> None:
    """Write one EMF record, with the dimension `service` and those named; zeros are left out.

    A metric that is never written costs nothing; alarms define what missing data means. Of many values a
    sample with the same distribution is written.
    """
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=_service())
    for dimension, text in dimensions.items():
        metrics.add_dimension(dimension, text)
    measured = {
        name: _thinned(value) if isinstance(value, Sequence) else [value] for name, value in values.items()
    }
    measured = {name: series for name, series in measured.items() if any(series)}
    for name, series in measured.items():
        for each in series:
            metrics.add_metric(
                name, MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count, each
            )
    if metrics.metric_set:
        metrics.flush_metrics()


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """Return the values; of many, a sample of the same distribution that has the least and the largest.

    CloudWatch Logs bills by the byte, and the seconds of every poll would dominate that bill.
    """
    if len(values) <= MAX_VALUES:
        return values
    ranked, steps = sorted(values), MAX_VALUES - 1
    return [ranked[(len(ranked) - 1) * step // steps] for step in range(MAX_VALUES)]


def observed(handler: Handler) -> Handler:
    """Wrap a Lambda handler: log lines carry the request, failures are logged and counted."""

    @wraps(handler)
    def wrapper(event: Any, context: Any) -> Any:
        formatter = _formatter()
        formatter.append_keys(function_request_id=context.aws_request_id, cold_start=_Process.cold)
        _Process.cold = False
        try:
            return handler(event, context)
        except Exception as error:
            emit({"Failures": 1}, reason=type(error).__name__)
            # A NetvitalsError's text says everything; any other error is a bug, logged with its traceback.
            _logger.error("%s", error, exc_info=not isinstance(error, NetvitalsError))  # noqa: TRY400, as just said
            raise

    return wrapper


class _Process:
    cold = True


def _service() -> str:
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or NAMESPACE


def _formatter() -> LambdaPowertoolsFormatter:
    """Return the formatter of all log lines; the first call installs it in place of the runtime's."""
    root = logging.getLogger()
    ours = [each.formatter for each in root.handlers if isinstance(each, _StandardOutput)]
    return cast("LambdaPowertoolsFormatter", ours[0]) if ours else _installed(root)


def _installed(root: logging.Logger) -> LambdaPowertoolsFormatter:
    formatter = LambdaPowertoolsFormatter(
        service=_service(), use_rfc3339=True, utc=True, serialize_stacktrace=False
    )
    handler = _StandardOutput()
    handler.setFormatter(formatter)
    root.handlers = [each for each in root.handlers if not type(each).__module__.startswith("awslambdaric")]
    root.addHandler(handler)
    set_level(os.environ.get("NETVITALS_LOG_LEVEL") or "INFO")
    for levels in (_LIBRARY_LEVELS, *(protocol.loggers for protocol in PROTOCOLS.values())):
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    return formatter
