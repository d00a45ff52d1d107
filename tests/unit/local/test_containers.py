"""Docker as `make sam-local` finds it, and what it says where there is none."""

import shutil

import pytest

from local.lambda_ import docker


def test_a_daemon_that_has_just_made_its_bridge_names_no_gateway_and_it_is_the_first_host() -> None:
    assert docker.gateway_of({"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}) == "172.17.0.1"


def test_a_gateway_that_is_named_is_taken() -> None:
    named = {"Subnet": "172.31.0.0/24", "Gateway": "172.31.0.9"}
    assert docker.gateway_of({"IPAM": {"Config": [named]}}) == "172.31.0.9"


def test_a_machine_without_docker_is_told_which_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "dockerd" else name)
    with (
        pytest.raises(RuntimeError, match=r"dockerd missing.*apt-get install docker.io"),
        docker.daemon(),
    ):
        pass
