"""Secrets Manager: a secret is read once, kept, read anew, and never printed."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from fixtures.clock import Clock
from netvitals.adapters.aws.secrets_manager import (
    MAX_AGE_SECONDS,
    PAUSE_SECONDS,
    SecretDocument,
    SecretsManager,
)
from netvitals.adapters.aws.silence import SILENCE_SECONDS
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.collectors.snmp.protocol import SNMP, SnmpCredential
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret

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


def test_a_document_prints_without_what_it_holds(client: Client) -> None:
    document = document_of(client)
    assert CANARY in str(document.read())
    assert CANARY not in f"{document} {document!r}"
