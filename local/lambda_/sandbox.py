"""Run a function as AWS Lambda does, without Docker: under AWS's own runtime client, in a process of its own.

The process sees the function's folder, the folders of `Function.path` and `awslambdaric`, and nothing else
that is installed here: a dependency that is missing from a layer is missing here too. Not imitated: the share
of a processor that goes with the memory, the memory's limit, and a read-only file system.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Self

from local.aws.template import ACCOUNT, REGION
from local.lambda_.runtime_api import Message, RuntimeApi

_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
STAND_IN = Path(__file__).with_name("runtime_client.py")
"""Of what awslambdaric compiles on Linux, for other systems."""
_INIT_SECONDS = 60.0
"""Lambda allows 10; a machine that runs tests has other things to do."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function, built or from its sources."""

    name: str
    code: Path
    path: Sequence[Path]
    """Folders that modules are imported from, beside the function's own: a layer's `python`."""
    handler: str = "app.handler"
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60
    memory_mb: int = 128
    log_format: str = "JSON"


class FunctionError(Exception):
    """An invocation that ended in an error; says its type and message."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Outcome of one invocation: a payload, or an error as Lambda reports it."""

    payload: Any
    error: dict[str, Any] | None
    """`errorType`, `errorMessage` and, for an exception, `stackTrace`."""
    log: str
    """What the process wrote since the invocation before, initialisation included."""
    report: str
    """The line that Lambda ends an invocation's log with."""
    init_ms: float | None
    """None where the environment was warm."""
    max_memory_mb: float

    def value(self) -> Any:
        """Return the payload.

        Raises:
            FunctionError: there is none, but an error.
        """
        if self.error is not None:
            raise FunctionError("{errorType}: {errorMessage}".format_map(self.error))
        return self.payload


class Sandbox:
    """One execution environment: cold at first, then warm, and cold again after a crash or a timeout.

    Events that threads bring at the same time are run one after another. What the process writes goes to the
    file `log`, where one is given.
    """

    def __init__(self, function: Function, log: Path | None = None) -> None:
        self._function = function
        self._folder = Path(tempfile.mkdtemp(prefix="lambda-"))
        self._runtime = runtime_files(self._folder / "runtime")
        self._log = log or self._folder / "log"
        self._log.touch()
        self._read = self._log.stat().st_size
        self._api = RuntimeApi(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin a cold start, unless the environment is warm."""
        if self._process is not None:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys._base_executable, "-m", "awslambdaric", self._function.handler],  # type: ignore[attr-defined] # noqa: SLF001, the interpreter without the virtual environment's packages
                cwd=self._function.code,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for whoever made the sandbox
            )

    def wait_until_ready(self) -> None:
        """Return once the cold start has ended.

        Raises:
            FunctionError: it failed.
        """
        with self._lock:
            message = self._ready()
        if message.kind != "ready":
            raise FunctionError(f"{self._function.name}: {message.body}")

    def invoke(self, event: bytes) -> Outcome:
        """Run one event to its end, or to the function's timeout."""
        with self._lock:
            request_id, is_cold, began = str(uuid.uuid4()), not self._api.is_ready, time.monotonic()
            message = self._ready()
            ready = time.monotonic()
            if message.kind == "ready":
                message = self._run(request_id, event)
            duration_ms = (time.monotonic() - ready) * 1000
            init_ms = (ready - began) * 1000 if is_cold else None
            memory_mb = self._peak_memory_mb()
            if not self._is_alive():
                self._stop()
            failed = message.kind != "response"
            return Outcome(
                payload=None if failed else message.body,
                error=message.body if failed else None,
                log=self._new_log(),
                report=self._report(request_id, duration_ms, init_ms, memory_mb),
                init_ms=init_ms,
                max_memory_mb=memory_mb,
            )

    def kill(self) -> None:
        """End the process at once, whatever it is doing, as Lambda may."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        self._stop()
        self._api.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self) -> Message:
        """Wait for the end of a cold start, if there is one; return how it ended."""
        if self._api.is_ready:
            return Message("ready")
        self.start()
        message = self._wait(_INIT_SECONDS, f"Initialisation timed out after {_INIT_SECONDS:.2f} seconds")
        if message.kind != "ready":
            self._stop()
        return message

    def _run(self, request_id: str, event: bytes) -> Message:
        seconds = self._function.timeout_seconds
        self._api.invoke(request_id, event, seconds)
        message = self._wait(seconds, f"Task timed out after {seconds:.2f} seconds")
        if self._is_alive():
            # Until it asks for more, the process may still write to its log.
            self._wait(seconds, "")
        return message

    def _wait(self, seconds: float, complaint: str) -> Message:
        """Return what the runtime says next, or what became of it instead."""
        assert self._process is not None  # noqa: S101, start has made it
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            gone = self._process.poll() is not None
            message = self._api.receive(0.02)
            if message is not None:
                return message
            if gone:
                status = self._process.returncode
                return _failure("Runtime.ExitError", f"Runtime exited with exit status {status}")
        self._process.kill()
        self._process.wait()
        return _failure("Sandbox.Timedout", complaint)

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._api.reset()

    def _environment(self) -> dict[str, str]:
        function = self._function
        path = [function.code, *function.path, self._runtime]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **function.environment,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(function.code),
            "_HANDLER": function.handler,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONNOUSERSITE": "1",
        }

    def _peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status") if self._process else Path()
        lines = status.read_text().splitlines() if self._is_alive() and status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)

    def _new_log(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        self._read += len(text)
        return text.decode(errors="replace")

    def _report(self, request_id: str, duration_ms: float, init_ms: float | None, memory_mb: float) -> str:
        init = "" if init_ms is None else f"\tInit Duration: {init_ms:.2f} ms"
        return (
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
            f"Memory Size: {self._function.memory_mb} MB\tMax Memory Used: {memory_mb:.0f} MB{init}"
        )


def _failure(kind: str, text: str) -> Message:
    return Message("error", {"errorType": kind, "errorMessage": text})


def runtime_files(folder: Path) -> Path:
    """Fill a folder with the runtime client of this virtual environment, and nothing else of it."""
    folder.mkdir()
    for name in _RUNTIME:
        for top, source in _top_level(name):
            if not (folder / top).exists():
                (folder / top).symlink_to(source)
    if not any(folder.glob("runtime_client*")):
        (folder / STAND_IN.name).symlink_to(STAND_IN)
    return folder


def _top_level(name: str) -> Iterator[tuple[str, Path]]:
    found = distribution(name)
    for top in sorted({file.parts[0] for file in found.files or ()}):
        if top not in ("..", "__pycache__") and not top.endswith(".dist-info"):
            yield top, Path(str(found.locate_file(top)))
