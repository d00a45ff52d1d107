"""The file of credentials: one of them malformed, missing, or the file changed or unreadable."""

import os
from pathlib import Path

import pytest

from fixtures.credentials_file import file_with
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.errors import CredentialMissing, Unavailable

CANARY = "canary-8f3a"


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
