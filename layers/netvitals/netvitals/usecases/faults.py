"""Log a fault of our own that concerns one device or message, while the others go on."""

from logging import Logger

from netvitals.domain.errors import NetvitalsError


def log_fault(logger: Logger, what: str, error: BaseException) -> None:
    """Log an error that ended `what`, such as `polling device sw-1`.

    What netvitals raises on purpose says all in its text. Anything else is a bug: it is named by its kind,
    and its traceback, which ends in its text, is logged with it.
    """
    if isinstance(error, NetvitalsError):
        logger.error("%s: %s", what, error)
    else:
        logger.error("%s: %s", what, type(error).__name__, exc_info=error)
