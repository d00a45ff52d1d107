"""Remember for a few seconds that a service did not answer, so that other calls do not wait for it."""

from collections.abc import Callable

from botocore.exceptions import ClientError

SILENCE_SECONDS = 5


class Silence:
    """Lasts for `SILENCE_SECONDS` after each fault that was no answer of the service."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a monotonic clock, such as `time.monotonic`."""
        self._clock = clock
        self._until = float("-inf")

    def lasts(self) -> bool:
        return self._clock() < self._until

    def note(self, fault: BaseException | None) -> None:
        """Note the error of a call; a refusal is an answer, and begins no silence."""
        if not isinstance(fault, ClientError):
            self._until = self._clock() + SILENCE_SECONDS
