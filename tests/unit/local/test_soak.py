"""The soak's own duties: what it disturbs goes on afterwards, and it runs for as long as it was told."""

import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from local import soak


class Influx:
    """What knows whether it is away."""

    away = False

    def go_away(self, *, away: bool) -> None:
        self.away = away


def test_what_a_disturbance_stopped_goes_on_when_the_soak_is_interrupted_meanwhile() -> None:
    influx, answers = Influx(), threading.Event()
    answers.set()
    cloud = SimpleNamespace(aws=SimpleNamespace(answers=answers))
    built: Any = SimpleNamespace(influx=influx, cloud=cloud)
    with suppress(KeyboardInterrupt), soak._influx_away(built), soak._queues_stopped(built):
        assert influx.away
        assert not answers.is_set()
        raise KeyboardInterrupt
    assert not influx.away
    assert answers.is_set()


@pytest.mark.parametrize("text", ["0.5", "0", "-3", "ten", "1e3", "٣"])
def test_minutes_that_are_no_whole_number_are_refused(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "soak", lambda minutes: pytest.fail(f"it runs for {minutes} minutes"))
    with pytest.raises(SystemExit) as ended:
        soak.main(["--", text])
    assert ended.value.code == 2
    assert f"{text!r} is no whole number of minutes: give 1 or more" in capsys.readouterr().err


def test_no_database_of_others_is_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "soak", lambda minutes: pytest.fail(f"it runs for {minutes} minutes"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    with pytest.raises(SystemExit):
        soak.main([])
    assert "unset DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "minutes"), [([], 10), (["3"], 3)])
def test_it_runs_for_the_minutes_that_are_given_or_for_ten(
    arguments: list[str], minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(soak, "soak", lambda given: [] if given == minutes else [f"{given} minutes"])
    assert soak.main(arguments) == 0
