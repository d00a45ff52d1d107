"""Look credentials up in a JSON object."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from netvitals.domain.errors import CredentialMissing
from netvitals.domain.settings.credential import Credential, credential_from


class JsonObject(Protocol):
    """Reads a JSON object from wherever it is kept; `where` names that in errors."""

    where: str

    def read(self) -> Mapping[str, Any]:
        """Return the object: the same one while its content is the same."""
        ...

    def refresh(self) -> bool:
        """Read the object again, unless that was done lately; return whether it has changed."""
        ...


class CredentialMap:
    """Implements `ports.CredentialStore` on `{name: {"snmp": …, "ssh": …, "winrm": …}}`.

    Entries are decoded when they are looked up, so a malformed one concerns only its own devices.
    """

    def __init__(self, source: JsonObject) -> None:
        self._source = source
        self._read: Mapping[str, Any] = {}
        self._decoded: dict[str, Credential] = {}

    def get(self, name: str) -> Credential:
        if not name:
            return Credential()
        entries = self._source.read()
        if entries is not self._read:
            self._read, self._decoded = entries, {}
        if name not in self._decoded:
            self._decoded[name] = self._decode(name, entries)
        return self._decoded[name]

    def refresh(self) -> bool:
        return self._source.refresh()

    def _decode(self, name: str, entries: Mapping[str, Any]) -> Credential:
        if name not in entries:
            near = get_close_matches(name, list(entries), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CredentialMissing(f"credential {name!r} is not in {self._source.where}{hint}")
        try:
            return credential_from(name, entries[name])
        except CredentialMissing as error:
            raise CredentialMissing(f"{self._source.where}: {error}") from None
