"""What can be wrong with a host that one logs in to: each text says what, why, and the remedy."""

from netvitals.domain.polling.observation import Reason


class HostFault(Exception):
    """The poll of this device ends, for this reason."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def shown(data: bytes | str, longest: int = 100) -> str:
    """The first line of what a device says, fit for an error's text."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    line = next((line.strip() for line in text[:4000].splitlines() if line.strip()), "")
    printable = "".join(character if character.isprintable() else "?" for character in line)
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"
