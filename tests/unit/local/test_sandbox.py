"""A function runs here as it does on Lambda: its answers, its faults and its log."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.lambda_.sandbox import STAND_IN, Function, Sandbox

type Started = Callable[..., Sandbox]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    sandboxes: list[Sandbox] = []

    def start(source: str, layer: str = "", **settings: object) -> Sandbox:
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "app.py").write_text(source)
        (tmp_path / "layer" / "python").mkdir(parents=True)
        (tmp_path / "layer" / "python" / "shared.py").write_text(layer)
        function = Function(
            name="Fn",
            code=tmp_path / "code",
            path=[tmp_path / "layer" / "python"],
            **settings,  # type: ignore[arg-type]  # each test sets what it is about
        )
        sandboxes.append(Sandbox(function))
        return sandboxes[-1]

    yield start
    for sandbox in sandboxes:
        sandbox.close()


def test_a_handler_gets_its_event_its_context_and_its_environment(started: Started) -> None:
    sandbox = started(
        "import os\n"
        "def handler(event, context):\n"
        "    return [event['x'], context.function_name, context.memory_limit_in_mb, os.environ['WHO'],\n"
        "            0 < context.get_remaining_time_in_millis() <= 5000]\n",
        environment={"WHO": "me"},
        timeout_seconds=5,
        memory_mb=256,
    )
    outcome = sandbox.invoke(b'{"x": 1}')
    assert outcome.error is None
    assert outcome.payload == [1, "Fn", "256", "me", True]


def test_layers_are_importable_and_this_virtual_environment_is_not(started: Started) -> None:
    sandbox = started(
        "from shared import WORD\n"
        "from importlib.util import find_spec\n"
        "def handler(event, context):\n"
        "    return [WORD, [name for name in ('msgspec', 'boto3', 'netvitals') if find_spec(name)]]\n",
        layer="WORD = 'layered'",
    )
    assert sandbox.invoke(b"{}").payload == ["layered", []]


def test_the_first_invocation_is_cold_and_the_next_is_warm_in_the_same_process(started: Started) -> None:
    sandbox = started(
        "calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return calls\n"
    )
    cold, warm = sandbox.invoke(b"{}"), sandbox.invoke(b"{}")
    assert (cold.payload, warm.payload) == (1, 2)
    assert cold.init_ms is not None
    assert "Init Duration" in cold.report
    assert warm.init_ms is None
    assert "Init Duration" not in warm.report
    assert warm.max_memory_mb > 1


def test_an_exception_comes_back_with_its_stack_trace(started: Started) -> None:
    sandbox = started("def handler(event, context):\n    raise KeyError('gone')\n")
    outcome = sandbox.invoke(b"{}")
    assert outcome.error is not None
    assert outcome.error["errorType"] == "KeyError"
    assert any("raise KeyError('gone')" in line for line in outcome.error["stackTrace"])
    assert sandbox.invoke(b"{}").init_ms is None


def test_an_import_that_fails_is_an_error_of_initialisation_every_time(started: Started) -> None:
    sandbox = started("import no_such_module\n")
    for _ in range(2):
        outcome = sandbox.invoke(b"{}")
        assert outcome.error is not None
        assert outcome.error["errorType"] == "Runtime.ImportModuleError"
        assert "no_such_module" in outcome.error["errorMessage"]
        assert outcome.init_ms is not None


def test_a_function_that_takes_too_long_is_killed_and_starts_anew(started: Started) -> None:
    sandbox = started(
        "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'in time'\n",
        timeout_seconds=1,
    )
    outcome = sandbox.invoke(b"60")
    assert outcome.error is not None
    assert outcome.error["errorMessage"] == "Task timed out after 1.00 seconds"
    again = sandbox.invoke(b"0")
    assert (again.payload, again.init_ms is not None) == ("in time", True)


def test_a_process_that_dies_is_an_error_and_starts_anew(started: Started) -> None:
    sandbox = started(
        "import os\ndef handler(event, context):\n    if event: os._exit(event)\n    return 'alive'\n"
    )
    outcome = sandbox.invoke(b"7")
    assert outcome.error is not None
    assert outcome.error["errorMessage"] == "Runtime exited with exit status 7"
    assert sandbox.invoke(b"0").payload == "alive"


def test_each_outcome_holds_just_what_was_logged_for_it(started: Started) -> None:
    sandbox = started(
        "print('starting')\ndef handler(event, context):\n    print('handling', event)\n    return event\n"
    )
    first, second = sandbox.invoke(b"1"), sandbox.invoke(b"2")
    assert first.log.splitlines() == ["starting", "handling 1"]
    assert second.log.splitlines() == ["handling 2"]


def test_an_answer_that_is_no_json_is_an_error(started: Started) -> None:
    sandbox = started("def handler(event, context):\n    return object()\n")
    outcome = sandbox.invoke(b"{}")
    assert outcome.error is not None
    assert outcome.error["errorType"] == "Runtime.MarshalError"


def test_an_answer_of_a_megabyte_arrives_whole(started: Started) -> None:
    sandbox = started("def handler(event, context):\n    return 'x' * 1_000_000\n")
    assert len(sandbox.invoke(b"{}").payload) == 1_000_000


def test_where_the_runtimes_client_is_not_compiled_a_stand_in_does_the_same(started: Started) -> None:
    sandbox = started("def handler(event, context):\n    return 1 / event\n")
    for compiled in sandbox._runtime.glob("runtime_client*"):
        compiled.unlink()
    (sandbox._runtime / STAND_IN.name).symlink_to(STAND_IN)
    assert [sandbox.invoke(b"4").payload, sandbox.invoke(b"2").payload] == [0.25, 0.5]
    failed = sandbox.invoke(b"0")
    assert failed.error is not None
    assert failed.error["errorType"] == "ZeroDivisionError"
