"""The checks of `netvitals doctor`: what needs another is skipped, and none stops the others."""

import threading

from netvitals.cli.doctor.report import Check, Finding, results

CANARY = "canary-77c0"


def test_a_check_that_hangs_ends_and_what_needs_it_is_skipped_and_a_fault_of_its_own_is_no_leak() -> None:
    def hangs() -> Finding:
        end.wait(30)
        return Finding("ok", "late")

    def breaks() -> Finding:
        raise RuntimeError(CANARY)

    end = threading.Event()
    checks = [
        Check("slow", hangs, remedy="look", seconds=0.05),
        Check("next", lambda: Finding("ok", ""), ("slow",)),
        Check("broken", breaks),
        Check("last", lambda: Finding("ok", "fine")),
    ]
    found = [(each.check, each.level, each.text) for each in results(checks)]
    end.set()
    assert found == [
        ("slow", "fail", "no result within 0.05 s"),
        ("next", "skip", "needs slow, which is not ok"),
        ("broken", "fail", "the check itself failed (RuntimeError)"),
        ("last", "ok", "fine"),
    ]
