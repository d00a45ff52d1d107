"""Define the parts of SNMP messages: tags (X.690, RFC 2578, RFC 3416), PDUs, errors, special values."""

from typing import Final, NamedTuple

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30

IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
OPAQUE = 0x44
NSAP_ADDRESS = 0x45
COUNTER64 = 0x46
UINTEGER32 = 0x47
UNSIGNED = frozenset((COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32))

GET = 0xA0
GET_NEXT = 0xA1
RESPONSE = 0xA2
GET_BULK = 0xA5
REPORT = 0xA8

TOO_BIG = 1
NO_SUCH_NAME = 2
GEN_ERR = 5
NO_ACCESS = 6
AUTHORIZATION_ERROR = 16
ERROR_NAMES = dict(
    enumerate(
        (
            *("noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType"),
            *("wrongLength", "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue"),
            *("resourceUnavailable", "commitFailed", "undoFailed", "authorizationError", "notWritable"),
            "inconsistentName",
        )
    )
)
"""Names of a response's error-status (RFC 3416, 3)."""


class Oid(str):
    """Holds a value of type OBJECT IDENTIFIER, dotted, without a leading dot."""

    __slots__ = ()


class IPv4(str):
    """Holds a value of type IpAddress, dotted."""

    __slots__ = ()


class Absent:
    """Stands for a variable binding's exception in place of a value; callers of a session get none."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


NO_SUCH_OBJECT: Final = Absent("noSuchObject")
NO_SUCH_INSTANCE: Final = Absent("noSuchInstance")
END_OF_MIB_VIEW: Final = Absent("endOfMibView")
UNREADABLE: Final = Absent("unreadable")
"""A value of an unknown type, or with content that its type does not allow: costs this value only."""

type WireValue = int | float | bytes | Oid | IPv4 | None


class Pdu(NamedTuple):
    """A response or a report."""

    tag: int
    request_id: int
    error_status: int
    error_index: int
    names: list[bytes]
    """Content octets of the objects' names."""
    values: list[WireValue | Absent]
    """Values of the objects, in the order of their names."""
