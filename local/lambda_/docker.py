"""Docker for `sam local invoke`, without an image registry: a daemon, and an image made of this machine.

The image stands in for AWS's public.ecr.aws/lambda/python: CPython of this machine at /var/lang with the
libraries that it loads, AWS's runtime client at /var/runtime, and busybox for a shell.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import IO, NamedTuple

from local.lambda_.sandbox import runtime_files
from local.servers.process import log_of, running

PACKAGES = "docker.io iptables iproute2 busybox-static (from Debian 13 on also docker-cli)"
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
_COMMAND_SECONDS = 240
_LEFT_OUT = ("test", "idlelib", "tkinter", "site-packages", "config-*", "__pycache__", "ensurepip")


@contextmanager
def daemon() -> Iterator[dict[str, str]]:
    """Yield the variables by which clients reach the daemon that runs here, or else one of our own.

    Raises:
        RuntimeError: there is none, and none can be started; says why.
    """
    if _answers({}):
        yield {}
        return
    missing = [name for name in ("docker", "dockerd", "iptables", "ip", "busybox") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        who = f"{', '.join(missing)} missing" if missing else "this is not root"
        raise RuntimeError(
            f"no Docker runs here, and none can be started ({who}): apt-get install {PACKAGES}"
        )
    with ExitStack() as stack:
        stack.callback(_remove_bridge, is_ours=not _BRIDGE.exists())
        yield _own_daemon(stack)


def _own_daemon(stack: ExitStack) -> dict[str, str]:
    """Start a daemon: as usual, or else one that asks less of the kernel."""
    reason = ""
    for options in ((), _HUMBLE):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docker-")))
        variables = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        places = {"data-root": folder / "data", "exec-root": folder / "exec", "pidfile": folder / "pid"}
        given = [f"--{name}={path}" for name, path in places.items()]
        command = ["dockerd", *given, f"--host={variables['DOCKER_HOST']}", *options]
        try:
            stack.enter_context(running(command, folder, partial(_answers, variables)))
        except RuntimeError:
            reason = log_of(folder).strip().rpartition("\n")[2]
        else:
            return variables
    raise RuntimeError(f"no Docker runs here, and none can be started: {reason}")


def _answers(variables: Mapping[str, str]) -> bool:
    return run(variables, "info", check=False).returncode == 0


def _remove_bridge(*, is_ours: bool) -> None:
    """Remove the bridge that a daemon leaves behind."""
    if is_ours and _BRIDGE.exists():
        subprocess.run(["ip", "link", "delete", _BRIDGE.name], check=False, capture_output=True)


class Bridge(NamedTuple):
    """The network of containers, as this machine is on it."""

    interface: str
    gateway: str
    """The address of this machine that containers see."""
    last: str
    """The last address of the network, which Docker gives to a container last."""


def bridge(variables: Mapping[str, str]) -> Bridge:
    found = json.loads(run(variables, "network", "inspect", "bridge").stdout)[0]
    given = found["IPAM"]["Config"][0]
    network = ip_network(given["Subnet"])
    # A daemon that has just made its bridge names the subnet alone; the gateway is its first host.
    gateway = given.get("Gateway") or next(network.hosts())
    return Bridge(found["Options"]["com.docker.network.bridge.name"], str(gateway), str(network[-2]))


def check(variables: Mapping[str, str], image: str, url: str) -> None:
    """Have a container of the image reach a server of this machine, at its URL for containers.

    Raises:
        RuntimeError: containers can't run here, or do not reach this machine; says why.
    """
    host, _, port = url.rpartition("//")[2].partition("/")[0].rpartition(":")
    program = f"import socket; socket.create_connection(({host!r}, {port}), 10)"
    words = ("run", "--rm", "--entrypoint", "/var/lang/bin/python3", image, "-c", program)
    done = run(variables, *words, check=False)
    if done.returncode:
        raise RuntimeError(f"containers can't work here: {done.stderr.strip().rpartition('\n')[2]}")


def make_image(
    variables: Mapping[str, str],
    tag: str,
    environment: Mapping[str, str],
    folders: Sequence[tuple[Path, str]] = (),
) -> None:
    """Make the image, with variables of its own: of env.json SAM takes only those that the template names.

    Each pair of `folders` adds what a folder of this machine holds to one of the image, such as `opt/python`.
    """
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        root = Path(name) / "root"
        _fill(root)
        for source, target in folders:
            shutil.copytree(source, root / target, symlinks=True, dirs_exist_ok=True)
        shutil.copytree(runtime_files(Path(name) / "runtime"), root / "var/runtime")
        _script(root / "var/runtime/bootstrap", _BOOTSTRAP)
        settings = {
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LD_LIBRARY_PATH": "/var/lang/lib",
            "PATH": "/var/lang/bin:/bin",
            **environment,
        }
        changes = [f"ENV {key}={value}" for key, value in settings.items()]
        changes += ["WORKDIR /var/task", 'ENTRYPOINT ["/lambda-entrypoint.sh"]']
        given = [word for change in changes for word in ("--change", change)]
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packed:
            run(variables, "import", *given, "-", tag, stdin=packed.stdout)


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


def run(
    variables: Mapping[str, str], *arguments: str, check: bool = True, stdin: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    if not shutil.which("docker"):
        return subprocess.CompletedProcess(arguments, 1, "", "docker is not installed")
    try:
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **variables},
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"docker {arguments[0]}: no answer within {_COMMAND_SECONDS} s") from None
    if check and done.returncode:
        raise RuntimeError(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done
