"""What all tests of the WinRM collector share."""

import pytest


@pytest.fixture(autouse=True)
def _short_second_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netvitals.collectors.winrm.survey.SECOND_SAMPLE_SECONDS", 0.05)
