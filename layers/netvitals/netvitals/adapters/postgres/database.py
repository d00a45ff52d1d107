"""Keep one PostgreSQL connection for the life of the process; transactions are repeated if it was dropped."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from netvitals.adapters.postgres.connection import LimitedConnection
from netvitals.domain.errors import ConfigurationError, Unavailable
from netvitals.domain.settings.secret import Secret

type Cursor = psycopg.Cursor[TupleRow]

STATEMENT_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 5
IDLE_TIMEOUT_SECONDS = 60
"""Idle time after which the server ends a transaction: its process was frozen, or is gone. Ours are idle
while status changes are published."""
UNREAD_TIMEOUT_SECONDS = 30
"""Time after which the server ends a connection whose process reads nothing."""
PATIENCE_SECONDS = 1.0
"""Seconds after a statement's timeout that the server has to report it."""
# The URL may override these. A NAT gateway drops a connection silently after 350 s idle: keepalives and the
# timeout of unacknowledged data detect that in seconds instead of in a quarter of an hour.
_CONNECTION_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "netvitals",
    "client_encoding": "utf8",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
_REPEATED = ("08", "25006", "40001", "40P01", "57P")
"""SQLSTATE prefixes: connection lost, read-only after a fail-over, serialisation, deadlock, shut-down."""
_REMEDIES = {
    "22001": "widen the column, or shorten the value in the file",
    "25P03": "the server ended a transaction that was idle for too long: the function was frozen, or slow",
    "25006": "it is read-only (a replica, or failing over): the URL must name the writer",
    "28": "check the user and password that the database secret or DATABASE_URL holds",
    "3D000": "check the name of the database in the URL",
    "42501": "grant it to the URL's user",
    "42703": "bring the tables to this version with: netvitals inventory init",
    "42P01": "create the tables with: netvitals inventory init",
    "53100": "free space on the server",
    "53300": "connect through a transaction pooler or RDS Proxy, or lower the collector's concurrency",
    "55P03": "another session holds a lock for long: look at pg_stat_activity",
    "57014": "the statement took too long: look for locks and missing indexes in pg_stat_activity",
}
_REFUSALS = {
    "authentication failed": _REMEDIES["28"],
    "no pg_hba.conf entry": "write sslmode=require into the URL, or let the user in by pg_hba.conf",
    "too many": _REMEDIES["53300"],
    "connection slots": _REMEDIES["53300"],
    "no more connections": _REMEDIES["53300"],
    "the database system is": "it starts or stops: wait until it is there again",
    "permission denied": _REMEDIES["42501"],
    'database "': _REMEDIES["3D000"],
    "no such database": _REMEDIES["3D000"],
    "": "check the user, the password and the name of the database in the URL",
}
"""Remedies by texts of the server's, or of a pooler's, while connecting: libpq gives no SQLSTATE then."""
_FROM_SERVER = "FATAL:"
"""Mark of the server's own texts while connecting; libpq's have none."""
CANNOT_CONNECT = (
    "check the URL's host, port and sslmode, that the server runs, and that its firewall or security group "
    "lets this function in"
)
_URL_EXAMPLE = "postgresql://user:password@host:5432/database?sslmode=require"


class Database:
    """Runs work in transactions on one connection, opened at first use and again after it was dropped.

    No statement stays prepared and every setting is local to its transaction, so that a transaction pooler
    (pgbouncer, Supabase, RDS Proxy) may stand between. Threads take turns.
    """

    def __init__(self, url: Callable[[], Secret], refresh: Callable[[], bool] = lambda: False) -> None:
        """Take `url`, called for each connection, and `refresh`, called where one failed, for a new URL."""
        self._url = url
        self._refresh = refresh
        self._connection: LimitedConnection | None = None
        self._lock = threading.Lock()

    def run[Result](
        self,
        work: Callable[[Cursor], Result],
        *,
        read_only: bool = False,
        timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS,
    ) -> Result:
        """Return what `work` returns, run in one transaction, and once more where the connection was dropped.

        `work` must be harmless to repeat: a connection may be lost while the commit is under way. It uses
        the cursor it is given, not this object: there is only one transaction at a time.

        Raises:
            Unavailable: the database can't be used; the text names it, the cause and the remedy.
            ConfigurationError: the URL is not valid.
        """
        try:
            with self._transaction(read_only=read_only, timeout_seconds=timeout_seconds) as cursor:
                return work(cursor)
        except psycopg.Error as error:
            if not self._dropped() and not (error.sqlstate or "").startswith(_REPEATED):
                raise self._unavailable(error) from None
        self.close()
        with self.transaction(read_only=read_only, timeout_seconds=timeout_seconds) as cursor:
            return work(cursor)

    @contextmanager
    def transaction(
        self, *, read_only: bool = False, timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS
    ) -> Iterator[Cursor]:
        """Open a transaction for work that can't be repeated: it commits at the end, or changes nothing.

        Raises:
            Unavailable: the database can't be used; the text names it, the cause and the remedy.
            ConfigurationError: the URL is not valid.
        """
        try:
            with self._transaction(read_only=read_only, timeout_seconds=timeout_seconds) as cursor:
                yield cursor
        except psycopg.Error as error:
            raise self._unavailable(error) from None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, *, read_only: bool, timeout_seconds: int) -> Iterator[Cursor]:
        with self._lock:
            connection = self._connected()
            connection.patience_seconds = timeout_seconds + PATIENCE_SECONDS
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_begin(read_only=read_only, timeout_seconds=timeout_seconds))
                    yield cursor
                connection.commit()
            except BaseException:
                _abandon(connection)
                raise

    def _dropped(self) -> bool:
        """Return whether an open connection was lost; one that was never made is not tried again."""
        return self._connection is not None and self._connection.closed

    def _connected(self) -> LimitedConnection:
        if self._connection is None or self._connection.closed:
            self._connection = None
            url = self._url()
            try:
                self._connection = _connect(url)
            except psycopg.OperationalError:
                self._refresh()
                if self._url() == url:
                    raise
                self._connection = _connect(self._url())
        return self._connection

    def _unavailable(self, error: psycopg.Error) -> Unavailable:
        parameters = connection_parameters(self._url())
        where = (
            f"{parameters.get('host', 'local')}:{parameters.get('port', 5432)}/{parameters.get('dbname', '')}"
        )
        cause = (error.diag.message_primary or str(error) or type(error).__name__).splitlines()[0][:300]
        password = str(parameters.get("password") or "")
        if password:
            cause = cause.replace(password, "…")
        remedy = _remedy(error, connected=self._connection is not None)
        return Unavailable(f"database {where}: {cause}" + (f"; {remedy}" if remedy else ""))


def _remedy(error: psycopg.Error, *, connected: bool) -> str:
    """Return what to do about an error by its SQLSTATE, or while connecting by its text; "" if unknown."""
    if error.sqlstate is not None or connected:
        states = (text for state, text in _REMEDIES.items() if (error.sqlstate or "").startswith(state))
        return next(states, "" if connected else CANNOT_CONNECT)
    _, marked, said = str(error).partition(_FROM_SERVER)
    return next(text for part, text in _REFUSALS.items() if part in said) if marked else CANNOT_CONNECT


def storable(text: str) -> str:
    """Return a text as PostgreSQL's type text can hold it: NUL is removed, a lone surrogate replaced."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _abandon(connection: psycopg.Connection[TupleRow]) -> None:
    """Roll back a failed transaction; where a statement is still running, close the connection."""
    if connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
        with suppress(psycopg.Error):
            connection.rollback()
    elif connection.info.transaction_status is not TransactionStatus.IDLE:
        connection.close()


def _begin(*, read_only: bool, timeout_seconds: int) -> bytes:
    """Return the statements that begin a transaction, in one round trip, with timeouts of its own.

    The settings are local to the transaction, because a transaction pooler gives the session to others after
    it. Without timeouts a session whose process is gone holds its locks until the server's keepalives fail,
    two hours later on Linux. The owner's settings for dates and zones must not change casts to text.
    """
    return (
        f"BEGIN {'READ ONLY' if read_only else ''};"
        f"SET LOCAL statement_timeout = '{timeout_seconds}s';"
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s';"
        f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_SECONDS}s';"
        f"SET LOCAL tcp_user_timeout = '{UNREAD_TIMEOUT_SECONDS}s';"
        "SET LOCAL datestyle = 'ISO'; SET LOCAL timezone = 'UTC'"
    ).encode()


def _connect(url: Secret) -> LimitedConnection:
    parameters = _CONNECTION_DEFAULTS | connection_parameters(url)
    return LimitedConnection.connect(autocommit=True, prepare_threshold=None, **parameters)


def connection_parameters(url: Secret) -> dict[str, Any]:
    """Return the parts of a URL.

    Raises:
        ConfigurationError: it can't be read, or is split in the middle of a password.
    """
    try:
        parameters = conninfo_to_dict(url.reveal())
    except psycopg.Error:  # psycopg's text quotes the URL
        parameters = {"host": "@"}
    if "@" in str(parameters.get("host", "")) or not url.reveal():
        raise ConfigurationError(
            f"the database URL can't be read: {_URL_EXAMPLE}, with special characters in the "
            "password percent-encoded and only libpq's own parameters (not pgbouncer=true)"
        )
    return parameters
