"""Secrets' formats, and that none is ever seen: not in errors, not in what holds them."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.credentials_file import file_with
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.postgres.access import database_url
from netvitals.domain.errors import ConfigurationError, CredentialMissing, Unavailable
from netvitals.store.access import influx_access

CANARY = "canary-8f3a"


def test_influxdbs_secret_says_where_to_write() -> None:
    access = influx_access(
        {"url": "https://influx:8086", "token": CANARY, "org": "o", "rotated": 1}, "secret"
    )
    assert (access.url, access.org, access.bucket) == ("https://influx:8086", "o", "network_metrics")
    assert access.token.reveal() == CANARY


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ({"url": "postgres://u:p%40ss@h/d"}, "postgres://u:p%40ss@h/d"),
        (
            {
                "engine": "postgres",
                "host": "db",
                "port": "6543",
                "username": "u@x",
                "password": "p@ss/wörd %",
                "dbname": "n",
            },
            "postgresql://u%40x:p%40ss%2Fw%C3%B6rd%20%25@db:6543/n",
        ),
        ({"host": "fd00::1", "username": "u", "password": "p"}, "postgresql://u:p@[fd00::1]:5432/postgres"),
    ],
)
def test_the_databases_secret_is_a_url_or_as_rds_writes_it(value: dict[str, Any], url: str) -> None:
    assert database_url(value, "secret").reveal() == url


MALFORMED: dict[str, Callable[[Path], Any]] = {
    "credential: no object": lambda path: CredentialMap(file_with(path, {"x": CANARY})).get("x"),
    "credential: key in place of a protocol": lambda path: CredentialMap(
        file_with(path, {"x": {"snmp": {"version": "3", "user": "u", "auth": CANARY, "auth_key": CANARY}}})
    ).get("x"),
    "credential: too short": lambda path: CredentialMap(
        file_with(path, {"x": {"snmp": {"version": "3", "user": "u", "auth": "MD5", "auth_key": CANARY[:7]}}})
    ).get("x"),
    "credential: number": lambda path: CredentialMap(
        file_with(path, {"x": {"snmp": {"community": 4711}}})
    ).get("x"),
    "file: no JSON": lambda path: file_with(path, CANARY).read(),
    "file: cut short": lambda path: file_with(path, '{"x": "' + CANARY).read(),
    "file: a list": lambda path: file_with(path, [CANARY]).read(),
    "influxdb: no scheme": lambda _: influx_access({"url": CANARY, "token": CANARY, "org": "o"}, "secret"),
    "influxdb: control characters": lambda _: influx_access(
        {"url": "http://h", "token": f"{CANARY}\n{CANARY}", "org": "o"}, "secret"
    ),
    "influxdb: no organisation": lambda _: influx_access({"url": "http://h", "token": CANARY}, "secret"),
    "database: no URL": lambda _: database_url({"url": CANARY}, "secret"),
    "database: a half-encoded password": lambda _: database_url(
        {"url": f"postgresql://u:{CANARY}%zz@h/d"}, "secret"
    ),
    "database: a bracket in the password": lambda _: database_url(
        {"url": f"postgresql://u:{CANARY}[@h/d"}, "secret"
    ),
    "database: a space in the password": lambda _: database_url(
        {"url": f"postgresql://u:{CANARY} @h/d"}, "secret"
    ),
    "database: a wrong port": lambda _: database_url({"url": f"postgresql://u:p@h:{CANARY}/d"}, "secret"),
    "database: RDS without a user": lambda _: database_url({"host": "h", "password": CANARY}, "secret"),
    "database: RDS with a wrong port": lambda _: database_url(
        {"host": "h", "username": "u", "password": CANARY, "port": CANARY}, "secret"
    ),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_secret_is_an_error_that_shows_none_of_it(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((ConfigurationError, CredentialMissing, Unavailable)) as caught:
        MALFORMED[fault](tmp_path)
    logging.getLogger("netvitals").error("failed", exc_info=caught.value)
    shown = [str(caught.value), repr(caught.value), caplog.text, *traceback.format_exception(caught.value)]
    assert "canary" not in " ".join(shown)
    assert "4711" not in " ".join(shown)


def test_what_holds_a_secret_prints_without_it(tmp_path: Path) -> None:
    store = CredentialMap(
        file_with(tmp_path, {"x": {"snmp": {"community": CANARY}, "ssh": {"user": "u", "password": CANARY}}})
    )
    access = influx_access({"url": "http://h", "token": CANARY, "org": "o"}, "secret")
    url = database_url({"url": f"postgresql://u:{CANARY}@h/d"}, "secret")
    for holder in (store.get("x"), store, access, url, [access], {"url": url}):
        assert CANARY not in f"{holder} {holder!r}"
