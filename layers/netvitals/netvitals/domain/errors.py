"""Define errors that a person has to act on: each text names fault, cause and remedy, and no secret."""


class NetvitalsError(Exception):
    """Raised on purpose: the root of the errors that a person can act on."""


class ConfigurationError(NetvitalsError):
    """Raised where a configuration document, setting or profile can't be used."""


class InvalidRow(NetvitalsError):
    """Raised where an inventory row can't be used; the others can."""


class InvalidJob(NetvitalsError):
    """Raised for a queue message that is no job which this version understands."""


class AddressDenied(NetvitalsError):
    """Raised where the address guard does not let an address be dialled."""


class NameNotResolved(NetvitalsError):
    """Raised where a host name has no address now."""


class CredentialMissing(NetvitalsError):
    """Raised where a device names a credential, or a part of one, that the credential map does not hold."""


class Unavailable(NetvitalsError):
    """Raised where a service (database, queue, secret store, InfluxDB) can't be used now."""
