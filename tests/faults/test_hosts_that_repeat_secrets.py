"""A host that repeats what it was given to log in with: nobody else gets to see it."""

import html
import logging
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import paramiko
import pytest

from fixtures.whole_poll import job_for, poll_alone
from fixtures.windows import windows
from local.devices.ssh_server import USER, SshServer, printing
from local.devices.winrm_host import Behaviour, WinrmHost
from local.devices.winrm_machine import Fault
from local.devices.winrm_soap import Service
from netvitals.cli.poll.output import json_line
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.store.line_protocol import encode

PASSWORD = "CANARY-pa55'w0rd"
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SAID: dict[str, Callable[[], str]] = {
    "as it is": lambda: PASSWORD,
    "as Authorization": lambda: BASIC,
    "in base64": lambda: b64encode(PASSWORD.encode()).decode(),
    "in a URL": lambda: quote(PASSWORD, safe=""),
    "as HTML": lambda: html.escape(PASSWORD),
    "cut": lambda: "x" * 90 + PASSWORD,
}


def seen(result: PollResult, log: str) -> str:
    """All that anybody gets to see of a result."""
    kept = msgspec.json.encode(result.observation()).decode()
    return "\n".join([log, result.detail, kept, json_line(result), *encode("d", result.points), repr(result)])


def assert_unseen(text: str) -> None:
    assert "CANARY" not in text.replace("[secret]", "")
    for form in (BASIC[12:-4], b64encode(PASSWORD.encode()).decode()[:-2], quote(PASSWORD, safe="")):
        assert form.lower() not in text.lower()


@pytest.mark.parametrize("form", SAID)
@pytest.mark.parametrize("stderr", [False, True])
async def test_a_shell_that_takes_the_password_for_a_command(
    form: str, caplog: pytest.LogCaptureFixture, *, stderr: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    said = f"{SAID[form]()}: not found\n".encode()
    with SshServer(printing(said, stderr=stderr)) as server:
        server.password = PASSWORD
        job = job_for("d", "127.0.0.1", "ssh", port=server.port, trust_on_first_use=True)
        result = await poll_alone({"ssh": {"user": USER, "password": PASSWORD}}, job)
    assert (result.reason, server.logins) == (Reason.UNSUPPORTED, [PASSWORD])
    assert "[secret]" in result.detail
    assert_unseen(seen(result, caplog.text))


async def test_a_server_that_asks_with_the_answer_in_its_question(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SshServer() as server:
        server.accepts = "keyboard-interactive"
        server.rounds += [[(f"{PASSWORD} is wrong, again: ", False)]]
        job = job_for("refuses", "127.0.0.1", "ssh", port=server.port, trust_on_first_use=True)
        result = await poll_alone({"ssh": {"user": USER, "password": PASSWORD}}, job)
    assert (result.reason, server.answers) == (Reason.AUTH, [[PASSWORD]])
    assert "[secret] is wrong, again:" in result.detail
    assert_unseen(seen(result, caplog.text))


@pytest.mark.parametrize("form", SAID)
async def test_a_windows_host_that_quotes_the_password_in_a_fault(
    form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    machine = windows()
    machine.tables = dict.fromkeys(machine.tables, Fault("w:InternalError", 5000, f"{SAID[form]()} is bad"))
    with WinrmHost(Service(machine), users={USER: PASSWORD}, behaviour=Behaviour()) as host:
        job = job_for("d", "127.0.0.1", "winrm", port=host.port, tls=False)
        result = await poll_alone({"winrm": {"user": USER, "password": PASSWORD}}, job)
    assert result.reason is Reason.PROTOCOL
    assert "[secret]" in result.detail
    assert_unseen(seen(result, caplog.text))


async def test_what_a_host_says_or_names_reaches_no_terminal_as_a_command() -> None:
    escapes = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"

    def run(channel: paramiko.Channel) -> None:
        channel.sendall(f"{escapes}go away\n".encode())

    machine = windows()
    in_xml = "\x9b31m\u202e"  # which knows no other control characters
    machine.tables["Win32_LogicalDisk"] = [
        {"DeviceID": f"C{in_xml}", "Size": 9, "FreeSpace": 1, "DriveType": 3}
    ]
    with SshServer(run) as server, WinrmHost(Service(machine), users={USER: PASSWORD}) as host:
        server.password = PASSWORD
        job = job_for("d", "127.0.0.1", "ssh", port=server.port, trust_on_first_use=True)
        results = [await poll_alone({"ssh": {"user": USER, "password": PASSWORD}}, job)]
        job = job_for("d", "127.0.0.1", "winrm", port=host.port, tls=False)
        results += [await poll_alone({"winrm": {"user": USER, "password": PASSWORD}}, job)]
    assert [result.reason for result in results] == [Reason.UNSUPPORTED, Reason.OK]
    for result in results:
        for text in seen(result, "").splitlines():
            assert text.isprintable()
