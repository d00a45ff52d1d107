"""Docker for `sam local invoke`, without an image registry: a daemon, and an image made of this machine.

The image stands in for AWS's public.ecr.aws/lambda/python: CPython of this machine at /var/lang with the
libraries that it loads, AWS's runtime client at /var/runtime, and busybox for a shell.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from local.lambda_.sandbox import runtime_files
from local.servers.process import running

PACKAGES = "docker.io iptables iproute2 busybox-static"
_BRIDGE = Path("/sys/class/net/docker0")
_HUMBLE = ("--storage-driver=vfs", "--iptables=false", "--ip6tables=false")
"""Options of a daemon where the kernel has neither overlay file systems nor address translation."""
_BOOTSTRAP = """#!/bin/sh
export PYTHONPATH=/var/task:/opt/python:/var/runtime
exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
"""
_ENTRY_POINT = """#!/bin/sh
export _HANDLER="$1"
exec /var/runtime/bootstrap
"""
_WHEELS_LOAD = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libm.so.6"),
    *("libutil.so.1", "libresolv.so.2", "libz.so.1"),
)
"""Libraries that the manylinux standard lets a wheel take for granted."""
_ANSWER_SECONDS = 240
_LEFT_OUT = ("test", "idlelib", "tkinter", "site-packages", "config-*", "__pycache__", "ensurepip")


class Docker(NamedTuple):
    """A daemon that answers."""

    client: Any
    variables: Mapping[str, str]
    """By which other clients of Docker, such as SAM, reach it."""

    @property
    def gateway(self) -> str:
        """The address of this machine that containers see."""
        return gateway_of(self.client.api.inspect_network("bridge"))


def gateway_of(network: Mapping[str, Any]) -> str:
    """Return a network's gateway; a daemon that has just made its bridge names the subnet alone."""
    given = network["IPAM"]["Config"][0]
    return str(given.get("Gateway") or next(ip_network(given["Subnet"]).hosts()))


@contextmanager
def daemon() -> Iterator[Docker]:
    """Yield the daemon that runs here, or else one of our own.

    Raises:
        RuntimeError: there is none, and none can be started; says why.
    """
    if found := _answering({}):
        yield found
        return
    missing = [name for name in ("dockerd", "iptables", "ip", "busybox") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        who = f"{', '.join(missing)} missing" if missing else "this is not root"
        raise RuntimeError(
            f"no Docker runs here, and none can be started ({who}): apt-get install {PACKAGES}"
        )
    with ExitStack() as stack:
        stack.callback(_remove_bridge, is_ours=not _BRIDGE.exists())
        yield _own_daemon(stack)


def _own_daemon(stack: ExitStack) -> Docker:
    """Start a daemon: as usual, or else one that asks less of the kernel."""
    reason = ""
    for options in ((), _HUMBLE):
        try:
            return _started(stack, options)
        except RuntimeError as error:
            reason = str(error).strip().rpartition("\n")[2]
    raise RuntimeError(f"no Docker runs here, and none can be started: {reason}")


def _started(stack: ExitStack, options: Sequence[str]) -> Docker:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docker-")))
    variables = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
    places = {"data-root": folder / "data", "exec-root": folder / "exec", "pidfile": folder / "pid"}
    given = [f"--{name}={path}" for name, path in places.items()]
    command = ["dockerd", *given, f"--host={variables['DOCKER_HOST']}", *options]
    stack.enter_context(running(command, folder, lambda: _answering(variables) is not None))
    if found := _answering(variables):
        return found
    raise RuntimeError("the daemon answered once and does no more")


def _answering(variables: Mapping[str, str]) -> Docker | None:
    """Return the daemon that the variables name, beside those of this process; None where none answers."""
    try:
        client = docker.from_env(environment={**os.environ, **variables}, timeout=_ANSWER_SECONDS)
        client.ping()
    except (DockerException, RequestException):
        return None
    return Docker(client, variables)


def _remove_bridge(*, is_ours: bool) -> None:
    """Remove the bridge that a daemon leaves behind."""
    if is_ours and _BRIDGE.exists():
        subprocess.run(["ip", "link", "delete", _BRIDGE.name], check=False, capture_output=True)


def check(found: Docker, image: str, url: str) -> None:
    """Have a container of the image reach a server of this machine, at its URL for containers.

    Raises:
        RuntimeError: containers can't run here, or do not reach this machine; says why.
    """
    host, _, port = url.rpartition("//")[2].partition("/")[0].rpartition(":")
    program = f"import socket; socket.create_connection(({host!r}, {port}), 10)"
    try:
        found.client.containers.run(
            image, ["-c", program], entrypoint="/var/lang/bin/python3", remove=True, stderr=True
        )
    except (DockerException, RequestException) as error:
        raise RuntimeError(f"containers can't work here: {error}") from None


def make_image(found: Docker, tag: str, environment: Mapping[str, str]) -> None:
    """Make the image, with variables of its own: of env.json SAM takes only those that the template names.

    Raises:
        RuntimeError: Docker does not take it; says why.
    """
    settings = {
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LD_LIBRARY_PATH": "/var/lang/lib",
        "PATH": "/var/lang/bin:/bin",
        **environment,
    }
    changes = [f"ENV {key}={value}" for key, value in settings.items()]
    changes += ["WORKDIR /var/task", 'ENTRYPOINT ["/lambda-entrypoint.sh"]']
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        root = Path(name) / "root"
        _fill(root)
        shutil.copytree(runtime_files(Path(name) / "runtime"), root / "var/runtime")
        _script(root / "var/runtime/bootstrap", _BOOTSTRAP)
        packed = shutil.make_archive(str(root), "tar", root)
        repository, _, version = tag.partition(":")
        try:
            found.client.api.import_image_from_file(packed, repository, version, changes)
        except (DockerException, RequestException) as error:
            raise RuntimeError(f"containers can't work here: {error}") from None


def _fill(root: Path) -> None:
    """Lay the files of the image out in a folder."""
    for folder in ("bin", "tmp", "var/task", "var/lang/bin", "var/lang/lib", "opt", "etc"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    shutil.copy(shutil.which("busybox") or "busybox", root / "bin" / "busybox")
    for applet in ("sh", "mv", "chmod", "cp", "rm", "mkdir", "cat"):
        (root / "bin" / applet).symlink_to("busybox")
    library = Path(sysconfig.get_path("stdlib"))
    python = Path(sys.executable).resolve()
    copied = root / "var/lang/lib" / library.name
    shutil.copytree(library, copied, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    shutil.copy(python, root / "var/lang/bin/python3")
    for found in _libraries([python, *copied.rglob("*.so")]):
        target = (
            root / str(found).lstrip("/") if "ld-linux" in found.name else root / "var/lang/lib" / found.name
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, target)
    _script(root / "lambda-entrypoint.sh", _ENTRY_POINT)


def _libraries(binaries: list[Path]) -> set[Path]:
    """Return the shared libraries that binaries load, and those that wheels may."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    listed = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    words = [line.split() for line in listed.splitlines() if line.startswith("\t")]
    found = {Path(word) for line in words for word in line if word.startswith("/")}
    for name in _WHEELS_LOAD:
        found |= {Path(line.split()[-1]) for line in known.splitlines() if line.split()[:1] == [name]}
    return found


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
