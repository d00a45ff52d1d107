"""A Lambda function of the demo: the real handler in a process of its own, as it has one on Lambda.

`python -m local.demo.function NAME` takes one event per line and answers each with one line; what the
handler logs goes to standard error.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 30.0
"""What an invocation may take."""


class FunctionError(Exception):
    """An invocation that ended in an exception, or a process that has gone."""


class Function:
    """One execution environment. Its handler is imported when it is made, and `ready` waits for that."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name, self._log = name, log
        self._lock = threading.Lock()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, name.partition("-")[0]],
                cwd=ROOT,
                env={**environment, "POWERTOOLS_SERVICE_NAME": name},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # a Ctrl-C is the demo's business
            )

    def ready(self) -> None:
        self._answer()

    def invoke(self, event: Any) -> Any:
        """What the handler returns.

        Raises:
            FunctionError: it raised; the log has the rest.
        """
        with self._lock:
            assert self._process.stdin  # noqa: S101, it is a pipe
            try:
                self._process.stdin.write(json.dumps(event) + "\n")
                self._process.stdin.flush()
            except OSError:
                raise self._gone() from None
            return self._answer()

    def close(self) -> None:
        """The end of its input is the end of the process."""
        with self._lock:
            try:
                self._process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout  # noqa: S101, it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise self._gone()
        answer = json.loads(line)
        if "error" in answer:
            raise FunctionError(f"{self.name}: {answer['error']}")
        return answer["payload"]

    def _gone(self) -> FunctionError:
        last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
        return FunctionError(f"{self.name} has ended: {' '.join(last) or 'nothing is in its log'}")


def _serve(name: str) -> None:
    from local.lambda_.functions import Context, handler_of  # noqa: PLC0415, the demo itself has no use for them

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    handler = handler_of(name)
    print('{"payload": null}', file=answers, flush=True)
    for number, line in enumerate(sys.stdin):
        try:
            answer = {"payload": handler(json.loads(line), Context(SECONDS, f"{name}-{number}"))}
        except Exception as error:  # noqa: BLE001, Lambda tells the caller as well, whatever it was
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
