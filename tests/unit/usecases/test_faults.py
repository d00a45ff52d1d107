"""How faults of our own are logged."""

import logging

import pytest

from netvitals.domain.errors import CredentialMissing
from netvitals.usecases.faults import log_fault

LOGGER = logging.getLogger("netvitals.test")


def test_a_fault_on_purpose_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(LOGGER, "polling sw-1", CredentialMissing("credential 'x' is not there"))
    assert caplog.messages == ["polling sw-1: credential 'x' is not there"]
    assert "CredentialMissing" not in caplog.text


def test_any_other_fault_is_named_by_its_kind_and_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    log_fault(LOGGER, "polling sw-2", caught.value)
    assert caplog.messages == ["polling sw-2: ZeroDivisionError"]
    assert "Traceback" in caplog.text
    assert "division by zero" in caplog.text
