"""Docker as `make sam-local` and `make localstack` find it, and what they say where there is none."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from local.lambda_ import docker


def _bridge(monkeypatch: pytest.MonkeyPatch, ipam: dict[str, str]) -> docker.Bridge:
    said = [{"IPAM": {"Config": [ipam]}, "Options": {"com.docker.network.bridge.name": "docker0"}}]

    def run(*_: Any, **__: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess([], 0, json.dumps(said), "")

    monkeypatch.setattr(docker, "run", run)
    return docker.bridge({})


def test_a_daemon_that_has_just_made_its_bridge_names_no_gateway_and_it_is_the_first_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _bridge(monkeypatch, {"Subnet": "172.17.0.0/16"}).gateway == "172.17.0.1"


def test_a_gateway_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _bridge(monkeypatch, {"Subnet": "172.31.0.0/24", "Gateway": "172.31.0.9"})
    assert found == docker.Bridge("docker0", "172.31.0.9", "172.31.0.254")


def test_a_machine_without_docker_is_told_which_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name in {"docker", "dockerd"} else name)
    with (
        pytest.raises(RuntimeError, match=r"docker, dockerd missing.*apt-get install docker.io"),
        docker.daemon(),
    ):
        pass
