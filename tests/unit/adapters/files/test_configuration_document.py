"""The document as it is kept: YAML or JSON, in a file or an SSM parameter."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from netvitals.adapters.aws.parameter_store import document_in_parameter
from netvitals.adapters.files.configuration_document import (
    MAX_BYTES,
    decode_document,
    document_in_file,
)
from netvitals.domain.errors import ConfigurationError, Unavailable


@pytest.mark.parametrize(
    "text",
    [
        "log_level: INFO\ncollector: {store: everything}",
        '{"log_level": "INFO", "collector": {"store": "everything"}}',
    ],
)
def test_yaml_and_json_say_the_same(text: str) -> None:
    assert decode_document(text, "config") == {"log_level": "INFO", "collector": {"store": "everything"}}


def test_an_empty_document_is_none() -> None:
    assert decode_document("# nothing yet\n", "config") is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1\nb: 2\na: canary", "config: line 3: the key 'a' is given twice in one section"),
        ('{"a": 1, "a": "canary"}', "config: the key 'a' is given twice in one section"),
        ("a: &x canary\nb: *x", "config: line 2: aliases (*name) are not taken: write the value out"),
        ("a: !!python/object/apply:os.system [canary]", "config: line 1: could not determine a constructor"),
        ("a: 'canary", "config: line 1: found unexpected end of stream"),
        ("token: canary: canary", "config: line 1: mapping values are not allowed here"),
        ("a: canary\x00", "config: holds characters that YAML does not take"),
        ('{"token": "canary"', "config: Expecting ',' delimiter: line 1 column 19"),
        ("? [canary]\n: 1", "config: line 1: found unhashable key"),
        ("[" * 100_000, "config: is nested too deeply"),
        ('{"a":' * 40_000, "config: is nested too deeply"),
        ("#" * (MAX_BYTES + 1), f"config: has more than {MAX_BYTES} characters"),
    ],
)
def test_a_document_that_cannot_be_read_is_named_with_the_place_and_without_its_content(
    text: str, error: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        decode_document(text, "config")
    assert str(caught.value).startswith(error)
    assert "canary" not in str(caught.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("log_level: DEBUG\n")
    assert document_in_file(str(path)) == {"log_level": "DEBUG"}


def test_a_file_that_is_not_there_is_named_with_the_cause(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: can't be read: No such file or directory"):
        document_in_file(str(tmp_path / "nowhere.yaml"))


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no UTF-8 text"):
        document_in_file(str(tmp_path / "x"))


@mock_aws
def test_a_parameter_is_read_and_decrypted() -> None:
    client = boto3.client("ssm", region_name="eu-west-1")
    client.put_parameter(Name="/netvitals/config", Value="log_level: DEBUG", Type="SecureString")
    assert document_in_parameter("/netvitals/config", client) == {"log_level": "DEBUG"}


@mock_aws
def test_a_parameter_that_is_not_there_is_named_with_the_remedy() -> None:
    client = boto3.client("ssm", region_name="eu-west-1")
    with pytest.raises(Unavailable) as caught:
        document_in_parameter("/netvitals/config", client)
    assert str(caught.value) == (
        "SSM parameter /netvitals/config can't be read (ParameterNotFound): "
        "no such parameter in this account and region; check the name"
    )
