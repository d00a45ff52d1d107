"""Secrets: read, kept, read anew; and never seen."""

import json
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from netvitals.adapters.aws.secrets_manager import (
    MAX_AGE_SECONDS,
    PAUSE_SECONDS,
    SecretDocument,
    SecretsManager,
)
from netvitals.adapters.aws.silence import SILENCE_SECONDS
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres.access import database_url
from netvitals.collectors.snmp.protocol import SNMP, SnmpCredential
from netvitals.domain.errors import ConfigurationError, CredentialMissing, Unavailable
from netvitals.domain.settings.secret import Secret
from netvitals.store.access import influx_access

CANARY = "canary-8f3a"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:lost-AbCdEf"


class Client:
    """Secrets Manager's client, as far as Powertools uses it, with calls counted and faults to order."""

    def __init__(self, text: str = "{}") -> None:
        self.text, self.calls, self.fault = text, 0, ""

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803, as AWS calls it
        self.calls += 1
        if self.fault:
            raise ClientError(
                {"Error": {"Code": self.fault, "Message": f"{SecretId} {CANARY}"}}, "GetSecretValue"
            )
        return {"SecretString": self.text}


@pytest.fixture
def client() -> Client:
    return Client(json.dumps({"lab": {"snmp": {"community": CANARY}}}))


@pytest.fixture
def secretsmanager() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def document_of(client: Any, clock: Callable[[], float] = time.monotonic, arn: str = ARN) -> SecretDocument:
    return SecretsManager(client, client, clock=clock).document(arn)


def test_a_secret_is_read_once_for_many_credentials(client: Client) -> None:
    store = CredentialMap(document_of(client))
    first = store.get("lab")
    assert SNMP.part_of(first) == SnmpCredential(community=Secret(CANARY))
    assert store.get("lab") is first
    assert client.calls == 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_rotated_secret_is_read_when_the_old_one_has_grown_old(secretsmanager: Any) -> None:
    clock = Clock()
    arn = secretsmanager.create_secret(Name="x", SecretString='{"token": "old"}')["ARN"]
    document = document_of(secretsmanager, clock, arn)
    assert document.read() == {"token": "old"}
    secretsmanager.put_secret_value(SecretId=arn, SecretString='{"token": "new"}')
    document.renew()
    assert document.read() == {"token": "old"}
    clock.now += MAX_AGE_SECONDS + 1
    assert document.read() == {"token": "old"}  # nothing is waited for where devices are
    document.renew()
    assert document.read() == {"token": "new"}


def test_a_refused_credential_has_the_secret_read_anew_but_not_again_and_again(client: Client) -> None:
    clock = Clock()
    document = document_of(client, clock)
    store = CredentialMap(document)
    store.get("lab")
    client.text = json.dumps({"lab": {"snmp": {"community": "rotated"}}})
    assert store.refresh()
    assert SNMP.part_of(store.get("lab")) == SnmpCredential(community=Secret("rotated"))
    assert not store.refresh()
    assert client.calls == 2
    clock.now += PAUSE_SECONDS
    assert not store.refresh()  # it was read and is the same
    assert client.calls == 3


def test_what_was_read_stays_in_use_while_secrets_manager_fails(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    document = document_of(client, clock)
    document.read()
    client.fault = "InternalServiceError"
    clock.now += MAX_AGE_SECONDS + 1
    for _ in range(3):
        document.renew()
        assert CANARY in str(document.read())
    assert client.calls == 2  # a service that struggles is not asked by every invocation
    client.fault, client.text = "", "no JSON any more"
    clock.now += PAUSE_SECONDS
    document.renew()
    assert CANARY in str(document.read())
    assert caplog.text.count("what it held before stays in use") == 2
    assert CANARY not in caplog.text


def test_a_renewal_has_a_client_of_its_own_and_the_first_reading_another(client: Client) -> None:
    clock, renewals = Clock(), Client('{"new": 1}')
    manager = SecretsManager(client, renewals, clock=clock)  # type: ignore[arg-type]  # as much of one as is used
    document = manager.document(ARN)
    assert CANARY in str(document.read())
    clock.now += MAX_AGE_SECONDS + 1
    manager.renew(5)
    assert document.read() == {"new": 1}
    assert (client.calls, renewals.calls) == (1, 1)


def test_no_renewal_begins_where_no_time_is_left(client: Client) -> None:
    clock = Clock()
    manager = SecretsManager(client, client, clock=clock)  # type: ignore[arg-type]  # as above
    manager.document(ARN).read()
    clock.now += MAX_AGE_SECONDS + 1
    manager.renew(-0.1)
    assert client.calls == 1


def test_a_renewal_that_hangs_is_waited_for_so_long_and_not_begun_twice(client: Client) -> None:
    class Hanging(Client):
        answer = threading.Event()

        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803, as AWS calls it
            self.calls += 1
            self.answer.wait(20)
            return super().get_secret_value(SecretId)

    clock, renewals = Clock(), Hanging()
    manager = SecretsManager(client, renewals, clock=clock)  # type: ignore[arg-type]  # as above
    document = manager.document(ARN)
    document.read()
    for _ in range(3):
        clock.now += MAX_AGE_SECONDS + 1
        began = time.monotonic()
        manager.renew(0.1)
        assert time.monotonic() - began < 5
        assert CANARY in str(document.read())
    assert renewals.calls == 1
    renewals.answer.set()


class Silent(Client):
    """What answers nothing in the end."""

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803, as AWS calls it
        self.calls += 1
        raise ReadTimeoutError(endpoint_url=SecretId)


def test_where_one_secret_brings_no_answer_the_others_do_not_wait_for_theirs() -> None:
    clock, client = Clock(), Silent()
    manager = SecretsManager(client, client, clock=clock)  # type: ignore[arg-type]  # as above
    documents = [manager.document(ARN + str(number)) for number in range(3)]
    for document in documents:
        with pytest.raises(Unavailable, match="can't be read"):
            document.read()
    assert client.calls == 1
    clock.now += SILENCE_SECONDS
    with pytest.raises(Unavailable, match="ReadTimeoutError"):
        documents[1].read()
    assert client.calls == 2


@pytest.mark.parametrize("fault", ["AccessDeniedException", ""], ids=["refused", "malformed"])
def test_a_secret_that_is_refused_is_asked_for_once_by_many_devices_and_again_later(fault: str) -> None:
    clock, client = Clock(), Client("no JSON")
    client.fault = fault
    document = document_of(client, clock)
    said = set()
    for _ in range(300):
        with pytest.raises(Unavailable) as caught:
            document.read()
        said.add(str(caught.value))
    assert client.calls == 1
    assert len(said) == 1
    client.fault, client.text = "", "{}"
    clock.now += SILENCE_SECONDS
    assert document.read() == {}


def test_a_secret_that_was_never_read_can_be_asked_for_anew_without_an_error(client: Client) -> None:
    client.fault = "InternalServiceError"
    assert not document_of(client).refresh()


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        ("AccessDeniedException", "give the function's role secretsmanager:GetSecretValue on this ARN"),
        ("ResourceNotFoundException", "no such secret in this account and region; check the ARN"),
        ("DecryptionFailure", "give the function's role kms:Decrypt on the key that encrypts it"),
        ("Throttling", "check the way to Secrets Manager: NAT or an interface endpoint in a VPC"),
    ],
)
def test_a_secret_that_cannot_be_read_is_named_with_the_remedy(
    client: Client, fault: str, remedy: str
) -> None:
    client.fault = fault
    with pytest.raises(Unavailable) as caught:
        document_of(client).read()
    assert str(caught.value) == f"secret {ARN} can't be read ({fault}): {remedy}"


def test_one_malformed_credential_affects_only_who_asks_for_it(tmp_path: Path) -> None:
    store = CredentialMap(
        file_with(tmp_path, {"good": {"snmp": {"community": "x"}}, "bad": {"snmp": {"communty": CANARY}}})
    )
    assert SNMP.part_of(store.get("good"))
    with pytest.raises(
        CredentialMissing,
        match=r"credential 'bad' is malformed: snmp: .*'communty'.* did you mean 'community'",
    ):
        store.get("bad")


def test_a_missing_credential_is_told_the_one_that_was_meant(tmp_path: Path) -> None:
    store = CredentialMap(file_with(tmp_path, {"core-switches": {}}))
    with pytest.raises(
        CredentialMissing, match=r"'core-switch' is not in file .*; did you mean 'core-switches'"
    ):
        store.get("core-switch")


def test_no_name_is_an_empty_credential_and_reads_nothing(tmp_path: Path) -> None:
    assert SNMP.part_of(CredentialMap(JsonFile(tmp_path / "nowhere")).get("")) is None


def file_with(folder: Path, value: Any, mode: int = 0o600) -> JsonFile:
    path = folder / "credentials.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(mode)
    return JsonFile(path)


def test_a_credentials_file_that_others_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file_with(tmp_path, {}, mode=0o644).read()
    assert "credentials.json holds credentials and others can read it: chmod 600 it" in caplog.text
    caplog.clear()
    file_with(tmp_path, {}).read()
    assert not caplog.text


def test_a_credentials_file_is_read_anew_when_something_was_refused(tmp_path: Path) -> None:
    file = file_with(tmp_path, {"a": {}})
    assert file.read() is file.read()
    file_with(tmp_path, {"b": {}})
    assert file.refresh()
    assert file.read() == {"b": {}}


def test_a_credentials_file_that_was_not_written_since_is_neither_read_nor_warned_of_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, path = file_with(tmp_path, {"a": {}}, mode=0o644), tmp_path / "credentials.json"
    file.read()
    written = path.stat()
    path.write_text('{"b": {}}')
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert not file.refresh(), "by time and size it is the file that was read"
    path.write_text('{"longer": {}}')
    assert file.refresh()
    assert caplog.text.count("chmod 600") == 1


def test_a_credentials_file_that_could_not_be_used_is_read_again_as_it_is(tmp_path: Path) -> None:
    file, path = file_with(tmp_path, {"a": {}}), tmp_path / "credentials.json"
    file.read()
    path.write_text("[1, 2, 3]")
    for _ in range(2):
        with pytest.raises(Unavailable, match="holds no JSON object"):
            file.refresh()
    assert file.read() == {"a": {}}


def test_a_credentials_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere can't be read: No such file or directory"):
        JsonFile(tmp_path / "nowhere").read()


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


def test_what_holds_a_secret_prints_without_it(tmp_path: Path, client: Client) -> None:
    store = CredentialMap(
        file_with(tmp_path, {"x": {"snmp": {"community": CANARY}, "ssh": {"user": "u", "password": CANARY}}})
    )
    document = document_of(client)
    document.read()
    access = influx_access({"url": "http://h", "token": CANARY, "org": "o"}, "secret")
    url = database_url({"url": f"postgresql://u:{CANARY}@h/d"}, "secret")
    for holder in (store.get("x"), store, document, access, url, [access], {"url": url}):
        assert CANARY not in f"{holder} {holder!r}"
