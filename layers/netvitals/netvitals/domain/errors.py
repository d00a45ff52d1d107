"""Define errors that a person has to act on: each text names fault, cause and remedy, and no secret."""


class NetvitalsError(Exception):
    """The root of the errors that netvitals raises on purpose."""


class ConfigurationError(NetvitalsError):
    """A configuration document, setting or profile can't be used."""


class InvalidRow(NetvitalsError):
    """An inventory row can't be used; the others can."""


class InvalidJob(NetvitalsError):
    """A queue message is no job that this version understands."""


class AddressDenied(NetvitalsError):
    """The address guard does not let this address be dialled."""


class NameNotResolved(NetvitalsError):
    """A host name has no address now."""


class CredentialMissing(NetvitalsError):
    """A device names a credential, or a part of one, that the credential map does not hold."""


class Unavailable(NetvitalsError):
    """A service that netvitals stands on (database, queue, secret store, InfluxDB) can't be used now."""
