"""The order in which several processes run the tests."""

from collections import Counter
from pathlib import Path

from fixtures.long_first import LONG_FILES, file_of, long_first

ROOT = Path(__file__).parents[2]
PROCESSES = 6
SHORT = [f"tests/unit/test_{number}.py::{test}" for number in range(40) for test in range(30)]
LONG = [f"{file}::{test}" for file in LONG_FILES for test in range(3)]


def test_each_process_begins_with_long_files_and_has_its_part_of_all_tests() -> None:
    tests = [*SHORT[:700], *LONG, *SHORT[700:]]
    del tests[: len(tests) % PROCESSES]  # parts of one length
    ordered = long_first(tests, file_of, PROCESSES)
    assert Counter(ordered) == Counter(tests)
    run = len(tests) // PROCESSES
    for begin in range(0, run * PROCESSES, run):
        assert file_of(ordered[begin]) in LONG_FILES


def test_a_file_s_tests_stay_together_in_their_order() -> None:
    ordered = long_first([*SHORT, *LONG], file_of, PROCESSES)
    assert [test for test in ordered if test in SHORT] == SHORT
    for file in LONG_FILES:
        begin = ordered.index(f"{file}::0")
        assert ordered[begin : begin + 3] == [f"{file}::{test}" for test in range(3)]


def test_long_files_alone_are_all_run() -> None:
    assert Counter(long_first(LONG[:7], file_of, PROCESSES)) == Counter(LONG[:7])


def test_the_files_of_a_long_folder_stay_together() -> None:
    (folder,) = (each for each in LONG_FILES if not each.endswith(".py"))
    tests = [f"{folder}/test_a.py::1", *SHORT, f"{folder}/test_b.py::1"]
    ordered = long_first(tests, file_of, PROCESSES)
    assert ordered.index(tests[-1]) == ordered.index(tests[0]) + 1


def test_the_long_files_are_there() -> None:
    assert [file for file in LONG_FILES if not (ROOT / file).exists()] == []
