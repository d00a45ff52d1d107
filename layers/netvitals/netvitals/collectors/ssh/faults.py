"""Define the faults of a host that is polled over SSH; each text names fault, cause and remedy."""

import re

from netvitals.collectors.host_faults import HostFault, LoginRefused

EXPIRED = (
    "the account's password has expired: set a new one on the host and in the credential, "
    "or let it not expire (`chage -M -1`)"
)
_TELLS_OF_EXPIRY = re.compile(r"expire|new password|change your password|password change", re.IGNORECASE)


def tells_of_expiry(said: str) -> bool:
    """Return whether a server's text says that the password has to be changed first."""
    return _TELLS_OF_EXPIRY.search(said) is not None


class SshFault(HostFault):
    """Raised to end the poll of a device over SSH, with the reason."""


class Refused(SshFault, LoginRefused):
    """Raised where the server has checked the credential and refuses it."""
