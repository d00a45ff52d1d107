"""Report files that a command can't write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netvitals.domain.errors import ConfigurationError


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Raise ConfigurationError, with the cause, where what is done inside can't write below `path`."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from None
