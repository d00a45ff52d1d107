"""What a device repeats of a credential is in no text that is logged, stored or printed."""

import html
import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.ssh.protocol import SshCredential
from netvitals.collectors.winrm.protocol import WinrmCredential
from netvitals.domain.settings.redaction import REDACTED, SHORTEST, without_secrets
from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import first_line

PASSWORD = "CANARY 'pa55w0rd'+/<&>\\ü"


def of(password: str) -> SshCredential:
    return SshCredential(user="monitor", password=Secret(password))


FORMS: dict[str, Callable[[str], str]] = {
    "whole": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "as Python quotes it": lambda text: repr(text)[1:-1],
    "as JSON quotes it": lambda text: json.dumps(text)[1:-1],
    "as HTML": html.escape,
    "in a URL": quote,
    "in a URL, all of it": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in hexadecimal digits": lambda text: text.encode().hex(),
    "in base64": lambda text: b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "in base64 of UTF-16": lambda text: b64encode(text.encode("utf-16-le")).decode(),
    "as HTTP's Basic": lambda text: "Basic " + b64encode(f"monitor:{text}".encode()).decode(),
    "in the middle of base64": lambda text: b64encode(f"ab{text}cde".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", [PASSWORD, "S3cret-pässword", "correct horse battery staple"])
def test_a_password_is_taken_out_in_every_form_in_which_programs_write_it(form: str, password: str) -> None:
    said = FORMS[form](password)
    text = without_secrets(f"it says '{said}: not found', twice {said}", of(password))
    assert said not in text
    assert text.count(REDACTED) == 2
    assert text.startswith("it says '")
    assert text.endswith(REDACTED)


@pytest.mark.parametrize("before", range(70, 100))
def test_the_beginning_of_a_password_where_a_text_was_cut_is_taken_out(before: int) -> None:
    password = "CANARY-pa55w0rd-of-some-length"
    text = without_secrets(first_line(f"{'x' * before}{password} and more", 100), of(password))
    assert password[:SHORTEST] not in text


def test_every_secret_of_a_credential_is_taken_out_and_nothing_else() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v\nbmUAAAAEbm9uZQAAAAAAAAABAAAA\n"
    ssh = SshCredential(
        user="monitor", password=Secret("first-one"), private_key=Secret(key), passphrase=Secret("second")
    )
    said = "monitor first-one second b3BlbnNzaC1rZXktdjEAAAAABG5v third"
    assert without_secrets(said, ssh) == f"monitor {REDACTED} {REDACTED} {REDACTED} third"
    snmp = SnmpCredential(
        version="3",
        user="u1",
        auth="SHA256",
        auth_key=Secret("auth-key-1"),
        priv="AES128",
        priv_key=Secret("priv-key"),
    )
    assert without_secrets("u1 auth-key-1 priv-key", snmp) == f"u1 {REDACTED} {REDACTED}"
    assert without_secrets("p4ss!", WinrmCredential(user="u", password=Secret("p4ss!"))) == REDACTED


def test_a_short_secret_is_taken_out_where_it_is_a_word_and_spoils_no_other_text() -> None:
    community = SnmpCredential(version="2c", community=Secret("ab"))
    assert without_secrets("a label about 'ab'", community) == f"a label about '{REDACTED}'"


def test_a_text_without_a_secret_stays_as_it_is() -> None:
    for text in ("", "the server refuses the password of user 'monitor'", "cut…", "…"):
        assert without_secrets(text, of(PASSWORD)) == text


@given(st.text(min_size=SHORTEST, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_no_password_stands_in_any_text(password: str, before: str, after: str) -> None:
    if password.strip() != password or len(password.splitlines()) != 1:
        return
    text = without_secrets(before + password + after, of(password))
    assert not [piece for piece in text.split(REDACTED) if password in piece]


def test_a_hostile_text_takes_no_time() -> None:
    hostile = (b64encode(f"x:{PASSWORD}".encode()).decode() + PASSWORD[:6] + "…") * 40
    without_secrets("", of(PASSWORD))
    before = time.process_time()
    for text in (hostile, "A" * 4000, "…" * 500, PASSWORD * 50):
        without_secrets(text, of(PASSWORD))
    assert time.process_time() - before < 0.5


def test_a_secret_whose_base64_is_part_of_what_takes_its_place_is_taken_out_once() -> None:
    community = SnmpCredential(version="2c", community=Secret("HG+"))
    assert without_secrets("login failed: SEcr", community)


def test_a_text_of_ellipses_is_no_depth_of_calls() -> None:
    assert without_secrets("…" * 5000, of(PASSWORD)) == "…" * 5000
