"""Runs a built function as AWS Lambda does, without Docker: under AWS's own runtime client.

The process sees the function's folder, its layers and `awslambdaric`, and nothing else that happens to be
installed here: a dependency missing from a layer is missing here too. Not imitated: the processor share that
goes with the memory, the memory's limit, and a read-only file system (nothing is compiled, as there).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import Any, Self

from local.aws.template import ACCOUNT, REGION
from local.lambda_.runtime_api import Invocation, Message, RuntimeApi

_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
_INIT_SECONDS = 60.0
"""Lambda allows 10; a machine that runs tests has other things to do."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function as it was built."""

    name: str
    code: Path
    layers: Sequence[Path]
    handler: str = "app.handler"
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60
    memory_mb: int = 128
    log_format: str = "JSON"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one invocation ended: with a payload, or with an error as Lambda reports it."""

    request_id: str
    payload: Any
    error: dict[str, Any] | None
    """`errorType`, `errorMessage` and, for an exception, `stackTrace`."""
    log: str
    """What the process wrote since the invocation before, in initialisation too."""
    duration_ms: float
    init_ms: float | None
    """None where the environment was warm."""
    max_memory_mb: float
    memory_mb: int

    @property
    def report(self) -> str:
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.max_memory_mb:.0f} MB",
        ]
        if self.init_ms is not None:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        return "\t".join(parts)


class Sandbox:
    """One execution environment: cold at first, then warm, and cold again after a crash or a timeout."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._folder = Path(tempfile.mkdtemp(prefix="lambda-"))
        self._runtime = _runtime_files(self._folder / "runtime")
        self._log = self._folder / "log"
        self._log.touch()
        self._read = 0
        self._api: RuntimeApi | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def invoke(self, event: bytes) -> Outcome:
        """Run one event to its end, or to the function's timeout."""
        request_id = str(uuid.uuid4())
        init_ms, message = self._start() if self._process is None else (None, Message("ready"))
        started = time.monotonic()
        if message.kind == "ready":
            message = self._run(request_id, event)
        duration_ms = (time.monotonic() - started) * 1000
        memory_mb = self._peak_memory_mb()
        if message.kind == "init_error" or not self._warm():
            self._stop()
        failed = message.kind != "response"
        return Outcome(
            request_id=request_id,
            payload=None if failed else message.body,
            error=message.body if failed else None,
            log=self._new_log(),
            duration_ms=duration_ms,
            init_ms=init_ms,
            max_memory_mb=memory_mb,
            memory_mb=self._function.memory_mb,
        )

    def close(self) -> None:
        self._stop()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> tuple[float, Message]:
        started = time.monotonic()
        self._api = RuntimeApi()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys._base_executable, "-m", "awslambdaric", self._function.handler],  # type: ignore[attr-defined] # noqa: SLF001, the interpreter without the virtual environment's packages
                cwd=self._function.code,
                env=self._environment(self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        message = self._wait(_INIT_SECONDS, f"Initialisation timed out after {_INIT_SECONDS:.2f} seconds")
        return (time.monotonic() - started) * 1000, message

    def _run(self, request_id: str, event: bytes) -> Message:
        assert self._api is not None  # noqa: S101, _start has made it
        function = self._function
        self._api.invoke(
            Invocation(
                request_id=request_id,
                event=event,
                deadline_ms=int((time.time() + function.timeout_seconds) * 1000),
                function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
            )
        )
        message = self._wait(
            function.timeout_seconds, f"Task timed out after {function.timeout_seconds:.2f} seconds"
        )
        if message.kind in ("response", "error") and self._warm():
            # Until it asks for more, the process may still write to its log.
            self._wait(function.timeout_seconds, "")
        return message

    def _wait(self, seconds: float, complaint: str) -> Message:
        """What the runtime says next, or what became of it instead."""
        assert self._api is not None  # noqa: S101, _start has made it
        assert self._process is not None  # noqa: S101, and this
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            gone = self._process.poll() is not None
            try:
                return self._api.messages.get(timeout=0.02)
            except Empty:
                if gone:
                    status = self._process.returncode
                    return _failure("Runtime.ExitError", f"Runtime exited with exit status {status}")
        self._process.kill()
        self._process.wait()
        return _failure("Sandbox.Timedout", complaint)

    def _warm(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._api is not None:
            self._api.close()
            self._api = None

    def _environment(self, address: str) -> dict[str, str]:
        function = self._function
        layers = [str(layer / "python") for layer in function.layers]
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
            "AWS_LAMBDA_RUNTIME_API": address,
            "LAMBDA_TASK_ROOT": str(function.code),
            "_HANDLER": function.handler,
            "PYTHONPATH": os.pathsep.join([str(function.code), *layers, str(self._runtime)]),
            "PYTHONNOUSERSITE": "1",
        }

    def _peak_memory_mb(self) -> float:
        if not self._warm() or self._process is None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)

    def _new_log(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        self._read += len(text)
        return text.decode(errors="replace")


def _failure(kind: str, text: str) -> Message:
    return Message("error", {"errorType": kind, "errorMessage": text})


def _runtime_files(folder: Path) -> Path:
    """A folder that holds the runtime client of this virtual environment, and nothing else of it."""
    folder.mkdir()
    for name in _RUNTIME:
        for top, source in _top_level(name):
            if not (folder / top).exists():
                (folder / top).symlink_to(source)
    return folder


def _top_level(name: str) -> Iterator[tuple[str, Path]]:
    found = distribution(name)
    for top in sorted({file.parts[0] for file in found.files or ()}):
        if top not in ("..", "__pycache__") and not top.endswith(".dist-info"):
            yield top, Path(str(found.locate_file(top)))
