"""Keep a stack's pause as an SSM parameter outside of CloudFormation, so that no deployment undoes it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netvitals.adapters.aws.faults import AWS_FAULTS, code_of
from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

RETRY_SECONDS = 300.0
"""Seconds from a failed read to the next: without a route to Systems Manager each costs seconds."""
_ABSENT = "ParameterNotFound"
_logger = logging.getLogger(__name__)


def parameter_of(stack: str) -> str:
    """Return the name of the parameter; template.yaml gives it to fan-out as NETVITALS_PAUSE_PARAMETER."""
    return f"/netvitals/{stack}/paused"


class PauseParameter:
    """Reads and writes the parameter that pauses a stack while it exists; its value: since when, and why."""

    def __init__(self, client: "SSMClient", name: str) -> None:
        self._client = client
        self._name = name

    def read(self) -> str | None:
        """Return since when polling is paused, and why; None where it is not.

        Raises:
            Unavailable: Systems Manager does not answer; names the cause.
        """
        try:
            return self._client.get_parameter(Name=self._name)["Parameter"]["Value"]
        except AWS_FAULTS as error:
            if code_of(error) == _ABSENT:
                return None
            raise Unavailable(f"SSM parameter {self._name} can't be read ({code_of(error)})") from None

    def pause(self, reason: str, now: float) -> None:
        """Write the parameter.

        Raises:
            Unavailable: it can't be written.
        """
        since = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        value = f"since {since}{f': {reason}' if reason else ''}"
        try:
            self._client.put_parameter(Name=self._name, Value=value, Type="String", Overwrite=True)
        except AWS_FAULTS as error:
            raise Unavailable(f"SSM parameter {self._name} can't be written: {error}") from None

    def resume(self) -> bool:
        """Delete the parameter; return whether it was there.

        Raises:
            Unavailable: it can't be deleted.
        """
        was_there = self.read() is not None  # boto3 retries: the first try may have succeeded
        try:
            self._client.delete_parameter(Name=self._name)
        except AWS_FAULTS as error:
            if code_of(error) != _ABSENT:
                raise Unavailable(f"SSM parameter {self._name} can't be deleted: {error}") from None
        return was_there


class PauseSwitch:
    """Tells at each tick whether polling is paused; if unreadable, as last known, and at first not paused."""

    def __init__(self, parameter: PauseParameter, clock: Callable[[], float]) -> None:
        """Take a clock of seconds with any origin."""
        self._parameter = parameter
        self._clock = clock
        self._last: str | None = None
        self._not_before = 0.0

    def paused(self) -> bool:
        """Return whether polling is paused now; log a pause, and why it could not be read."""
        if self._clock() >= self._not_before:
            try:
                self._last = self._parameter.read()
            except Unavailable as error:
                self._not_before = self._clock() + RETRY_SECONDS
                state = "stays paused" if self._last else "goes on"
                _logger.warning("whether polling is paused is not known: %s; polling %s", error, state)
        if self._last:
            _logger.warning("polling is paused %s; `netvitals resume --stack NAME` lets it go on", self._last)
        return self._last is not None
