"""What tests of the SSH collector share."""

from collections.abc import Iterator

import pytest

from fixtures.ssh_device import LINUX
from local.devices.ssh_server import SshServer, answering


@pytest.fixture
def server() -> Iterator[SshServer]:
    with SshServer(answering(LINUX)) as server:
        yield server
