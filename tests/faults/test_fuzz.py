"""What runs the fuzzers refuses what it can't do, and shows what a fuzzer said that did not end."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from faults import fuzz


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["1", "statu", "status"], "there is no fuzzer statu, but "),
        (["nan"], "minutes are a number from 0"),
        (["inf"], "minutes are a number from 0"),
        (["soon"], "invalid float value: 'soon'"),
        ([], "the following arguments are required: minutes"),
    ],
)
def test_what_it_cannot_run_is_told(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "run", lambda program, _: pytest.fail(f"it runs {program}"))
    with pytest.raises(SystemExit) as ended:
        fuzz.main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_last_words_of_a_fuzzer_that_did_not_end_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_ends(command: list[str], timeout: float, **_: Any) -> None:
        """Raise what `subprocess.run` does, whose output is bytes under text=True as well."""
        raise subprocess.TimeoutExpired(command, timeout, output=b"tried 5\nseed 7 hangs \xff\n")

    monkeypatch.setattr(subprocess, "run", never_ends)
    assert fuzz.run(Path("fuzz_status.py"), 0.1) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[-3:] == ["  tried 5", "  seed 7 hangs �", "  did not end in time"]
