"""Read a credential map from a file: for the command line and local runs."""

import logging
import stat
from pathlib import Path
from typing import Any

import msgspec

from netvitals.domain.errors import Unavailable

_MAX_BYTES = 16 * 1024 * 1024
_logger = logging.getLogger(__name__)


class JsonFile:
    """Reads the JSON object that a file holds."""

    def __init__(self, path: str | Path) -> None:
        self.where = f"file {path}"
        self._path = Path(path)
        self._value: dict[str, Any] | None = None
        self._version: tuple[int, int] | None = None
        self._is_warned = False

    def read(self) -> dict[str, Any]:
        """Return the file's object, read once; log a warning where others on this machine can read the file.

        Raises:
            Unavailable: it can't be read, or holds no JSON object; names the file and the cause.
        """
        if self._value is None:
            self._value = self._load()
        return self._value

    def refresh(self) -> bool:
        """Read the file again if it was written since; return whether it holds something else."""
        if self._value is not None and self._version == self._written():
            return False
        before, self._value = self._value, self._load()
        return self._value != before

    def _written(self) -> tuple[int, int] | None:
        """Return when the file was written, in nanoseconds, and its size; None where it can't be seen."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def _load(self) -> dict[str, Any]:
        """Read the file; only what could be used counts as read, so that the rest is tried again."""
        written = self._written()  # before it is read, so that a later write is noticed
        value = self._decoded()
        self._version = written
        return value

    def _decoded(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                mode = stat.S_IMODE(self._path.stat().st_mode)
                text = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise Unavailable(f"{self.where} can't be read: {error.strerror}") from None
        if mode & (stat.S_IRGRP | stat.S_IROTH) and not self._is_warned:
            self._is_warned = True
            _logger.warning("%s holds credentials and others can read it: chmod 600 it", self.where)
        if len(text) > _MAX_BYTES:
            raise Unavailable(f"{self.where} is larger than {_MAX_BYTES} bytes")
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable(f"{self.where} holds no JSON object: {error}") from None
