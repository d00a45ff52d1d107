"""Write a command's log to standard error: warnings and errors, a line each."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click


class StderrLog(logging.Handler):
    """Writes each record as `netvitals: …`."""

    tracebacks = True
    """True where a fault of netvitals itself is printed with its traceback, which may quote a secret."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; see `logging.Handler`."""
        if record.exc_info and not self.tracebacks:
            text = f"a fault of netvitals: {record.getMessage()} (--verbose shows where)"
        else:
            text = self.format(record)
        click.echo(f"netvitals: {text}", err=True)


@contextmanager
def log_on_stderr() -> Iterator[StderrLog]:
    """Write log records of level WARNING and above to standard error while the command runs."""
    log, root = StderrLog(logging.WARNING), logging.getLogger()
    root.addHandler(log)
    try:
        yield log
    finally:
        root.removeHandler(log)


def show_tracebacks(*, wanted: bool) -> None:
    """Have the running command's log print tracebacks of faults of netvitals itself, or not."""
    log = click.get_current_context().find_object(StderrLog)
    if log is not None:
        log.tracebacks = wanted
